//! What must hold of every request under any policy, by its document.

mod again;
mod explained;
mod forwarded;

pub use self::explained::check_explanation;
pub(crate) use self::forwarded::unreserved;

use std::cell::RefCell;

use bearward_core::decide::Means;
use bearward_core::{Decision, LocalResponse, Rejection, Verdict, VerifiedTokens};

use crate::NOW;
use crate::document::{self, Access, Place, Spot, folded};
use crate::gate::{Gate, Headers, view};

impl Gate {
    /// Asserts what must hold of every request, and returns the verdict.
    ///
    /// # Panics
    /// If it does not.
    pub fn check(&self, headers: &[(Vec<u8>, Vec<u8>)]) -> Verdict<'_> {
        self.check_knowing(&RefCell::default(), headers)
    }

    /// The same where other requests came before, whose tokens are known.
    ///
    /// # Panics
    /// If it does not hold.
    pub fn check_knowing(
        &self,
        known: &RefCell<VerifiedTokens>,
        headers: &[(Vec<u8>, Vec<u8>)],
    ) -> Verdict<'_> {
        let verdict = self.decide(headers);
        assert_eq!(verdict, self.decide_knowing(known, headers), "a memory that is asked first");
        let means = Means::new(&self.keys, NOW);
        check_explanation(&self.policy, &view(headers), means, &verdict);
        if !known.borrow().is_empty() {
            assert_eq!(verdict, self.decide_knowing(known, headers), "and again");
        }
        match &verdict.decision {
            Decision::Forward(edits) => self.check_forwarded(known, headers, &verdict, edits),
            Decision::Reject(rejection) => {
                for grpc in [false, true] {
                    let response = LocalResponse::of(*rejection, grpc);
                    assert!(matches!(response.status, 400 | 401 | 403 | 503), "{response:?}");
                }
            }
        }
        self.check_without_credentials(known, headers, &verdict);
        self.check_with_forged_identity(known, headers, &verdict);
        self.check_stricter(known, headers, &verdict);
        if !known.borrow().is_empty() {
            self.check_sequence(known, headers);
        }
        verdict
    }

    /// The rule of a verdict, as the document has it.
    pub(crate) fn place(&self, verdict: &Verdict<'_>) -> Option<Place<'_>> {
        verdict.rule.map(|rule| Place::named(&self.document, rule))
    }

    /// Without a token only those rules let anything pass that say so.
    fn check_without_credentials(
        &self,
        known: &RefCell<VerifiedTokens>,
        headers: &[(Vec<u8>, Vec<u8>)],
        with: &Verdict<'_>,
    ) {
        let verdict = self.decide_knowing(known, &self.without_credentials(headers));
        // A query may be malformed where a token would stand.
        if with.rejection() != Some(Rejection::RequestMalformed) {
            assert_eq!(verdict.rule, with.rule, "credentials choose no rule");
        }
        match &verdict.decision {
            Decision::Forward(edits) => {
                let names = edits.iter().filter_map(|edit| edit.as_set()).map(|(name, _)| name);
                assert!(names.into_iter().all(|name| name == ":path"), "an identity without a token");
                let place = self.place(&verdict);
                let is_open = place.is_some_and(|place| place.access() != Access::Authenticated);
                assert!(is_open || verdict.observed.is_some(), "without a token: {:?}", verdict.rule);
            }
            Decision::Reject(_) => {}
        }
    }

    /// No place of the document holds anything any more. A fragment makes a target malformed, and stays.
    fn without_credentials(&self, headers: &[(Vec<u8>, Vec<u8>)]) -> Headers {
        let spots = document::all_spots(&self.document);
        let is_spot = |name: &[u8]| {
            folded(name) == b"cookie"
                || spots.iter().any(
                    |spot| matches!(spot, Spot::Header(own, _) if folded(own.as_bytes()) == folded(name)),
                )
        };
        let mut without = headers.to_vec();
        without.retain(|(name, _)| !is_spot(name));
        for (name, value) in &mut without {
            let query = value.iter().position(|byte| *byte == b'?').filter(|_| !value.contains(&b'#'));
            if let (true, Some(query)) = (name.eq_ignore_ascii_case(b":path"), query) {
                value.truncate(query);
            }
        }
        without
    }

    /// What a client says of itself changes nothing, and a header that asks for something else opens nothing.
    fn check_with_forged_identity(
        &self,
        known: &RefCell<VerifiedTokens>,
        headers: &[(Vec<u8>, Vec<u8>)],
        verdict: &Verdict<'_>,
    ) {
        let removes = |name: &str| self.policy.forwarding().removes(name.as_bytes());
        for name in
            document::OVERRIDES.iter().chain(&["x-user-id", "X_User.Roles", "x-user", "authorization"])
        {
            assert_eq!(removes(name), document::is_ours(&self.document, name.as_bytes()), "{name}");
        }
        let mut forged = headers.to_vec();
        for (name, _) in document::identity(&self.document) {
            assert!(removes(&name), "{name} is also the client's");
            forged.push((name.replace('-', "_").into_bytes(), b"admin".to_vec()));
            forged.push((name.into_bytes(), b"admin".to_vec()));
        }
        assert_eq!(&self.decide_knowing(known, &forged), verdict, "what a client says of itself");
        for name in document::OVERRIDES {
            forged.push((name.as_bytes().to_vec(), b"DELETE".to_vec()));
        }
        let with = self.decide_knowing(known, &forged);
        if with.rejection().is_none() {
            assert_eq!(verdict.rejection(), None, "a header that opens");
        }
    }

    /// Who is refused is refused also where less observes. A path that is ambiguous between a rule that observes and one
    /// that enforces is so no more where both enforce.
    fn check_stricter(
        &self,
        known: &RefCell<VerifiedTokens>,
        headers: &[(Vec<u8>, Vec<u8>)],
        verdict: &Verdict<'_>,
    ) {
        // They trust the same issuers, so that what one has proved is proved for the other.
        let means = Means { known: Some(known), ..Means::new(&self.keys, NOW) };
        for policy in &self.stricter {
            let stricter = policy.decide_by(&view(headers), means);
            if let Decision::Reject(rejection) = verdict.decision
                && rejection != Rejection::PathAmbiguous
            {
                assert_eq!(stricter.decision, verdict.decision, "refused where more observes");
            }
            if stricter.rejection().is_none() && verdict.rejection() != Some(Rejection::PathAmbiguous) {
                assert_eq!(stricter.decision, verdict.decision, "forwarded where less observes");
            }
        }
    }
}
