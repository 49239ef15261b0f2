//! `require`: what a rule asks of verified claims.

use super::issuer::{CLAIM_PATH, ROLES};
use super::{Shape, Together, Without, object, text};
use crate::policy::requirement::{MAX_CONDITIONS, MAX_TEXT_BYTES};
use crate::requirement::MAX_WHOLE;

const SCALAR: Shape = Shape::Scalar { max_bytes: MAX_TEXT_BYTES, max_whole: MAX_WHOLE.unsigned_abs() };

object! {
    /// `require` of a rule.
    pub(super) REQUIREMENT Requirement
    about: "What must all be so.",
    together: &[Together::AtLeastOne(&["any_role", "all_roles", "claims"])],
    any_role {
        without: Without::Words("no such demand"),
        shape: ROLES,
        about: "The token has one of these roles.",
        example: r#"["admin", "rider"]"#,
    }
    all_roles {
        without: Without::Words("no such demand"),
        shape: ROLES,
        about: "The token has each of these roles.",
        example: r#"["rider"]"#,
    }
    claims {
        without: Without::Words("no such demand"),
        shape: Shape::distinct(&Shape::Object(&CONDITION), MAX_CONDITIONS),
        about: "Conditions on claims, each of which holds. They go with one issuer.",
        example: r#"[{ "path": ["scope"], "contains": "orders:read" }]"#,
    }
}

object! {
    /// One of `require.claims`.
    CONDITION Condition
    about: "A condition on one claim. Types are never converted: `\"7\"` is not `7`.",
    together: &[Together::ExactlyOne(&["equals", "one_of", "contains", "equals_param"])],
    path {
        without: Without::Error("the claim, as a list of member names such as [tenant, id]"),
        shape: CLAIM_PATH,
        about: "The names of the members that lead to the claim.",
        example: r#"["tenant", "id"]"#,
    }
    equals {
        without: Without::Words("one of the others"),
        shape: SCALAR,
        about: "The claim is this.",
        example: "7",
    }
    one_of {
        without: Without::Words("one of the others"),
        shape: Shape::distinct(&SCALAR, MAX_CONDITIONS),
        about: "The claim is one of these.",
        example: r#"["team", "company"]"#,
    }
    contains {
        without: Without::Words("one of the others"),
        shape: SCALAR,
        about: "The claim is an array that holds this, or a string of words separated by spaces that has this word.",
        example: r#""orders:read""#,
    }
    equals_param {
        without: Without::Words("one of the others"),
        shape: Shape::Text(text::ANY),
        about: "The claim is what stands in the path in the place of `{name}`, decoded. Every path of the rule has it.",
        example: r#""id""#,
    }
}
