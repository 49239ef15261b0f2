//! What goes on to the upstream: the path that was matched, who calls, and no token that nobody looked at.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bearward_core::{Edit, Edits, Verdict, VerifiedTokens};

use crate::caller::Caller;
use crate::document::{self, Access, Place, Spot, folded};
use crate::forge;
use crate::gate::{Gate, Headers};

impl Gate {
    pub(super) fn check_forwarded(
        &self,
        known: &RefCell<VerifiedTokens>,
        headers: &[(Vec<u8>, Vec<u8>)],
        verdict: &Verdict<'_>,
        edits: &Edits,
    ) {
        let place = self.place(verdict);
        if verdict.observed.is_some() {
            assert!(!self.stricter.is_empty(), "nothing observes, but a refusal is not carried out");
            assert!(place.is_none_or(|place| !place.enforces()), "{:?} enforces", verdict.rule);
        }
        let identity = identity(edits);
        let judged = place.filter(|place| place.access() != Access::Public);
        let mut callers = judged.map_or_else(Vec::new, |place| self.callers(headers, verdict, &place));
        callers.retain(|(_, caller)| caller.headers(&self.document) == identity);
        assert!(
            identity.is_empty() || !callers.is_empty(),
            "nobody is called {identity:?} by {:?} of {}",
            verdict.rule,
            lines(headers)
        );
        let asking =
            judged.filter(|place| place.access() == Access::Authenticated && verdict.observed.is_none());
        if let Some(place) = asking {
            let target = self.judged(values(headers, ":path").next().expect("a path"));
            callers.retain(|(_, caller)| caller.meets(place.requirement(), &target));
            assert!(!callers.is_empty(), "nobody who is called {identity:?} may");
        }
        let forwarded = self.forwarded(headers, edits);
        let is_known = verdict.observed.is_none() && !callers.is_empty();
        self.check_tokens(&forwarded, is_known.then_some(&callers));
        if verdict.rule.is_some() {
            self.check_target(headers, &forwarded);
            let again = self.decide_knowing(known, &forwarded);
            assert_eq!(again.rule, verdict.rule, "what is forwarded comes to another rule");
            if verdict.observed.is_none() && !document::removes_tokens(&self.document) {
                assert_eq!(again.rejection(), None, "what is forwarded would be refused");
            }
        }
    }

