//! What a rule requires of verified claims: roles, and conditions on any claim.

use serde_json::Value;

use crate::claims::VerifiedClaims;
use crate::path::CanonicalPath;
use crate::pattern::Pattern;
use crate::reading::Readings;
use crate::rejection::Rejection;

/// The greatest whole number in a condition. The next one is what a double, as which Envoy hands numbers over, makes of
/// several: only up to here is it exact everywhere (RFC 8259 section 6).
pub(crate) const MAX_WHOLE: i64 = (1 << 53) - 1;
/// The most items of a claim that a condition looks through.
const MAX_CLAIM_ITEMS: usize = 1024;

/// All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// One of these, unless the list is empty.
    pub(crate) any_role: Vec<String>,
    /// Each of these.
    pub(crate) all_roles: Vec<String>,
    /// Each of these.
    pub(crate) conditions: Vec<Condition>,
}

/// A condition on one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The names of the members that lead to it.
    pub(crate) claim: Vec<String>,
    pub(crate) test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// The claim is one of these.
    OneOf(Vec<Scalar>),
    /// The claim is an array that holds this, or a string of words separated by spaces that has this word, as `scope`
    /// (RFC 6749 section 3.3).
    Contains(Scalar),
    /// The claim is what stands in the path in the place of this parameter.
    EqualsParameter(String),
}

/// A value to compare with. Types are never converted: the text `"7"` is not the number 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text(String),
    Whole(i64),
    Truth(bool),
}

/// A path and the patterns of the rule that decides about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matched<'a> {
    pub(crate) path: &'a CanonicalPath<'a>,
    pub(crate) patterns: &'a [Pattern],
    /// The readings in which a pattern must match to count.
    pub(crate) readings: Readings,
}

impl Requirement {
    /// Whether the roles and claims suffice.
    ///
    /// # Errors
    /// [`Rejection::RoleMissing`], [`Rejection::ClaimMismatch`]; [`Rejection::ClaimsMalformed`] for a claim of a type that
    /// the condition cannot be about.
    pub(crate) fn check(&self, claims: &VerifiedClaims, matched: Matched<'_>) -> Result<(), Rejection> {
        if !self.has_any_role(claims) || !self.has_all_roles(claims) {
            return Err(Rejection::RoleMissing);
        }
        self.conditions.iter().try_for_each(|condition| condition.check(claims, matched))
    }

    pub(crate) fn has_any_role(&self, claims: &VerifiedClaims) -> bool {
        self.any_role.is_empty() || self.any_role.iter().any(|role| claims.roles().contains(role))
    }

    pub(crate) fn has_all_roles(&self, claims: &VerifiedClaims) -> bool {
        self.all_roles.iter().all(|role| claims.roles().contains(role))
    }

    /// Whether a valid token suffices.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The words of `scope` that the conditions ask for: what a client may request of its issuer (RFC 6750 section 3).
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match (&condition.claim[..], &condition.test) {
            ([claim], Test::Contains(Scalar::Text(word))) if claim == "scope" => Some(word.as_str()),
            _ => None,
        })
    }

    /// Every parameter that a condition names.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match &condition.test {
            Test::EqualsParameter(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Condition {
    pub(crate) fn check(&self, claims: &VerifiedClaims, matched: Matched<'_>) -> Result<(), Rejection> {
        let claim = claims.lookup(&self.claim)?.ok_or(Rejection::ClaimMismatch)?;
        if self.test.holds(claim, matched)? { Ok(()) } else { Err(Rejection::ClaimMismatch) }
    }
}

impl Test {
    fn holds(&self, claim: &Value, matched: Matched<'_>) -> Result<bool, Rejection> {
        match self {
            Self::OneOf(values) => {
                let claim = Claim::of(claim)?;
                Ok(values.iter().any(|value| claim.is(value)))
            }
            Self::Contains(value) => contains(claim, value),
            Self::EqualsParameter(name) => Ok(matched.parameter_is(name, &Claim::of(claim)?.text())),
        }
    }
}

fn contains(claim: &Value, value: &Scalar) -> Result<bool, Rejection> {
    match claim {
        Value::Array(items) if items.len() <= MAX_CLAIM_ITEMS => {
            let mut found = false;
            // Also after a hit: an array that holds something else is malformed wherever it stands.
            for item in items {
                found |= Claim::of(item)?.is(value);
            }
            Ok(found)
        }
        Value::String(words) => {
            Ok(matches!(value, Scalar::Text(word) if words.split(' ').any(|own| own == word)))
        }
        _ => Err(Rejection::ClaimsMalformed),
    }
}

/// A claim that is one value.
enum Claim<'a> {
    Text(&'a str),
    Whole(i64),
    /// A number that is no whole one: equal to nothing that a policy can name.
    Fraction,
    Truth(bool),
}

impl<'a> Claim<'a> {
    fn of(value: &'a Value) -> Result<Self, Rejection> {
        Ok(match value {
            Value::String(text) => Self::Text(text),
            Value::Bool(truth) => Self::Truth(*truth),
            Value::Number(number) => whole(number).map_or(Self::Fraction, Self::Whole),
            Value::Null | Value::Array(_) | Value::Object(_) => return Err(Rejection::ClaimsMalformed),
        })
    }

    fn is(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Text(own), Scalar::Text(text)) => own == text,
            (Self::Whole(own), Scalar::Whole(number)) => own == number,
            (Self::Truth(own), Scalar::Truth(truth)) => own == truth,
            _ => false,
        }
    }

    /// As it would stand in a path; nothing for what no path holds.
    fn text(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Whole(number) => number.to_string().into_bytes(),
            Self::Fraction | Self::Truth(_) => Vec::new(),
        }
    }
}

