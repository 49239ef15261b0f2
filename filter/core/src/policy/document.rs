//! The two forms in which a policy arrives: JSON text, or a serialized `google.protobuf.Struct`.
//!
//! Envoy's documentation says that it hands a Struct over as JSON; Envoy 1.40 hands over its protobuf bytes.

use prost::Message as _;
use prost_types::Struct;
use prost_types::value::Kind;
use serde_json::{Map, Number, Value};

use crate::json;
use crate::problem::Problems;

/// The tag of the only field of a Struct: field 1, length-delimited.
const STRUCT_TAG: u8 = 0x0a;

/// Reads either form. No text is both: a Struct with a field holds the byte 0x12, which JSON allows nowhere.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Problems> {
    let error = match json::parse(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match Struct::decode(bytes) {
        Ok(fields) if bytes.first() == Some(&STRUCT_TAG) => object(fields),
        _ => Err(Problems::of_document(format!("the policy is not JSON: {error}"))),
    }
}

/// Depth is bounded by prost, which refuses to decode what is nested deeper than 100 messages.
fn object(fields: Struct) -> Result<Value, Problems> {
    let members: Result<Map<_, _>, _> =
        fields.fields.into_iter().map(|(name, field)| Ok((name, value(field.kind)?))).collect();
    members.map(Value::Object)
}

fn value(kind: Option<Kind>) -> Result<Value, Problems> {
    Ok(match kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::NumberValue(double)) => Number::from_f64(double)
            .map(Value::Number)
            .ok_or_else(|| Problems::of_document("the policy holds a number that is infinite or none"))?,
        Some(Kind::StructValue(fields)) => object(fields)?,
        Some(Kind::ListValue(list)) => {
            Value::Array(list.values.into_iter().map(|item| value(item.kind)).collect::<Result<_, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::{ListValue, Value as Field};
    use serde_json::json;

    fn field(kind: Kind) -> Field {
        Field { kind: Some(kind) }
    }

    fn document(members: &[(&str, Kind)]) -> Vec<u8> {
        let fields = members.iter().map(|(name, kind)| ((*name).to_owned(), field(kind.clone()))).collect();
        Struct { fields }.encode_to_vec()
    }

    #[test]
    fn both_forms_are_read() {
        let list = Kind::ListValue(ListValue {
            values: vec![field(Kind::StringValue("a".to_owned())), field(Kind::BoolValue(true))],
        });
        let inner =
            Kind::StructValue(Struct { fields: [("n".to_owned(), field(Kind::NullValue(0)))].into() });
        let bytes = document(&[("version", Kind::NumberValue(1.0)), ("list", list), ("inner", inner)]);
        let expected = json!({ "version": 1.0, "list": ["a", true], "inner": { "n": null } });
        assert_eq!(read(&bytes).unwrap(), expected);
        assert_eq!(read(expected.to_string().as_bytes()).unwrap(), expected);
        assert_eq!(read(format!("\n{expected}").as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_struct_of_any_size_is_not_taken_for_json() {
        for length in 0..300 {
            let bytes = document(&[("a", Kind::StringValue("x".repeat(length)))]);
            assert_eq!(read(&bytes).unwrap()["a"].as_str().unwrap().len(), length);
        }
    }

    #[test]
    fn neither_form_is_an_error() {
        assert!(read(b"version: 1").unwrap_err().to_string().contains("not JSON"));
        assert!(read(b"").is_err());
        assert!(read(&document(&[("a", Kind::NumberValue(f64::NAN))])).is_err());
        assert!(read(&document(&[("a", Kind::NumberValue(1.0))])[..5]).is_err());
    }
}
