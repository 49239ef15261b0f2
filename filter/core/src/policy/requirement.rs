//! `require`: what a rule asks of verified claims.

use serde_json::Value;

use super::fields;
use super::issuers::{claim_path, read_roles};
use super::read::Node;
use crate::requirement::{Condition, MAX_WHOLE, Requirement, Scalar, Test, whole};

/// The most conditions of a rule, and the most values of one.
pub(super) const MAX_CONDITIONS: usize = 32;
/// The longest text that a claim is compared with, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

pub(super) fn read(node: &Node<'_>) -> Option<Requirement> {
    let fields::Requirement { any_role, all_roles, claims } = node.fields()?;
    if any_role.is_none() && all_roles.is_none() && claims.is_none() {
        node.problem("must hold `any_role`, `all_roles` or `claims`");
    }
    let any_role = any_role.map(|node| read_roles(&node));
    let all_roles = all_roles.map(|node| read_roles(&node));
    let conditions = claims.map(|node| read_conditions(&node));
    Some(Requirement {
        any_role: any_role.unwrap_or_else(|| Some(vec![]))?,
        all_roles: all_roles.unwrap_or_else(|| Some(vec![]))?,
        conditions: conditions.unwrap_or_else(|| Some(vec![]))?,
    })
}

fn read_conditions(node: &Node<'_>) -> Option<Vec<Condition>> {
    let conditions: Vec<_> = node.distinct_items(MAX_CONDITIONS)?.iter().map(read_condition).collect();
    conditions.into_iter().collect()
}

fn read_condition(node: &Node<'_>) -> Option<Condition> {
    let fields::Condition { path, equals, one_of, contains, equals_param } = node.fields()?;
    let claim = path.and_then(|node| claim_path(&node));
    let tests = [
        equals.map(|node| scalar(&node).map(|value| Test::OneOf(vec![value]))),
        one_of.map(|node| scalars(&node).map(Test::OneOf)),
        contains.map(|node| scalar(&node).map(Test::Contains)),
        equals_param.map(|node| node.text().map(|name| Test::EqualsParameter(name.to_owned()))),
    ];
    let mut given = tests.into_iter().flatten();
    let test = given.next();
    if test.is_none() || given.next().is_some() {
        node.problem("must hold exactly one of `equals`, `one_of`, `contains`, `equals_param`");
        return None;
    }
    Some(Condition { claim: claim?, test: test?? })
}

fn scalars(node: &Node<'_>) -> Option<Vec<Scalar>> {
    let values: Vec<_> = node.distinct_items(MAX_CONDITIONS)?.iter().map(scalar).collect();
    values.into_iter().collect()
}

fn scalar(node: &Node<'_>) -> Option<Scalar> {
    match node.value {
        Value::String(text) if (1..=MAX_TEXT_BYTES).contains(&text.len()) => Some(Scalar::Text(text.clone())),
        Value::Bool(truth) => Some(Scalar::Truth(*truth)),
        Value::Number(number) => {
            let found = whole(number).filter(|number| (-MAX_WHOLE..=MAX_WHOLE).contains(number));
            if found.is_none() {
                node.problem("must be a whole number of less than 2^53: others are not exact everywhere");
            }
            found.map(Scalar::Whole)
        }
        _ => {
            node.problem(format!(
                "must be a string of 1 to {MAX_TEXT_BYTES} bytes, a whole number, true or false"
            ));
            None
        }
    }
}
