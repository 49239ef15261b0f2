//! Numbers in Envoy's YAML: what the filter is handed is not always what stands there.

use serde_json::{Number, Value};

use crate::check::remark::Remark;

/// The numbers of a policy that Envoy, reading it as YAML, makes texts of: those with a fraction, and whole ones that have
/// more than 32 bits. A condition with such a text holds for no number, so nobody would ever get through.
pub(crate) fn handed_over_as_text(policy: &Value) -> Vec<Remark<'static>> {
    let mut problems = Vec::new();
    walk(policy, &mut String::new(), &mut problems);
    problems
}

fn walk(value: &Value, path: &mut String, problems: &mut Vec<Remark<'static>>) {
    let length = path.len();
    match value {
        Value::Number(number) if !keeps_its_type(number) => problems.push(Remark::of_policy(
            path,
            format!(
                "Envoy's YAML makes a text of {number}, which equals no number: write the policy as JSON, in a \
                 google.protobuf.StringValue"
            ),
        )),
        Value::Object(members) => {
            for (name, value) in members {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(value, path, problems);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(value, path, problems);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn keeps_its_type(number: &Number) -> bool {
    number.as_i64().is_some_and(|whole| i32::try_from(whole).is_ok())
}