/// A whole number, also written as `7.0`; `None` for all others.
pub(crate) fn whole(number: &serde_json::Number) -> Option<i64> {
    let of_double = |double: f64| {
        let fits = double.fract() == 0.0 && double.abs() <= MAX_WHOLE as f64;
        fits.then_some(double as i64)
    };
    number.as_i64().or_else(|| number.as_f64().and_then(of_double))
}

impl Matched<'_> {
    /// Whether every pattern that matches has this in the place of the parameter. What some server could cut short or
    /// split is nobody's.
    fn parameter_is(self, name: &str, text: &[u8]) -> bool {
        let mut matching = self
            .patterns
            .iter()
            .filter(|pattern| !pattern.readings(self.path).within(self.readings).is_empty())
            .map(|pattern| pattern.parameter(name, self.path))
            .peekable();
        matching.peek().is_some()
            && !matches!(text.last(), None | Some(b'.' | b' '))
            && text.first() != Some(&b' ')
            && !text.iter().any(|byte| matches!(byte, b';' | b'/'))
            && matching.all(|segment| segment.is_some_and(|segment| segment.as_bytes() == text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    fn holds(test: &Test, claim: Value) -> Result<bool, Rejection> {
        let patterns = [Pattern::parse("/users/{id}/**").unwrap()];
        let path = CanonicalPath::parse(b"/users/u%2C7/orders").unwrap();
        test.holds(&claim, Matched { path: &path, patterns: &patterns, readings: Readings::ALL })
    }

    #[test]
    fn a_claim_is_compared_by_value_and_type() {
        let test = Test::OneOf(vec![text("7"), Scalar::Whole(8), Scalar::Truth(true)]);
        for (claim, expected) in [
            (json!("7"), true),
            (json!(7), false),
            (json!(8), true),
            (json!(8.0), true),
            (json!(8.5), false),
            (json!("8"), false),
            (json!(true), true),
            (json!(false), false),
            (json!("true"), false),
            (json!(u64::MAX), false),
        ] {
            assert_eq!(holds(&test, claim.clone()), Ok(expected), "{claim}");
        }
    }

    #[test]
    fn an_array_holds_an_item_and_a_scope_a_word() {
        let test = Test::Contains(text("read"));
        for (claim, expected) in [
            (json!(["write", "read"]), true),
            (json!(["reader"]), false),
            (json!([]), false),
            (json!("write read"), true),
            (json!("write reader"), false),
            (json!(""), false),
            (json!([7, "read"]), true),
        ] {
            assert_eq!(holds(&test, claim.clone()), Ok(expected), "{claim}");
        }
        assert_eq!(holds(&Test::Contains(Scalar::Whole(7)), json!([7])), Ok(true));
        assert_eq!(holds(&Test::Contains(Scalar::Whole(7)), json!("7")), Ok(false));
    }

    #[test]
    fn a_claim_of_a_type_that_the_condition_cannot_be_about_is_malformed() {
        for claim in [json!(null), json!(["7"]), json!({ "a": 1 })] {
            assert_eq!(
                holds(&Test::OneOf(vec![text("7")]), claim.clone()),
                Err(Rejection::ClaimsMalformed),
                "{claim}"
            );
        }
        for claim in
            [json!(null), json!(7), json!({ "read": 1 }), json!(["read", ["read"]]), json!(["read", null])]
        {
            assert_eq!(
                holds(&Test::Contains(text("read")), claim.clone()),
                Err(Rejection::ClaimsMalformed),
                "{claim}"
            );
        }
    }

    #[test]
    fn a_parameter_of_the_path_is_compared_decoded() {
        let test = Test::EqualsParameter("id".to_owned());
        assert_eq!(holds(&test, json!("u,7")), Ok(true));
        assert_eq!(holds(&test, json!("u%2C7")), Ok(false));
        assert_eq!(holds(&test, json!("u")), Ok(false));
        assert_eq!(holds(&test, json!("")), Ok(false));
        assert_eq!(holds(&Test::EqualsParameter("other".to_owned()), json!("u,7")), Ok(false));
    }
}