    /// Each token of ours that counts where it stands, and who calls by it.
    fn callers(
        &self,
        headers: &[(Vec<u8>, Vec<u8>)],
        verdict: &Verdict<'_>,
        place: &Place<'_>,
    ) -> Vec<(Vec<u8>, Caller)> {
        let Some(issuer) = verdict.issuer_name() else { return Vec::new() };
        assert!(place.issuers().contains(&issuer), "{issuer} is not trusted by {:?}", verdict.rule);
        let counts = |spot: &Spot<'_>| match spot {
            Spot::Cookie(name) => is_own_site(headers, &place.origins(name)),
            Spot::Header(..) | Spot::Query(_) => true,
        };
        let texts = place.spots().into_iter().filter(counts).flat_map(|spot| around(headers, spot));
        let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
        let words = texts.flat_map(|text| {
            text.split(|byte| !is_token(byte))
                .filter(|word| word.contains(&b'.'))
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        });
        words.filter_map(|word| Some((word.clone(), Caller::of(&self.document, issuer, &word)?))).collect()
    }

    /// What the upstream gets, but for headers that ask for something else: whether they are removed is asked apart.
    fn forwarded(&self, headers: &[(Vec<u8>, Vec<u8>)], edits: &Edits) -> Headers {
        let mut forwarded = headers.to_vec();
        for (name, _) in headers {
            let is_ours = document::is_ours(&self.document, name);
            assert_eq!(self.policy.forwarding().removes(name), is_ours, "{}", name.escape_ascii());
        }
        let own = document::identity(&self.document);
        forwarded.retain(|(name, _)| !own.iter().any(|(own, _)| folded(own.as_bytes()) == folded(name)));
        for edit in edits.iter() {
            match edit {
                Edit::Remove { name } => {
                    let spots = document::all_spots(&self.document);
                    let is_spot = |spot: &Spot<'_>| match spot {
                        Spot::Header(own, _) => folded(own.as_bytes()) == folded(name),
                        Spot::Cookie(_) => name == b"cookie",
                        Spot::Query(_) => false,
                    };
                    assert!(spots.iter().any(is_spot), "{} is removed", name.escape_ascii());
                    forwarded.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
                }
                Edit::Set { name, value } => {
                    assert!(matches!(&**name, ":path" | "cookie"), "{name} is set");
                    forwarded.retain(|(own, _)| !own.eq_ignore_ascii_case(name.as_bytes()));
                    forwarded.push((name.as_bytes().to_vec(), value.to_vec()));
                }
                Edit::Tell { name, .. } => {
                    let is_there = |(own, _): &(Vec<u8>, Vec<u8>)| folded(own) == folded(name.as_bytes());
                    assert!(!forwarded.iter().any(is_there), "{name} of the client's own is left");
                    assert!(self.policy.forwarding().removes(name.as_bytes()), "{name} is not removed");
                }
            }
        }
        forwarded
    }

    /// A place holds the token that was looked at, or nothing; where no token is to go on, none of ours.
    fn check_tokens(&self, forwarded: &[(Vec<u8>, Vec<u8>)], looked_at: Option<&Vec<(Vec<u8>, Caller)>>) {
        let removes = document::removes_tokens(&self.document);
        let last_word =
            |text: &[u8]| text.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default().to_vec();
        let mut filled = BTreeMap::new();
        for spot in document::all_spots(&self.document) {
            let texts = held(forwarded, spot);
            let counts = |text: &Vec<u8>| forge::signed(&last_word(text)).is_some() && is_after(spot, text);
            assert!(!removes || !texts.iter().any(counts), "a token goes on: {}", shown(&texts));
            // A header may be named with several schemes, and in capitals.
            let place = match spot {
                Spot::Header(name, _) => (0, name.to_ascii_lowercase()),
                Spot::Cookie(name) => (1, name.to_owned()),
                Spot::Query(name) => (2, name.to_owned()),
            };
            filled.insert(place, texts);
        }
        let filled: Vec<Vec<u8>> = filled.into_values().flatten().collect();
        if let Some(callers) = looked_at {
            assert!(filled.len() <= usize::from(!removes), "unread: {}", shown(&filled));
            let is_read = |text: &Vec<u8>| callers.iter().any(|(token, _)| *token == last_word(text));
            assert!(filled.iter().all(is_read), "unread: {}", shown(&filled));
        }
    }

    /// The bytes that were matched are forwarded, and of the query nothing is new.
    fn check_target(&self, headers: &[(Vec<u8>, Vec<u8>)], forwarded: &[(Vec<u8>, Vec<u8>)]) {
        let mut sent = values(headers, ":path");
        let (Some(sent), None) = (sent.next(), sent.next()) else { panic!("a rule without a path") };
        let gets = values(forwarded, ":path").next().expect("a path");
        let part =
            |target: &[u8], index| target.splitn(2, |byte| *byte == b'?').nth(index).map(<[u8]>::to_vec);
        assert_eq!(part(&self.judged(sent), 0), part(gets, 0), "another path");
        let parts = |target| {
            let query = part(target, 1).unwrap_or_default();
            query.split(|byte| b"&;".contains(byte)).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        let mut left = parts(sent).into_iter();
        let gets = parts(gets);
        assert!(gets == [b""] || gets.iter().all(|part| left.any(|own| own == *part)), "a query of our own");
    }

    /// The target with unreserved characters decoded, where the document says so.
    fn judged(&self, target: &[u8]) -> Vec<u8> {
        if self.document["paths"]["non_canonical"] != "replace" {
            return target.to_vec();
        }
        let mut parts = target.splitn(2, |byte| *byte == b'?');
        let mut judged = unreserved(parts.next().unwrap_or_default());
        if let Some(query) = parts.next() {
            judged.push(b'?');
            judged.extend_from_slice(query);
        }
        judged
    }
}

/// RFC 3986 section 6.2.2.2, once.
pub(crate) fn unreserved(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        rest = after;
        if let (b'%', [high, low, after @ ..]) = (byte, after)
            && let [decoded] = crate::caller::decoded(&[b'%', *high, *low])[..]
            && (decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded))
        {
            plain.push(decoded);
            rest = after;
        } else {
            plain.push(*byte);
        }
    }
    plain
}

