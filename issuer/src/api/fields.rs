//! Takes the fields out of a body and collects all that is wrong with them.

use axum::extract::Query;
use axum::http::Uri;
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
    /// The parameters of a query.
    ///
    /// # Errors
    /// [`ApiError::Body`], where it is none, or names one twice.
    pub(crate) fn of_query(uri: &Uri) -> Result<Self, ApiError> {
        let wrong = ApiError::Body("Query must hold parameters, each once");
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return Err(wrong) };
        let mut members = Map::new();
        for (name, value) in pairs {
            if members.insert(name, Value::String(value)).is_some() {
                return Err(wrong);
            }
        }
        Ok(Self::new(members))
    }

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

    /// Whether the field is there, right or wrong.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// Records what is wrong with a field that was taken.
    pub(crate) fn check<T>(&mut self, field: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|error| self.errors.push(FieldError { field: field.to_owned(), error })).ok()
    }

    /// Takes a list of strings and parses each: all that is wrong in it is recorded. `None`, too, where it is absent.
    pub(crate) fn take_list<T>(
        &mut self,
        field: &str,
        label: &str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let items = match self.members.remove(field) {
            None | Some(Value::Null) => Err(format!("{label} is required")),
            Some(Value::Array(items)) if (1..=most).contains(&items.len()) => Ok(items),
            Some(_) => Err(format!("{label} must be a list of 1 to {most} strings")),
        };
        let items =
            items.map_err(|error| self.errors.push(FieldError { field: field.to_owned(), error })).ok()?;
        let parsed = items.iter().enumerate().map(|(index, item)| {
            let parsed = item.as_str().ok_or_else(|| "must be a string".to_owned()).and_then(&parse);
            parsed
                .map_err(|error| self.errors.push(FieldError { field: format!("{field}[{index}]"), error }))
                .ok()
        });
        // All of them, so that one problem does not hide the next.
        let parsed: Vec<_> = parsed.collect();
        parsed.into_iter().collect()
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
    fn everything_that_is_wrong_in_a_list_is_reported_with_its_place() {
        let body = serde_json::json!({ "good": ["a", "b"], "bad": ["a", 5, "no"], "none": [], "text": "a" });
        let mut fields = fields(&body);
        let parse = |text: &str| if text == "no" { Err("is no".to_owned()) } else { Ok(text.to_owned()) };
        assert_eq!(fields.take_list("good", "Good", 2, parse), Some(vec!["a".to_owned(), "b".to_owned()]));
        for field in ["bad", "none", "text", "absent"] {
            assert_eq!(fields.take_list(field, "X", 3, parse), None, "{field}");
        }
        let errors = errors(fields.finish(Some(())));
        let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["bad[1]", "bad[2]", "none", "text", "absent"]);
    }

    #[test]
    fn a_query_is_read_like_a_body_and_a_parameter_that_stands_twice_is_refused() {
        let of = |text: &str| Fields::of_query(&format!("/x{text}").parse().unwrap());
        let mut fields = of("?limit=5&email=a%40b.c").unwrap();
        assert_eq!(fields.take_optional("limit", "Limit", Ok), Some(Some("5".to_owned())));
        assert_eq!(fields.take_optional("email", "Email", Ok), Some(Some("a@b.c".to_owned())));
        assert_eq!(fields.take_optional("cursor", "Cursor", Ok), Some(None));
        assert!(fields.finish(Some(())).is_ok());
        assert!(matches!(of("?a=1&a=1"), Err(ApiError::Body(_))));
        assert!(errors(of("?unknown=1").unwrap().finish(Some(())))[0].1.contains("Unknown field"));
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
