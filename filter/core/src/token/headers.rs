//! JOSE headers that were read before: those of one key's tokens are the same to the byte.

use std::rc::Rc;

use super::Header;
use crate::wide::are_same;

/// The most headers that are kept, and the longest, in bytes of base64url.
const MAX_HEADERS: usize = 8;
const MAX_HEADER_BYTES: usize = 512;

/// What the first segments of some tokens say, which is a matter of their bytes alone. Only those of tokens that held are kept, so
/// that nobody else decides which.
#[derive(Debug, Default)]
pub(crate) struct KnownHeaders {
    kept: Vec<(Box<[u8]>, Rc<Header>)>,
    /// Whose place is taken next.
    next: usize,
}

impl KnownHeaders {
    /// What this segment says, where that is known.
    pub(super) fn get(&self, segment: &[u8]) -> Option<Rc<Header>> {
        let known = self.kept.iter().find(|(own, _)| are_same(own, segment).into());
        known.map(|(_, header)| Rc::clone(header))
    }

    /// Keeps what the first segment of a token said that has held.
    pub(crate) fn keep(&mut self, token: &[u8], header: Rc<Header>) {
        if self.kept.iter().any(|(_, own)| Rc::ptr_eq(own, &header)) {
            return;
        }
        let Some(segment) = token.split(|byte| *byte == b'.').next() else { return };
        if segment.len() > MAX_HEADER_BYTES || self.get(segment).is_some() {
            return;
        }
        let entry = (segment.into(), header);
        match self.kept.get_mut(self.next) {
            Some(place) => *place = entry,
            None => self.kept.push(entry),
        }
        self.next = self.next.saturating_add(1) % MAX_HEADERS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    fn segment(number: usize) -> String {
        base64url::encode(format!(r#"{{"alg":"EdDSA","kid":"{number}"}}"#).as_bytes())
    }

    fn keep(known: &mut KnownHeaders, segment: &str) {
        known.keep(format!("{segment}.e30.AA").as_bytes(), Header::parse(segment.as_bytes()).unwrap());
    }

    #[test]
    fn a_header_says_what_it_said_when_it_was_read_and_another_is_not_known() {
        let mut known = KnownHeaders::default();
        keep(&mut known, &segment(1));
        assert_eq!(known.get(segment(1).as_bytes()).unwrap().kid.as_deref(), Some("1"));
        let part = segment(1).split_off(1);
        for other in [segment(2), part, format!("{}A", segment(1)), String::new()] {
            assert!(known.get(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn the_oldest_goes_where_there_is_no_place_and_what_is_long_is_not_kept() {
        let mut known = KnownHeaders::default();
        for number in 0..=MAX_HEADERS {
            keep(&mut known, &segment(number));
            keep(&mut known, &segment(number));
        }
        let is_known = |number: usize| known.get(segment(number).as_bytes()).is_some();
        let held: Vec<_> = (0..=MAX_HEADERS).filter(|number| is_known(*number)).collect();
        assert_eq!(held, (1..=MAX_HEADERS).collect::<Vec<_>>());
        let long = base64url::encode(format!(r#"{{"alg":"EdDSA","x":"{}"}}"#, "x".repeat(400)).as_bytes());
        keep(&mut known, &long);
        assert!(known.get(long.as_bytes()).is_none());
    }
}
