//! Which part of a run is measured: what begins like one of some names.

use std::collections::BTreeSet;

use xtask::error::Error;

/// Whether this part is wanted; every one is where none is named.
pub(super) fn wants(only: &[String], name: &str) -> bool {
    only.is_empty() || only.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether there is something for each of them.
///
/// # Errors
/// Nothing begins like one, or like several: all of them are named, and what there is.
pub(super) fn check<'n>(only: &[String], names: impl IntoIterator<Item = &'n str>) -> Result<(), Error> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let is_nothing = |beginning: &&String| !names.iter().any(|name| name.starts_with(*beginning));
    let wrong: Vec<String> =
        only.iter().filter(is_nothing).map(|beginning| format!("`{beginning}`")).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let there: Vec<&str> = names.into_iter().collect();
    let what = format!("--only: nothing that is measured begins like {}", wrong.join(" or "));
    Err(Error::unusable(what, format!("take what some of these begin with: {}", there.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["cold_HS256", "cold_RS256", "warm_HS256"];

    fn wanted(only: &[&str]) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(|text| (*text).to_owned()).collect();
        NAMES.into_iter().filter(|name| wants(&only, name)).collect()
    }

    fn refused(only: &[&str]) -> Option<String> {
        let only: Vec<String> = only.iter().map(|text| (*text).to_owned()).collect();
        check(&only, NAMES).err().map(|error| error.to_string())
    }

    #[test]
    fn what_begins_like_a_name_is_wanted_and_all_where_none_is_named() {
        assert_eq!(wanted(&[]), NAMES);
        assert_eq!(wanted(&["cold_", "warm_HS256"]), NAMES);
        assert_eq!(wanted(&["cold_R"]), ["cold_RS256"]);
    }

    #[test]
    fn every_name_that_nothing_begins_with_is_said_at_once_with_what_there_is() {
        assert_eq!(refused(&[]), None);
        assert_eq!(refused(&["cold_", "warm_HS256"]), None);
        let said = refused(&["cold_", "hot_", "HS256"]).unwrap();
        assert!(said.contains("`hot_` or `HS256`") && !said.contains("`cold_`"), "{said}");
        assert!(NAMES.iter().all(|name| said.contains(name)), "{said}");
    }
}
