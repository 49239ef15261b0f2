//! The members of one object, as tokens have them: few, read once and looked up some times.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{Strict, twice};

/// So many are told apart one by one as they come; of more, all names are sorted at the end.
const FEW: usize = 32;
/// Room for the claims of an ordinary token, so that it is made once.
const USUAL: usize = 12;
/// And for their names, in bytes.
const USUAL_NAMES: usize = 96;

/// The members of an object, no two of one name, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// All names, one after the other.
    names: String,
    list: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    label: Label,
    /// Where its name begins.
    start: usize,
    value: Value,
}

/// What names are told apart by first: how long they are, and their first eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Label {
    head: u64,
    length: usize,
}

impl Label {
    const HEAD_BYTES: usize = 8;

    #[inline]
    fn of(name: &str) -> Self {
        let head = name.as_bytes().first_chunk().copied().unwrap_or_else(|| {
            let mut head = [0; Self::HEAD_BYTES];
            head.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
            head
        });
        Self { head: u64::from_le_bytes(head), length: name.len() }
    }

    /// One bit of 64, which says that another label is another where theirs differ.
    fn bit(self) -> u64 {
        // 2^64 divided by the golden ratio: the highest bits of the product depend on all of the label.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        1 << ((self.head ^ self.length as u64).wrapping_mul(SPREAD) >> 58)
    }

    /// Whether it says all of the name.
    fn is_whole(self) -> bool {
        self.length <= Self::HEAD_BYTES
    }
}

impl Members {
    /// The member of this name.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.find(Label::of(name), name)
    }

    /// Names and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.list.iter().map(|member| (self.name(member), &member.value))
    }

    /// How much memory they take, in bytes, but for what the values take elsewhere.
    pub(crate) fn own_bytes(&self) -> usize {
        self.list.capacity().saturating_mul(size_of::<Member>()).saturating_add(self.names.capacity())
    }

    fn find(&self, label: Label, name: &str) -> Option<&Value> {
        let is_this =
            |member: &&Member| member.label == label && (label.is_whole() || self.name(member) == name);
        self.list.iter().find(is_this).map(|member| &member.value)
    }

    fn name(&self, member: &Member) -> &str {
        let end = member.start.saturating_add(member.label.length);
        self.names.get(member.start..end).unwrap_or_default()
    }

    /// Whether there is one already of the name that was written last. `seen`: the bits of those that there are.
    fn has(&self, label: Label, start: usize, seen: u64) -> bool {
        seen & label.bit() != 0
            && self.list.len() < FEW
            && self.find(label, self.names.get(start..).unwrap_or_default()).is_some()
    }

    /// A name that occurs twice, where there are more than a few.
    fn repeated(&self) -> Option<&str> {
        if self.list.len() <= FEW {
            return None;
        }
        let mut names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.array_windows().find(|[one, other]| one == other).map(|[one, _]| *one)
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        let pairs = members.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        Self::Object(pairs.collect::<Map<_, _>>())
    }
}

/// Parses one JSON text that must be an object; see [`parse_object`](super::parse_object).
///
/// # Errors
/// The same.
pub fn parse_members(text: &[u8]) -> Result<Members, serde_json::Error> {
    // Once for all of its strings.
    let text = str::from_utf8(text).map_err(serde_json::Error::custom)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = StrictObject.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(members)
}

struct StrictObject;

impl<'de> DeserializeSeed<'de> for StrictObject {
    type Value = Members;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StrictObject {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
        let below = Strict { depth: 0 }.below()?;
        let names = String::with_capacity(USUAL_NAMES);
        let mut members = Members { names, list: Vec::with_capacity(USUAL) };
        let mut seen = 0;
        loop {
            let start = members.names.len();
            let Some(label) = entries.next_key_seed(Name { before: &mut members.names })? else { break };
            let value = entries.next_value_seed(below)?;
            if members.has(label, start, seen) {
                return Err(twice(members.names.get(start..).unwrap_or_default()));
            }
            seen |= label.bit();
            members.list.push(Member { label, start, value });
        }
        match members.repeated() {
            Some(name) => Err(twice(name)),
            None => Ok(members),
        }
    }
}

/// Writes a name behind those that came before.
struct Name<'m> {
    before: &'m mut String,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Label;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Label, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Label;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Label, E> {
        self.before.push_str(name);
        Ok(Label::of(name))
    }
}

#[cfg(test)]
mod tests {
    use bearward_protocol::bounds::MAX_JSON_DEPTH;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json::parse_object;

