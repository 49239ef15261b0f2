//! What is measured: which listener is asked, with which tokens.

use bearward_core::algorithm::AlgorithmName;

/// The algorithms that are measured, each with everything.
pub(super) const ALGORITHMS: [AlgorithmName; 5] = [
    AlgorithmName::Hs256,
    AlgorithmName::Rs256,
    AlgorithmName::Es256,
    AlgorithmName::EdDsa,
    AlgorithmName::Ps256,
];
/// Those whose refusals are measured: one that the filter verifies itself, one that Envoy does for it.
pub(super) const REFUSED: [AlgorithmName; 2] = [AlgorithmName::EdDsa, AlgorithmName::Rs256];

/// What stands before the upstream in a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// No filter but the router.
    None,
    /// A filter in WebAssembly that does nothing, and exports only the callback that it has, or all there are.
    Nothing {
        all: bool,
    },
    /// `jwt_authn` and `rbac`.
    Native {
        algorithm: AlgorithmName,
        cache: bool,
    },
    /// The same, whose refusals are as long as ours.
    NativeRefusing {
        algorithm: AlgorithmName,
    },
    Bearward {
        algorithm: AlgorithmName,
    },
}

/// Which tokens are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    Absent,
    /// Always the same one.
    One,
    /// A thousand in rotation: fewer than a cache holds.
    Thousand,
    /// In rotation, and more than a cache holds: every one is new to it.
    Many,
    /// As many, of which no signature holds.
    Forged,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) listener: Listener,
    pub(super) tokens: Tokens,
    pub(super) algorithm: AlgorithmName,
    /// What every answer must be.
    pub(super) status: u16,
}

/// Two rows that are held against each other: ours and Envoy's own.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) ours: String,
    pub(super) native: String,
    /// The most that the quotient of what they add should be.
    pub(super) goal: Option<f64>,
}

/// The variant without any filter, and the same once more: how far they are apart is what the machine cannot tell.
pub(super) const NONE: [&str; 2] = ["none", "none_again"];

pub(super) fn all() -> Vec<Variant> {
    let row = |name: String, listener, tokens, algorithm, status| Variant {
        name,
        listener,
        tokens,
        algorithm,
        status,
    };
    let any = AlgorithmName::EdDsa;
    let mut rows: Vec<Variant> =
        NONE.iter().map(|name| row((*name).to_owned(), Listener::None, Tokens::One, any, 200)).collect();
    for (name, all) in [("nothing", false), ("nothing_all_callbacks", true)] {
        rows.push(row(name.to_owned(), Listener::Nothing { all }, Tokens::One, any, 200));
    }
    for algorithm in ALGORITHMS {
        let short = algorithm.as_str();
        let ours = Listener::Bearward { algorithm };
        let native = |cache| Listener::Native { algorithm, cache };
        for (kind, tokens, cache) in [
            ("warm", Tokens::One, true),
            ("warm_1000", Tokens::Thousand, true),
            ("cold", Tokens::Many, false),
        ] {
            rows.push(row(format!("bearward_{kind}_{short}"), ours, tokens, algorithm, 200));
            rows.push(row(format!("native_{kind}_{short}"), native(cache), tokens, algorithm, 200));
        }
        if REFUSED.contains(&algorithm) {
            rows.push(row(format!("bearward_forged_{short}"), ours, Tokens::Forged, algorithm, 401));
            let native = Listener::NativeRefusing { algorithm };
            rows.push(row(format!("native_forged_{short}"), native, Tokens::Forged, algorithm, 401));
        }
    }
    rows.push(row(
        "bearward_no_token".to_owned(),
        Listener::Bearward { algorithm: any },
        Tokens::Absent,
        any,
        401,
    ));
    let native = Listener::NativeRefusing { algorithm: any };
    rows.push(row("native_no_token".to_owned(), native, Tokens::Absent, any, 401));
    rows
}

pub(super) fn pairs() -> Vec<Pair> {
    let pair = |name: String, goal| Pair {
        ours: format!("bearward_{name}"),
        native: format!("native_{name}"),
        name,
        goal,
    };
    let mut pairs = Vec::new();
    for algorithm in ALGORITHMS {
        let short = algorithm.as_str();
        pairs.push(pair(format!("warm_{short}"), Some(0.7)));
        pairs.push(pair(format!("warm_1000_{short}"), Some(0.7)));
        let cold = match algorithm {
            AlgorithmName::Hs256 => Some(0.6),
            AlgorithmName::Rs256 => Some(0.7),
            AlgorithmName::Es256 => Some(0.8),
            AlgorithmName::EdDsa => Some(0.9),
            _ => None,
        };
        pairs.push(pair(format!("cold_{short}"), cold));
        if REFUSED.contains(&algorithm) {
            pairs.push(pair(format!("forged_{short}"), None));
        }
    }
    pairs.push(pair("no_token".to_owned(), Some(0.7)));
    pairs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pair_is_of_two_rows_that_differ_in_the_filter_alone() {
        let rows = all();
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), rows.len(), "no name twice");
        let row = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
        for pair in pairs() {
            let (ours, native) = (row(&pair.ours), row(&pair.native));
            assert_eq!(
                (ours.tokens, ours.algorithm, ours.status),
                (native.tokens, native.algorithm, native.status)
            );
            assert!(matches!(ours.listener, Listener::Bearward { .. }), "{ours:?}");
            let fitting = match native.listener {
                Listener::Native { cache, .. } => {
                    native.status == 200 && cache == matches!(native.tokens, Tokens::One | Tokens::Thousand)
                }
                Listener::NativeRefusing { .. } => native.status == 401,
                _ => false,
            };
            assert!(fitting, "{native:?}");
        }
    }
}