/// The identity headers that are set, and that they can be sent.
fn identity(edits: &Edits) -> BTreeMap<String, String> {
    let set = edits.iter().filter_map(Edit::as_set).filter(|(name, _)| !matches!(*name, ":path" | "cookie"));
    let mut identity = BTreeMap::new();
    for (name, value) in set {
        assert!(value.iter().all(u8::is_ascii_graphic), "{name}: {value:?}");
        let value = String::from_utf8(value.to_vec()).expect("ASCII");
        assert_eq!(identity.insert(name.to_owned(), value), None, "{name} twice");
    }
    identity
}

fn shown(texts: &[Vec<u8>]) -> String {
    texts.iter().map(|text| text.escape_ascii().to_string()).collect::<Vec<_>>().join(" | ")
}

/// Whether a text stands where a token counts: in a header after its scheme, where there is one.
fn is_after(spot: Spot<'_>, text: &[u8]) -> bool {
    let first = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    match spot {
        Spot::Header(_, Some(scheme)) => first.eq_ignore_ascii_case(scheme.as_bytes()),
        Spot::Header(_, None) | Spot::Cookie(_) | Spot::Query(_) => true,
    }
}

/// Headers that make another method of it for some upstreams.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// Whether a cookie may count: what changes something comes from a page of one of these origins.
fn is_own_site(headers: &[(Vec<u8>, Vec<u8>)], origins: &[&str]) -> bool {
    let overrides =
        |name: &[u8]| METHOD_OVERRIDES.iter().any(|other| folded(other.as_bytes()) == folded(name));
    let asks_for_more =
        headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade") || overrides(name));
    let method = values(headers, ":method").next().unwrap_or_default();
    let sent: Vec<&[u8]> = values(headers, "origin").collect();
    let is_same = values(headers, "sec-fetch-site").any(|value| value == b"same-origin");
    match sent[..] {
        _ if [&b"GET"[..], b"HEAD", b"OPTIONS"].contains(&method) && !asks_for_more => true,
        [] => is_same,
        [origin] => origins.iter().any(|own| own.as_bytes() == origin),
        _ => false,
    }
}

/// All that stands where a token may.
fn around<'h>(headers: &'h [(Vec<u8>, Vec<u8>)], spot: Spot<'h>) -> Vec<&'h [u8]> {
    match spot {
        Spot::Header(name, _) => values(headers, name).collect(),
        Spot::Cookie(_) => values(headers, "cookie").collect(),
        Spot::Query(_) => values(headers, ":path").collect(),
    }
}

/// What a server finds that looks for exactly this name.
fn held(headers: &[(Vec<u8>, Vec<u8>)], spot: Spot<'_>) -> Vec<Vec<u8>> {
    let pairs = |values: Vec<&[u8]>, separator: u8, name: &str| {
        let pairs = values.into_iter().flat_map(move |value| value.split(move |byte| *byte == separator));
        let named = pairs.filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let is_it = pair[..at].trim_ascii() == name.as_bytes();
            is_it.then(|| pair[at + 1..].trim_ascii().to_vec())
        });
        named.collect::<Vec<_>>()
    };
    match spot {
        Spot::Header(name, _) => values(headers, name).map(|value| value.trim_ascii().to_vec()).collect(),
        Spot::Cookie(name) => pairs(values(headers, "cookie").collect(), b';', name),
        Spot::Query(name) => {
            let query = |target: &'_ [u8]| target.splitn(2, |byte| *byte == b'?').nth(1).map(<[u8]>::to_vec);
            let queries: Vec<_> = values(headers, ":path").filter_map(query).collect();
            pairs(queries.iter().map(Vec::as_slice).collect(), b'&', name)
        }
    }
}

fn values<'h>(headers: &'h [(Vec<u8>, Vec<u8>)], name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let is_it = move |own: &[u8]| own.eq_ignore_ascii_case(name.as_bytes());
    headers.iter().filter(move |(own, _)| is_it(own)).map(|(_, value)| value.as_slice())
}

/// Headers as a person reads them.
fn lines(headers: &[(Vec<u8>, Vec<u8>)]) -> String {
    let line =
        |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
    headers.iter().map(line).collect::<Vec<_>>().join("\n")
}
