//! What the rule requires, condition by condition.

use super::Note;
use super::words::{claim, json, list, quoted};
use crate::claims::VerifiedClaims;
use crate::requirement::{Condition, Matched, Requirement, Scalar, Test};

pub(super) fn notes(requirement: &Requirement, claims: &VerifiedClaims, matched: Matched<'_>) -> Vec<Note> {
    if requirement.is_empty() {
        return vec![Note::good("nothing: a valid token suffices")];
    }
    let mut notes = Vec::new();
    let roles = match claims.roles() {
        [] => "the token has no roles".to_owned(),
        roles => format!("the token's roles are {}", list(roles)),
    };
    if !requirement.any_role.is_empty() {
        let any = requirement.has_any_role(claims);
        notes.push(Note::of(any, format!("one of the roles {}: {roles}", list(&requirement.any_role))));
    }
    if !requirement.all_roles.is_empty() {
        let all = requirement.has_all_roles(claims);
        notes.push(Note::of(all, format!("all of the roles {}: {roles}", list(&requirement.all_roles))));
    }
    notes.extend(requirement.conditions.iter().map(|condition| of_condition(condition, claims, matched)));
    notes
}

fn of_condition(condition: &Condition, claims: &VerifiedClaims, matched: Matched<'_>) -> Note {
    let path = claim(&condition.claim);
    let wanted = match &condition.test {
        Test::OneOf(values) => format!("the claim {path} must be one of {}", list(values.iter().map(text))),
        Test::Contains(value) => format!("the claim {path} must hold {}", quoted(text(value).as_bytes())),
        Test::EqualsParameter(name) => {
            let parameter = matched.patterns.iter().find_map(|pattern| pattern.parameter(name, matched.path));
            let shown =
                parameter.map_or_else(String::new, |text| format!(", here {}", quoted(text.as_bytes())));
            format!("the claim {path} must be `{{{name}}}` of the path{shown}")
        }
    };
    let found = match claims.lookup(&condition.claim) {
        Ok(Some(value)) => format!("it is {}", json(value)),
        Ok(None) => "the token lacks it".to_owned(),
        Err(_) => "what leads to it is no object".to_owned(),
    };
    Note::of(condition.check(claims, matched).is_ok(), format!("{wanted}: {found}"))
}

/// As a policy writes it.
fn text(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Scalar::Whole(number) => number.to_string(),
        Scalar::Truth(truth) => truth.to_string(),
    }
}
