//! Joining without order: what may stand in several files is put together by name, all else stands in one file.

mod origins;

use std::collections::BTreeMap;

use bearward_core::policy::fields::DOCUMENT;
use serde_json::{Map, Value};

use self::origins::Origins;
pub(super) use self::origins::Problem;
use super::files::Part;

const VERSION: &str = "version";
const ISSUERS: &str = "issuers";
const POLICIES: &str = "policies";
/// Up to here every whole number is a double.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
/// Settings of the document that a policy may have for itself.
const OF_POLICIES: [&str; 3] = ["mode", "credentials", "challenge"];

/// The joined document, where each part of it comes from, and what is wrong between the files.
pub(super) struct Joined<'p> {
    pub(super) document: Value,
    pub(super) origins: Origins<'p>,
    pub(super) conflicts: Vec<Problem>,
}

/// Joins the files. Whatever their names and order, the document is the same.
pub(super) fn join(parts: &[Part]) -> Joined<'_> {
    let mut join = Join::default();
    for part in parts {
        join.take(part);
    }
    join.check_version();
    join.check_settings();
    join.finish()
}

/// A value and the file that it stands in.
#[derive(Clone, Copy)]
struct In<'p> {
    file: &'p str,
    value: &'p Value,
}

#[derive(Default)]
struct Join<'p> {
    issuers: BTreeMap<&'p str, In<'p>>,
    /// Each with its position in its file.
    policies: Vec<(In<'p>, usize)>,
    /// All other members: by right in one file, but for the version.
    members: BTreeMap<&'p str, Vec<In<'p>>>,
    /// Files that have policies.
    with_policies: Vec<&'p str>,
    conflicts: Vec<Problem>,
}

impl<'p> Join<'p> {
    fn take(&mut self, part: &'p Part) {
        let file = part.file.as_str();
        let Value::Object(members) = &part.value else {
            self.conflicts.push(Problem::of(file, "", "must be a policy, or a part of one: an object"));
            return;
        };
        if !members.contains_key(VERSION) {
            self.conflicts.push(Problem::of(file, VERSION, "is missing: write `version: 1`"));
        }
        for (name, value) in members {
            match (name.as_str(), value) {
                (ISSUERS, Value::Object(issuers)) if !issuers.is_empty() => {
                    issuers.iter().for_each(|(name, value)| self.take_issuer(name, In { file, value }));
                }
                (POLICIES, Value::Array(policies)) if !policies.is_empty() => {
                    self.with_policies.push(file);
                    let own = policies.iter().enumerate().map(|(index, value)| (In { file, value }, index));
                    self.policies.extend(own);
                }
                (ISSUERS, _) => {
                    let text = "must be an object of issuers; a file without any leaves it out";
                    self.conflicts.push(Problem::of(file, ISSUERS, text));
                }
                (POLICIES, _) => {
                    let text = "must be a list of policies; a file without any leaves it out";
                    self.conflicts.push(Problem::of(file, POLICIES, text));
                }
                (name, value) => self.members.entry(name).or_default().push(In { file, value }),
            }
        }
    }

    fn take_issuer(&mut self, name: &'p str, issuer: In<'p>) {
        if let Some(first) = self.issuers.get(name) {
            let path = format!("issuers.{name}");
            let places = [(first.file, path.as_str()), (issuer.file, path.as_str())];
            let text =
                format!("`{name}` is defined twice: an issuer stands in one file, and any file may name it");
            self.conflicts.push(Problem::between(&places, text));
            return;
        }
        self.issuers.insert(name, issuer);
    }

    /// All files are written in one version of the language. Of each other version one file is named.
    fn check_version(&mut self) {
        let Some(versions) = self.members.get_mut(VERSION) else { return };
        let Some(first) = versions.first().copied() else { return };
        let shown = spelled(first.value);
        let mut others = BTreeMap::new();
        for place in versions.iter().filter(|place| spelled(place.value) != shown) {
            others.entry(spelled(place.value).to_string()).or_insert(place.file);
        }
        for (other, file) in others {
            let text = format!("{shown} and {other}: all files are written in one version");
            self.conflicts.push(Problem::between(&[(first.file, VERSION), (file, VERSION)], text));
        }
        versions.retain(|place| spelled(place.value) == shown);
    }

    /// A setting of the whole document stands in one file, and not beside policies where other files have policies, too:
    /// one team's `mode: observe` would open every other team's rules.
    fn check_settings(&mut self) {
        let is_setting =
            |name: &str| name != VERSION && DOCUMENT.fields.iter().any(|field| field.name == name);
        for (name, places) in self.members.iter().filter(|(name, _)| is_setting(name)) {
            if let [first, others @ ..] = places.as_slice() {
                for other in others {
                    let text = "is set twice: a setting of the whole document stands in one file";
                    self.conflicts.push(Problem::between(&[(first.file, name), (other.file, name)], text));
                }
            }
            for place in places.iter().filter(|place| self.with_policies.contains(&place.file)) {
                if let Some(other) = self.with_policies.iter().find(|file| **file != place.file) {
                    let own =
                        if OF_POLICIES.contains(name) { "into each policy of this file, or " } else { "" };
                    let text = format!(
                        "would hold for the policies of other files, too, such as {other}: write it {own}into a file without policies"
                    );
                    self.conflicts.push(Problem::of(place.file, name, text));
                }
            }
        }
    }

    fn finish(mut self) -> Joined<'p> {
        // By name, and where two have one name, which is an error, by what they are.
        self.policies
            .sort_by_cached_key(|(policy, _)| (name_of(policy.value), spelled(policy.value).to_string()));
        let mut document: Map<String, Value> = Map::new();
        for (name, places) in &self.members {
            document.extend(places.first().map(|place| ((*name).to_owned(), spelled(place.value))));
        }
        if !self.issuers.is_empty() {
            let issuers =
                self.issuers.iter().map(|(name, issuer)| ((*name).to_owned(), spelled(issuer.value)));
            document.insert(ISSUERS.to_owned(), Value::Object(issuers.collect()));
        }
        if !self.policies.is_empty() {
            let policies = self.policies.iter().map(|(policy, _)| spelled(policy.value));
            document.insert(POLICIES.to_owned(), Value::Array(policies.collect()));
        }
        let origins = Origins {
            issuers: self.issuers.iter().map(|(name, issuer)| (*name, issuer.file)).collect(),
            policies: self
                .policies
                .iter()
                .map(|(policy, index)| (name_of(policy.value), policy.file, *index))
                .collect(),
            members: self
                .members
                .iter()
                .map(|(name, places)| (*name, places.iter().map(|place| place.file).collect()))
                .collect(),
        };
        Joined { document: spelled(&Value::Object(document)), origins, conflicts: self.conflicts }
    }
}

fn name_of(policy: &Value) -> &str {
    policy.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The same in the one spelling that all such values have: members by name, whatever order a map keeps, and whole numbers
/// without a point (Envoy hands over doubles in any case).
fn spelled(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let by_name: BTreeMap<_, _> = members.iter().collect();
            Value::Object(by_name.into_iter().map(|(name, value)| (name.clone(), spelled(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(spelled).collect()),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|double| double.fract() == 0.0 && double.abs() < MAX_EXACT);
            whole.map_or_else(|| value.clone(), |double| Value::from(double as i64))
        }
        other => other.clone(),
    }
}
