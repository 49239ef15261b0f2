//! The two configurations with many rules in place of those that ship: each for a path of its own, and for the same role.

use std::fmt::Write;

use xtask::error::Error;

/// The path that only the rule of this number is for; of a number that there is not, no rule is.
pub(super) fn path(number: usize) -> String {
    format!("/api/area-{number}/4711/tours")
}

/// Bearward's, with as many rules.
///
/// # Errors
/// The text is not as it was.
pub(super) fn bearward(text: &str, rules: Option<usize>) -> Result<String, Error> {
    let Some(count) = rules else { return Ok(text.to_owned()) };
    let mut rules = String::new();
    for number in 0..count {
        let paths = format!("/api/area-{number}/{{id}}/tours");
        let requires = "require: { any_role: [admin, rider] }";
        let _ = writeln!(
            rules,
            "{:16}- {{ name: area-{number}, methods: [GET], paths: [\"{paths}\"], {requires} }}",
            ""
        );
    }
    between(text, "              rules:\n", "          forward:\n", &rules)
}

/// That of Envoy's own filters: as many policies of `rbac`, found by the beginning of the path, which is dearer in no case than
/// a pattern.
///
/// # Errors
/// The text is not as it was.
pub(super) fn native(text: &str, rules: Option<usize>) -> Result<String, Error> {
    let Some(count) = rules else { return Ok(text.to_owned()) };
    let (before, policy) = text.split_once(POLICIES).ok_or_else(|| changed(POLICIES))?;
    let (_, principals) = policy.split_once(PRINCIPALS).ok_or_else(|| changed(PRINCIPALS))?;
    let mut policies = String::new();
    for number in 0..count {
        // In this order they are tried: by their names.
        let _ = writeln!(policies, "        area-{number:04}:");
        let path = format!("{{ prefix: /api/area-{number}/ }}");
        let _ = writeln!(policies, "          permissions: [{{ url_path: {{ path: {path} }} }}]");
        let _ = write!(policies, "{PRINCIPALS}{principals}");
    }
    Ok(format!("{before}{POLICIES}{policies}"))
}

const POLICIES: &str = "      policies:\n";
const PRINCIPALS: &str = "          principals:\n";

fn between(text: &str, begin: &str, end: &str, new: &str) -> Result<String, Error> {
    let (before, rest) = text.split_once(begin).ok_or_else(|| changed(begin))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| changed(end))?;
    Ok(format!("{before}{begin}{new}{end}{after}"))
}

fn changed(what: &str) -> Error {
    let what = format!("no `{}` where it should be", what.trim());
    Error::unusable(what, "adapt bench/src/filter/grown.rs to bench/filter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_rules_take_the_place_of_those_that_ship() {
        let ours = bearward(include_str!("../../filter/bearward.yaml"), Some(3)).unwrap();
        assert_eq!(ours.matches("- { name: ").count(), 3, "{ours}");
        assert!(ours.contains("paths: [\"/api/area-2/{id}/tours\"]") && ours.contains("x-user-id"), "{ours}");
        let theirs = native(include_str!("../../filter/native.yaml"), Some(3)).unwrap();
        assert_eq!(theirs.matches("principals:").count(), 3, "{theirs}");
        assert!(theirs.contains("prefix: /api/area-2/ }") && !theirs.contains("any: true"), "{theirs}");
    }
}
