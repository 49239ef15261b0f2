//! Everything that is measured side by side, and which of it is compared with which.

use bearward_core::algorithm::AlgorithmName;

/// The algorithms, in the order of the table.
pub(super) const ALGORITHMS: [AlgorithmName; 5] = [
    AlgorithmName::Hs256,
    AlgorithmName::Rs256,
    AlgorithmName::Es256,
    AlgorithmName::EdDsa,
    AlgorithmName::Ps256,
];

/// Of what does not depend on the algorithm: that of Bearward's own issuer.
pub(super) const OWN: AlgorithmName = AlgorithmName::EdDsa;

/// How many tokens are in rotation where several are warm.
pub(super) const ROTATION: usize = 1_000;

/// One listener, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) filter: Filter,
    pub(super) asks: Asks,
}

/// What stands before the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    None,
    /// A module that does nothing.
    Noop(Noop),
    /// Envoy's `jwt_authn` and `rbac`.
    Native {
        algorithm: AlgorithmName,
        cache: bool,
    },
    Bearward {
        algorithm: AlgorithmName,
        revocations: bool,
    },
}

/// What a module that does nothing does all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noop {
    /// It exports the callbacks that Bearward exports.
    Own,
    /// It exports every callback of the ABI.
    AllCallbacks,
    /// As the first, and it refuses every request.
    Refuses,
}

/// Which requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// Tokens in rotation, more than any cache holds.
    Cold(AlgorithmName),
    /// So many tokens in rotation, all of them known.
    Warm(AlgorithmName, usize),
    /// Tokens whose signature belongs to another token.
    BadSignature(AlgorithmName),
    NoToken,
    /// Without a token, for a host that has no routes.
    Refused,
}

impl Asks {
    /// The only status that an answer may have.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Cold(_) | Self::Warm(..) => 200,
            Self::BadSignature(_) | Self::NoToken => 401,
            Self::Refused => 404,
        }
    }
}

impl Variant {
    fn new(name: impl Into<String>, filter: Filter, asks: Asks) -> Self {
        Self { name: name.into(), filter, asks }
    }

    /// Whether every look-up in the filter's cache must find its token, or none; `None` where there is no cache.
    pub(super) fn cache_finds(&self) -> Option<bool> {
        match (self.filter, self.asks) {
            (Filter::Bearward { .. } | Filter::Native { cache: true, .. }, Asks::Warm(..)) => Some(true),
            (Filter::Bearward { .. }, Asks::Cold(_)) => Some(false),
            _ => None,
        }
    }
}

/// Every variant. Those without a filter come first.
pub(super) fn all() -> Vec<Variant> {
    let warm = Asks::Warm(OWN, 1);
    let mut all = vec![
        Variant::new(NONE, Filter::None, warm),
        Variant::new(NONE_AGAIN, Filter::None, warm),
        Variant::new(NONE_REFUSED, Filter::None, Asks::Refused),
        Variant::new("noop", Filter::Noop(Noop::Own), warm),
        Variant::new("noop_all_callbacks", Filter::Noop(Noop::AllCallbacks), warm),
        Variant::new("noop_refuses", Filter::Noop(Noop::Refuses), Asks::NoToken),
    ];
    for algorithm in ALGORITHMS {
        let name = algorithm.as_str();
        let asks = [
            (format!("cold_{name}"), Asks::Cold(algorithm)),
            (format!("warm_{name}"), Asks::Warm(algorithm, 1)),
            (format!("warm_{ROTATION}_{name}"), Asks::Warm(algorithm, ROTATION)),
        ];
        for (path, asks) in asks {
            let cache = matches!(asks, Asks::Warm(..));
            all.push(Variant::new(format!("native_{path}"), Filter::Native { algorithm, cache }, asks));
            let bearward = Filter::Bearward { algorithm, revocations: false };
            all.push(Variant::new(format!("bearward_{path}"), bearward, asks));
        }
    }
    let native = Filter::Native { algorithm: OWN, cache: false };
    let bearward = Filter::Bearward { algorithm: OWN, revocations: false };
    for (path, asks) in [("bad_signature", Asks::BadSignature(OWN)), ("no_token", Asks::NoToken)] {
        all.push(Variant::new(format!("native_{path}"), native, asks));
        all.push(Variant::new(format!("bearward_{path}"), bearward, asks));
    }
    let following = Filter::Bearward { algorithm: OWN, revocations: true };
    for (path, asks) in [("cold", Asks::Cold(OWN)), ("warm", Asks::Warm(OWN, 1))] {
        let name = format!("bearward_{path}_{}{REVOCATIONS}", OWN.as_str());
        all.push(Variant::new(name, following, asks));
    }
    all
}

