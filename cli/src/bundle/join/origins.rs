//! Which file a part of the joined document comes from, so that a problem names the place where it is set right.

use std::collections::BTreeMap;
use std::fmt;

use bearward_core::problem::Problem as Found;

/// Something that is wrong, and the files and fields that it is about.
#[derive(Clone)]
pub(in crate::bundle) struct Problem {
    /// Files, each with the path of a field in it; none for the joined document as a whole.
    places: Vec<(String, String)>,
    text: String,
}

impl Problem {
    pub(super) fn of(file: &str, path: &str, text: impl Into<String>) -> Self {
        Self::between(&[(file, path)], text)
    }

    pub(super) fn between(places: &[(&str, &str)], text: impl Into<String>) -> Self {
        let own = |(file, path): &(&str, &str)| ((*file).to_owned(), (*path).to_owned());
        Self { places: places.iter().map(own).collect(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |(file, path): &(String, String)| match path.as_str() {
            "" => file.clone(),
            path => format!("{file}: {path}"),
        };
        let places: Vec<_> = self.places.iter().map(place).collect();
        match places.as_slice() {
            [] => write!(formatter, "the joined policy: {}", self.text),
            places => write!(formatter, "{}: {}", places.join(" and "), self.text),
        }
    }
}

/// Where the parts of a joined document come from.
pub(in crate::bundle) struct Origins<'p> {
    /// The files of the issuers by name.
    pub(super) issuers: BTreeMap<&'p str, &'p str>,
    /// In the order of the joined document: name, file, and position there.
    pub(super) policies: Vec<(&'p str, &'p str, usize)>,
    /// The files of all other members.
    pub(super) members: BTreeMap<&'p str, Vec<&'p str>>,
}

impl Origins<'_> {
    /// What the core found in the joined document, as a problem of the files.
    pub(in crate::bundle) fn problem(&self, found: &Found) -> Problem {
        let places = self.places(found);
        let text = match (places.is_empty(), found.path.as_str()) {
            (false, _) | (true, "") => found.text.clone(),
            (true, path) => format!("{path}: {}", found.text),
        };
        Problem { places, text }
    }

    fn places(&self, found: &Found) -> Vec<(String, String)> {
        let path = found.path.as_str();
        let same_path = |file: &&str| ((*file).to_owned(), path.to_owned());
        match path {
            "issuers" => {
                let named = self.issuers.iter().filter(|(name, _)| is_about(found, name));
                return named.map(|(name, file)| ((*file).to_owned(), format!("issuers.{name}"))).collect();
            }
            "policies" => {
                let named = self.policies.iter().filter(|(name, ..)| is_about(found, name));
                return named
                    .map(|(_, file, index)| ((*file).to_owned(), format!("policies[{index}]")))
                    .collect();
            }
            _ => {}
        }
        if let Some(rest) = path.strip_prefix("issuers.") {
            // A name that is wrong may be the beginning of another.
            let named = self.issuers.iter().filter(|(name, _)| is_below(rest, name));
            return named
                .max_by_key(|(name, _)| name.len())
                .map(|(_, file)| same_path(file))
                .into_iter()
                .collect();
        }
        if let Some((index, rest)) = path.strip_prefix("policies[").and_then(|rest| rest.split_once(']')) {
            let policy = index.parse().ok().and_then(|index: usize| self.policies.get(index));
            return policy
                .map(|(_, file, own)| ((*file).to_owned(), format!("policies[{own}]{rest}")))
                .into_iter()
                .collect();
        }
        let of_member = |(name, files): (&&str, &Vec<&str>)| {
            let shown = name.escape_debug().to_string();
            is_below(path, &shown).then(|| files.iter().map(same_path).collect::<Vec<_>>())
        };
        self.members.iter().find_map(of_member).unwrap_or_default()
    }
}

/// Whether the problem is about this one of several: those come first among what it quotes.
fn is_about(found: &Found, name: &str) -> bool {
    found.text.split('`').skip(1).step_by(2).take(2).any(|quoted| quoted == name)
}

/// Whether the path is that of the field, or of something in it.
fn is_below(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
