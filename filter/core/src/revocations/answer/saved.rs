//! Records out of a file, for explanations: nothing is let in by them, and no signature is asked for.

use bearward_protocol::revocations::{FEED_TYPE, FeedRecord, MAX_ANSWER_BYTES};

use super::shape::{self, read_record};
use super::{Record, refusal};
use crate::issuer::normalized_type;
use crate::rejection::Rejection;
use crate::revocations::FeedRefusal;
use crate::token::{Header, UnverifiedJws};

/// Reads the records of a list of them, of the payload of an answer, or of an answer as it came. `iss`: whose feed it is.
///
/// # Errors
/// Why it is none of these.
pub fn read_saved(text: &[u8], iss: &str) -> Result<Vec<Record>, FeedRefusal> {
    let text = text.trim_ascii();
    match text.first() {
        Some(b'[') if shape::has_one_spelling(text, 1) => {
            let records: Vec<FeedRecord<'_>> =
                serde_json::from_slice(text).map_err(|_| FeedRefusal::Records)?;
            records.iter().map(|record| read_record(record).ok_or(FeedRefusal::Records)).collect()
        }
        Some(b'[') => Err(FeedRefusal::Records),
        Some(b'{') => shape::read(text, iss).map(|payload| payload.records),
        _ => {
            let decode = |segment: &[u8]| crate::base64url::decode(segment).ok_or(Rejection::TokenMalformed);
            let (jws, payload) =
                UnverifiedJws::parse_with(text, MAX_ANSWER_BYTES, Header::parse, decode).map_err(refusal)?;
            if jws.typ().map(normalized_type).as_deref() != Some(FEED_TYPE) {
                return Err(FeedRefusal::Type);
            }
            shape::read(&payload, iss).map(|payload| payload.records)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ISS;
    use crate::revocations::fixtures::Issuer;

    #[test]
    fn records_are_read_from_a_list_a_payload_and_an_answer() {
        let mut issuer = Issuer::new();
        issuer.end("s1");
        let payload = issuer.payload("wait=5").unwrap();
        let list = payload["records"].to_string();
        let answer = issuer.sign(&payload);
        for text in [list.as_bytes(), payload.to_string().as_bytes(), &[&answer[..], b"\n"].concat()] {
            assert_eq!(read_saved(text, ISS).unwrap().len(), 1);
        }
        assert_eq!(read_saved(&answer, "http://other.test"), Err(FeedRefusal::Issuer));
        assert_eq!(read_saved(b"[{\"sequence\":1,\"kind\":\"key\"}]", ISS), Err(FeedRefusal::Records));
        assert_eq!(read_saved(b"[[1,\"key\",\"k\"]]", ISS), Err(FeedRefusal::Records));
        assert_eq!(read_saved(b"", ISS), Err(FeedRefusal::Form));
    }
}