/// Without a filter: what every other variant costs more than.
pub(super) const NONE: &str = "none";
/// The same once more: as far apart as the two are, so little is said by less.
pub(super) const NONE_AGAIN: &str = "none_again";
/// A request without a token that Envoy refuses for want of a route, with the same body: what such refusals by a filter cost
/// more than. One that is forwarded would not do: a filter that refuses spares Envoy the work of routing.
pub(super) const NONE_REFUSED: &str = "none_refused";

/// Bearward's variant over the native one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    /// As it stands in the JSON.
    pub(super) name: String,
    pub(super) ours: String,
    pub(super) theirs: String,
    /// The most that the ratio should be; `None` where it is only shown.
    pub(super) goal: Option<f64>,
}

/// Every path that both go.
pub(super) fn pairs(variants: &[Variant]) -> Vec<Pair> {
    let there = |name: &str| variants.iter().any(|variant| variant.name == name);
    let ours = variants.iter().filter_map(|variant| variant.name.strip_prefix("bearward_"));
    let pair = |path: &str| {
        // There is no native filter that follows a feed: it is compared with the one that does not.
        let theirs = format!("native_{}", path.strip_suffix(REVOCATIONS).unwrap_or(path));
        let ours = format!("bearward_{path}");
        there(&theirs).then(|| Pair { name: path.to_owned(), ours, theirs, goal: goal(path) })
    };
    ours.filter_map(pair).collect()
}

/// How the name of a variant ends that follows a feed of revocations.
pub(super) const REVOCATIONS: &str = "_revocations";

fn goal(path: &str) -> Option<f64> {
    match path {
        // The native one does less.
        _ if path.ends_with(REVOCATIONS) => None,
        _ if path.starts_with("warm_") => Some(0.7),
        "cold_HS256" => Some(0.6),
        "cold_RS256" => Some(0.7),
        "cold_ES256" => Some(0.8),
        "cold_EdDSA" => Some(0.9),
        "no_token" => Some(0.7),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_variant_of_bearward_is_compared_with_the_native_one_that_is_asked_the_same() {
        let variants = all();
        let of = |name: &str| variants.iter().find(|variant| variant.name == name).unwrap();
        let pairs = pairs(&variants);
        let ours = variants.iter().filter(|variant| matches!(variant.filter, Filter::Bearward { .. }));
        assert_eq!(pairs.len(), ours.count());
        for pair in &pairs {
            let (ours, theirs) = (of(&pair.ours), of(&pair.theirs));
            assert_eq!(ours.asks, theirs.asks, "{pair:?}");
            let cached = matches!(theirs.filter, Filter::Native { cache: true, .. });
            assert_eq!(cached, matches!(ours.asks, Asks::Warm(..)), "{pair:?}");
        }
    }

    #[test]
    fn every_variant_has_a_name_of_its_own() {
        let variants = all();
        let names: BTreeSet<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        assert_eq!(names.len(), variants.len());
    }

    #[test]
    fn every_goal_belongs_to_a_path_that_is_measured() {
        let goals = pairs(&all()).into_iter().filter_map(|pair| Some((pair.name, pair.goal?)));
        let goals: Vec<(String, f64)> = goals.filter(|(name, _)| !name.starts_with("warm_")).collect();
        let expected = [
            ("cold_HS256", 0.6),
            ("cold_RS256", 0.7),
            ("cold_ES256", 0.8),
            ("cold_EdDSA", 0.9),
            ("no_token", 0.7),
        ];
        assert_eq!(goals, expected.map(|(name, goal)| (name.to_owned(), goal)));
    }
}
