//! That there is no order between files, as a property of whatever teams write.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Folder, policy};

/// A string that some reader of YAML takes for something else, or any other.
fn role() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "yes",
        "No",
        "null",
        "~",
        "1e3",
        "0x1f",
        "12:30",
        "- a",
        "a: b",
        "#",
        "[",
        "{}",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%",
        "@",
        "`",
        "'",
        "\"",
        "\\",
        "a #b",
        "?",
        "=",
        "<<",
        ".inf",
        "\u{2028}x",
        "\u{feff}x",
        "\u{1f600}",
        "\u{e9}",
    ]);
    let usable = |role: &String| {
        !role.is_empty() && role.trim() == role && !role.contains(|c: char| c == ',' || c.is_control())
    };
    prop_oneof![odd.prop_map(str::to_owned), "\\PC{1,12}"].prop_filter("a role", usable)
}

/// What teams write: issuers and policies, each of some team.
#[derive(Clone, Debug)]
struct Written {
    issuers: Vec<(String, usize)>,
    policies: Vec<(String, String, usize)>,
    mode: Option<usize>,
}

fn written() -> impl Strategy<Value = Written> {
    let issuers = prop::collection::btree_map("[a-z]{1,6}", 0..4_usize, 1..4);
    let policies = prop::collection::btree_map("[a-z]{1,6}", (role(), 0..4_usize), 1..6);
    (issuers, policies, prop::option::of(4..6_usize)).prop_map(|(issuers, policies, mode)| Written {
        issuers: issuers.into_iter().collect(),
        policies: policies.into_iter().map(|(name, (role, team))| (name, role, team)).collect(),
        mode,
    })
}

impl Written {
    /// The files of the teams. `reversed`: in them, too, everything in another order.
    fn files(&self, reversed: bool) -> Vec<String> {
        let mut files = vec![(Vec::new(), Vec::new(), None); 6];
        for (name, team) in &self.issuers {
            let issuer = json!({
                "iss": format!("https://{name}.example.com/"), "audiences": ["api"], "algorithms": ["EdDSA"],
                "token_types": ["at+jwt"], "keys": { "jwks": { "keys": [] } },
                "claims": { "granted_roles": self.policies.iter().map(|(_, role, _)| role).collect::<BTreeSet<_>>() },
            });
            files[*team].0.push(format!("{}: {issuer}", json!(name)));
        }
        for (name, role, team) in &self.policies {
            let mut policy = policy(name, &[&self.issuers[0].0]);
            policy["rules"][0]["require"] = json!({ "any_role": [role] });
            files[*team].1.push(policy.to_string());
        }
        if let Some(team) = self.mode {
            files[team].2 = Some("\"mode\": \"observe\"".to_owned());
        }
        let text = |(mut issuers, mut policies, mode): (Vec<String>, Vec<String>, Option<String>)| {
            if reversed {
                issuers.reverse();
                policies.reverse();
            }
            let version = if reversed { "1.0" } else { "1" };
            let mut members = vec![format!("\"version\": {version}")];
            if !issuers.is_empty() {
                members.push(format!("\"issuers\": {{ {} }}", issuers.join(", ")));
            }
            if !policies.is_empty() {
                members.push(format!("\"policies\": [{}]", policies.join(", ")));
            }
            members.extend(mode);
            if reversed {
                members.reverse();
            }
            format!("{{ {} }}", members.join(", "))
        };
        files.into_iter().map(text).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn the_same_parts_make_the_same_bytes_whatever_the_files_are_called_and_however_they_are_ordered(
        written in written(),
        names in Just(["a", "b/c", "z", "b", "m/n/o", "0"]).prop_shuffle(),
    ) {
        let folder = |names: &[&str], files: Vec<String>, extension: &str| {
            let folder = Folder::of::<String>(&[]);
            for (name, file) in names.iter().zip(files) {
                folder.write(&format!("{name}.{extension}"), &file);
            }
            folder
        };
        let one = folder(&["1", "2", "3", "4", "5", "6"], written.files(false), "yaml");
        let other = folder(&names, written.files(true), "json");
        let joined = one.joined();
        prop_assert_eq!(&joined, &other.joined());
        prop_assert_eq!(one.bundle(&["--json"]).stdout, other.bundle(&["--json"]).stdout);
        let read: Value = serde_saphyr::from_str(&joined).unwrap();
        let meant: Value = serde_json::from_slice(&one.bundle(&["--json"]).stdout).unwrap();
        prop_assert_eq!(read, meant, "{}", joined);
    }
}
