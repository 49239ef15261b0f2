//! Takes the fields out of a body and collects all that is wrong with them.

use serde_json::{Map, Value};

use super::error::{ApiError, FieldError};

/// The most problems that are reported at once.
const MAX_ERRORS: usize = 16;
/// The longest part of an unknown field's name that is repeated, in characters.
const MAX_SHOWN_CHARS: usize = 64;

/// The fields of a body, taken one after the other.
pub(crate) struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self { members, errors: Vec::new() }
    }

    /// Takes a string and parses it. `None`: something is wrong and has been recorded.
    ///
    /// `label` is the field's name as a sentence begins with it. `null` counts as absent.
    pub(crate) fn take<T>(
        &mut self,
        field: &str,
        label: &str,
        parse: impl FnOnce(String) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = match self.members.remove(field) {
            None | Some(Value::Null) => Err(format!("{label} is required")),
            Some(Value::String(text)) => parse(text),
            Some(_) => Err(format!("{label} must be a string")),
        };
        parsed.map_err(|error| self.errors.push(FieldError { field: field.to_owned(), error })).ok()
    }

    /// Takes a string that may be absent: `Some(None)` then.
    pub(crate) fn take_optional<T>(
        &mut self,
        field: &str,
        label: &str,
        parse: impl FnOnce(String) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.members.get(field) {
            None | Some(Value::Null) => {
                self.members.remove(field);
                Some(None)
            }
            Some(_) => self.take(field, label, parse).map(Some),
        }
    }

    /// All fields, if nothing was wrong and nothing is left over. A field that is ignored is a client's mistake that
    /// nobody notices: `role` at signup, above all.
    ///
    /// # Errors
    /// [`ApiError::Fields`]
    pub(crate) fn finish<T>(mut self, taken: Option<T>) -> Result<T, ApiError> {
        let unknown = self.members.keys().map(|name| {
            let shown: String = name.chars().take(MAX_SHOWN_CHARS).collect();
            FieldError { error: format!("Unknown field `{shown}`"), field: shown }
        });
        self.errors.extend(unknown);
        self.errors.truncate(MAX_ERRORS);
        match taken {
            Some(taken) if self.errors.is_empty() => Ok(taken),
            _ => Err(ApiError::Fields(self.errors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &Value) -> Fields {
        Fields::new(body.as_object().unwrap().clone())
    }

    fn errors<T>(result: Result<T, ApiError>) -> Vec<(String, String)> {
        match result {
            Err(ApiError::Fields(errors)) => errors.into_iter().map(|e| (e.field, e.error)).collect(),
            _ => panic!("no field was refused"),
        }
    }

    #[test]
    fn all_wrong_fields_are_reported_in_order_and_unknown_ones_last() {
        let mut fields =
            fields(&serde_json::json!({ "role": "admin", "email": 5, "name": null, "good": "x" }));
        let taken = (
            fields.take("name", "Name", Ok),
            fields.take("email", "Email", Ok),
            fields.take("good", "Good", Ok),
            fields.take("password", "Password", |_| Err::<(), _>("never asked".to_owned())),
        );
        let texts: Vec<_> = errors(fields.finish(Some(taken))).into_iter().map(|(_, text)| text).collect();
        let expected =
            ["Name is required", "Email must be a string", "Password is required", "Unknown field `role`"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_field_that_may_be_absent_is_held_to_its_rules_where_it_is_there() {
        let given = serde_json::json!({ "null": null, "wrong": 5, "good": "x" });
        let mut fields = fields(&given);
        assert_eq!(fields.take_optional("absent", "Absent", Ok), Some(None));
        assert_eq!(fields.take_optional("null", "Null", Ok), Some(None));
        assert_eq!(fields.take_optional("good", "Good", Ok), Some(Some("x".to_owned())));
        assert_eq!(fields.take_optional("wrong", "Wrong", Ok), None);
        assert_eq!(
            errors(fields.finish(Some(()))),
            [("wrong".to_owned(), "Wrong must be a string".to_owned())]
        );
    }

    #[test]
    fn the_number_and_length_of_what_is_repeated_is_bounded() {
        let long = "x".repeat(1000);
        let mut members = Map::from_iter([(long, Value::Null)]);
        members.extend((0..100).map(|n| (n.to_string(), Value::Null)));
        let errors = errors(Fields::new(members).finish(Some(())));
        assert_eq!(errors.len(), MAX_ERRORS);
        assert!(errors.iter().all(|(field, _)| field.len() <= MAX_SHOWN_CHARS));
    }
}
