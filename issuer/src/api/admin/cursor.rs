//! Where the next part of a list begins: opaque to clients, and nothing but a place, so none needs to be kept or signed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::number;
use crate::api::fields::Fields;
use crate::store::Place;

/// How much of a list is shown where nothing is said.
const USUAL: u32 = 50;
/// The most that is shown at once.
const MOST: u32 = 200;
/// The latest moment of a place, in microseconds since the epoch: beyond, PostgreSQL has no timestamps some day.
const LATEST_MICROS: i64 = 1 << 52;

/// The part of a list that is asked for. `None`: something is wrong and has been recorded.
pub(super) fn part<T>(
    fields: &mut Fields,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<(Option<T>, u32)> {
    let cursor = fields.take_optional("cursor", "Cursor", |text| {
        parse(&text).ok_or_else(|| "Cursor is none that was given out".to_owned())
    });
    let limit = fields.take_optional("limit", "Limit", |text| number(&text, 1, MOST));
    cursor.zip(limit.map(|limit| limit.unwrap_or(USUAL)))
}

pub(super) fn of_place(place: Place) -> String {
    let mut bytes = place.created_micros.to_be_bytes().to_vec();
    bytes.extend_from_slice(place.id.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn place(text: &str) -> Option<Place> {
    let mut bytes = [0; 24];
    let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    let (micros, id) = bytes.split_first_chunk::<8>()?;
    let place = Place { created_micros: i64::from_be_bytes(*micros), id: Uuid::from_slice(id).ok()? };
    (length == 24 && (0..=LATEST_MICROS).contains(&place.created_micros)).then_some(place)
}

pub(super) fn of_number(number: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(number.to_be_bytes())
}

pub(super) fn as_number(text: &str) -> Option<i64> {
    let mut bytes = [0; 8];
    let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (length == 8).then_some(i64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let there = Place { created_micros: 1_767_225_600_123_457, id: Uuid::from_u128(7) };
        assert_eq!(place(&of_place(there)), Some(there));
        assert_eq!(as_number(&of_number(42)), Some(42));
        for created_micros in [-1, i64::MAX] {
            assert_eq!(place(&of_place(Place { created_micros, ..there })), None);
        }
        for other in ["", "x", "!", &of_number(1), &"A".repeat(33), &"A".repeat(400)] {
            assert_eq!(place(other), None, "{other}");
        }
        assert_eq!(as_number(&of_place(there)), None);
    }
}
