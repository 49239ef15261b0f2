//! No path may match a more permissive rule in our eyes than in those of the server behind, without a setting that says
//! so. What the servers see is measured: `tests/decoders`.
//!
//! In reading order: [`routes`] the route table of the servers as rules, [`settings`] which setting fits which server,
//! [`differences`] what came out otherwise.

mod differences;
pub(crate) mod routes;
mod settings;

use std::collections::BTreeSet;
use std::fs;

use bearward_core::{Decision, Edit};
use bearward_fuzz::forge::{EDDSA_HEADER, Key, payload, sign};
use bearward_fuzz::gate::{Gate, request, with_token};
use bearward_tests::decoders::Facts;
use bearward_tests::note::note;
use serde_json::json;
use xtask::workspace;

use self::differences::Differences;
use self::routes::{Layout, Level};
use self::settings::{SERVERS, rows, settings};

/// The target that is forwarded, if the request is.
fn forwarded(gate: &Gate, target: &[u8], token: Option<&str>) -> Option<Vec<u8>> {
    let headers = request("GET", target, "api.test");
    let headers = match token {
        None => headers,
        Some(token) => with_token(headers, token.as_bytes()),
    };
    let Decision::Forward(edits) = gate.decide(&headers).decision else { return None };
    let path = edits.iter().find_map(|edit| match edit {
        Edit::Set { name, value } if &**name == ":path" => Some(value.to_vec()),
        _ => None,
    });
    Some(path.unwrap_or_else(|| target.to_vec()))
}

fn token(subject: &str) -> String {
    let mut payload = payload(&[]);
    payload["sub"] = json!(subject);
    sign(EDDSA_HEADER, payload.to_string().as_bytes(), Key::K1)
}

#[test]
fn no_path_matches_a_more_permissive_rule_in_our_eyes_than_in_those_of_the_server_behind() {
    let facts = Facts::read();
    let customer = token("u1");
    let mut differences = Differences::default();
    let (mut decisions, mut compared) = (0_u64, 0_u64);
    let settings = settings();
    let gates = settings.iter().flat_map(|setting| {
        // Policies are chosen as rules are: the two extremes are enough.
        let layouts = match setting.name {
            "none" | "all" => &[Layout::OnePolicy, Layout::PolicyForEachPrefix][..],
            _ => &[Layout::OnePolicy],
        };
        layouts.iter().flat_map(|layout| {
            routes::assignments().into_iter().map(|levels| {
                let gate = routes::gate(&setting.paths, *layout, |route| levels[route].rule());
                (setting.name, gate, levels)
            })
        })
    });
    for (setting, gate, levels) in gates {
        let asks = [(None, Level::Public), (Some(customer.as_str()), Level::Authenticated)];
        let lets_customers = levels.values().any(|level| *level == Level::Authenticated);
        let asks = if lets_customers { &asks[..] } else { &asks[..1] };
        for target in facts.targets() {
            let granted = asks.iter().find_map(|(token, level)| {
                decisions += 1;
                Some((forwarded(&gate, target, *token)?, *level))
            });
            let Some((arrived, granted)) = granted else { continue };
            for seen in facts.seen(&arrived) {
                compared += seen.by.len() as u64;
                let Some(route) = &seen.route else { continue };
                if levels[route.as_str()] > granted {
                    let what = format!("{} is {granted:?} to us, `{route}` to it", arrived.escape_ascii());
                    differences.add(setting, &seen.by, &arrived, &what);
                }
            }
        }
    }
    differences.conclude();
    note(&format!(
        "paths against {} servers: {} targets, {decisions} decisions, {compared} of what was forwarded compared",
        facts.servers.len(),
        facts.targets().count()
    ));
}

#[test]
fn a_parameter_of_the_path_is_to_the_server_behind_what_it_is_to_us() {
    let facts = Facts::read();
    let own = json!({ "require": { "claims": [{ "path": ["sub"], "equals_param": "id" }] } });
    let mut differences = Differences::default();
    let (mut asked, mut compared) = (0_u64, 0_u64);
    for setting in settings() {
        let rule = |route| if route == "user" { own.clone() } else { Level::Admin.rule() };
        let gate = routes::gate(&setting.paths, Layout::OnePolicy, rule);
        for target in facts.targets() {
            // Whoever some server would take this for the path of.
            let ids = facts.seen(target).iter().filter_map(|seen| seen.id.clone());
            let subjects: BTreeSet<String> = ids.filter_map(|id| String::from_utf8(id).ok()).collect();
            for subject in subjects {
                asked += 1;
                let Some(arrived) = forwarded(&gate, target, Some(&token(&subject))) else { continue };
                for seen in facts.seen(&arrived) {
                    compared += seen.by.len() as u64;
                    let Some(route) = &seen.route else { continue };
                    if route != "user" || seen.id.as_deref() != Some(subject.as_bytes()) {
                        let id = seen.id.as_deref().unwrap_or_default().escape_ascii();
                        let path = arrived.escape_ascii();
                        let what = format!("{path} is {subject:?}'s to us, `{route}` {id} to it");
                        differences.add(setting.name, &seen.by, &arrived, &what);
                    }
                }
            }
        }
    }
    differences.conclude_some();
    assert!(compared > 0, "nobody was let through");
    note(&format!("parameters of paths: {asked} requests, {compared} of what was forwarded compared"));
}

#[test]
fn the_documentation_says_which_setting_fits_which_server() {
    let facts = Facts::read();
    assert_eq!(facts.servers.keys().collect::<Vec<_>>(), SERVERS.iter().collect::<Vec<_>>());
    let text = fs::read_to_string(workspace::root().join("docs/policy.md")).unwrap();
    for row in rows(&facts.servers) {
        assert!(text.contains(&row), "docs/policy.md lacks the line\n{row}");
    }
}