    #[test]
    fn a_member_is_found_by_its_name_and_nothing_else() {
        let members = parse_members(br#"{"a":1,"ab":{"a":2},"b":[]}"#).unwrap();
        assert_eq!((members.get("a"), members.get("ab")), (Some(&json!(1)), Some(&json!({ "a": 2 }))));
        assert_eq!((members.get(""), members.get("A"), members.get("abc")), (None, None, None));
        assert_eq!(Value::from(members), json!({ "a": 1, "ab": { "a": 2 }, "b": [] }));
    }

    #[test]
    fn names_that_begin_alike_are_told_apart() {
        let names =
            ["a\0", "a", "a\0\0", "", "12345678", "1234567", "123456789", "123456780", "12345678\u{e9}"];
        let written = |(place, name): (usize, &&str)| format!("{}:{place}", json!(name));
        let text = names.iter().enumerate().map(written).collect::<Vec<_>>().join(",");
        let members = parse_members(format!("{{{text}}}").as_bytes()).unwrap();
        for (place, name) in names.iter().enumerate() {
            assert_eq!(members.get(name), Some(&json!(place)), "{name:?}");
        }
        for other in ["\0", "a\0\0\0", "12345679", "1234567890", "12345678\u{ea}"] {
            assert_eq!(members.get(other), None, "{other:?}");
        }
        assert!(members.iter().map(|(name, _)| name).eq(names));
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused_among_few_and_among_many_wherever_it_stands() {
        for count in [2, FEW, FEW + 1, 10 * FEW] {
            for place in [0, 1, FEW - 1, FEW, count - 1] {
                let mut names: Vec<String> = (0..count).map(|number| format!("\"n{number}\":0")).collect();
                let all = format!("{{{}}}", names.join(","));
                assert_eq!(parse_members(all.as_bytes()).unwrap().iter().len(), count);
                names.insert(place.min(count), format!("\"n{}\":1", count - 1));
                let text = format!("{{{}}}", names.join(","));
                let said = parse_members(text.as_bytes()).unwrap_err().to_string();
                assert!(said.contains(&format!("member `n{}` occurs twice", count - 1)), "{said}");
            }
        }
    }

    #[test]
    fn long_names_are_told_apart_whatever_their_strings_say_and_an_error_tells_no_value() {
        for count in [1, 2, FEW - 1, FEW, FEW + 1, FEW + 2] {
            let other = |number: usize| format!(r#""tenant_i{number:02}":"tenant_id""#);
            let mut members: Vec<String> = (1..count).map(other).collect();
            members.push(r#""tenant_id":"secret""#.to_owned());
            let text = |members: &[String]| format!("{{{}}}", members.join(","));
            let found = parse_members(text(&members).as_bytes()).unwrap();
            assert_eq!(found.iter().len(), count);
            assert_eq!(found.get("tenant_id"), Some(&json!("secret")));
            assert_eq!(found.get("tenant_i01"), (count > 1).then_some(&json!("tenant_id")));
            for value in ["other", ""] {
                let twice = [members.clone(), vec![format!(r#""tenant_id":"{value}""#)]].concat();
                let said = parse_members(text(&twice).as_bytes()).unwrap_err().to_string();
                assert!(said.starts_with("member `tenant_id` occurs twice"), "{count}: {said}");
            }
        }
    }

    fn json_text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-c]{0,2}".prop_map(|name| format!("{name:?}")),
            Just("1e400".to_owned()),
            Just("-0.5".to_owned()),
            Just("null".to_owned()),
            Just("\"\\u0061\"".to_owned()),
            "[\\[\\]{}:,tx ]{1,3}",
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn what_is_taken_is_what_the_other_reader_takes(
            text in json_text(),
            members in prop::collection::vec(("[a-d\u{e9}]{1,2}|member of [a-h]{1,3}", 0..3_u8), 0..60),
        ) {
            let written = |(name, value): &(String, u8)| match value {
                0 => format!("{name:?}:{{{name:?}:[1]}}"),
                1 => format!("{name:?}:\"v\""),
                _ => format!("{name:?}:{text}"),
            };
            let object = format!("{{{}}}", members.iter().map(written).collect::<Vec<_>>().join(","));
            for text in [text, object] {
                let (own, other) = (parse_members(text.as_bytes()), parse_object(text.as_bytes()));
                prop_assert_eq!(own.ok().map(Value::from), other.ok().map(Value::Object), "{}", text);
            }
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(parse_members(text.as_bytes()).unwrap_err().to_string().contains("twice"), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded_as_everywhere() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(parse_members(nested(MAX_JSON_DEPTH).as_bytes()).is_ok());
        assert!(parse_members(nested(MAX_JSON_DEPTH + 1).as_bytes()).is_err());
    }
}
