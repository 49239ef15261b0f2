//! Everything that is measured side by side, and which of it is compared with which.

use bearward_core::algorithm::AlgorithmName;

use super::asks::{Asks, Tokens};

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
/// Of what is refused: one that the filter verifies itself, and one that Envoy verifies for it.
const REFUSED: [AlgorithmName; 2] = [OWN, AlgorithmName::Rs256];

/// What Envoy verifies for the filter, where it may be asked to.
pub(super) const BY_THE_HOST: [AlgorithmName; 2] = [AlgorithmName::Rs256, AlgorithmName::Es256];

/// How many tokens are in rotation where several are warm.
const ROTATION: usize = 1_000;

/// What is asked of several filters, one right after the other, and of none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// As its ratio stands in the JSON.
    pub(super) name: String,
    pub(super) asks: Asks,
    pub(super) variants: Vec<Variant>,
}

/// A filter, by the name of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) filter: Filter,
}

/// What stands before the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    None,
    /// A module that does nothing.
    Noop(Noop),
    /// Envoy's `jwt_authn` and `rbac`.
    Native {
        shape: Shape,
        cache: bool,
    },
    Bearward {
        shape: Shape,
        revocations: Option<Revocations>,
        /// Whether it verifies every signature itself, since it may not ask the host to.
        alone: bool,
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
    /// As the first, and it makes Bearward's hostcalls for a known token.
    Hostcalls,
    /// As that, and it has the host verify a signature.
    Verifies(AlgorithmName),
}

/// What both filters are configured for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whose tokens are good: a [`Signer`](super::tokens::Signer) by its name.
    pub(super) signer: String,
    /// How many rules instead of those that ship, each for a path of its own.
    pub(super) rules: Option<usize>,
    /// How many keys the set has, that of the signer being the last.
    pub(super) keys: usize,
}

impl Shape {
    /// As shipped, for the tokens of this signer.
    pub(super) fn new(signer: &str) -> Self {
        Self { signer: signer.to_owned(), rules: None, keys: 1 }
    }
}

/// How many sessions have ended that the feed tells of; with none of them is asked while it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Revocations(pub(super) u64);

impl Filter {
    /// As it ships: it asks the host for what the host can verify.
    pub(super) fn bearward(shape: Shape, revocations: Option<Revocations>) -> Self {
        Self::Bearward { shape, revocations, alone: false }
    }
}

impl Variant {
    fn new(name: impl Into<String>, filter: Filter) -> Self {
        Self { name: name.into(), filter }
    }

    /// Which listener it is asked at.
    pub(super) fn listener(&self) -> &str {
        if self.filter == Filter::None { NONE } else { &self.name }
    }

    /// Whether every look-up in the filter's cache must find its token, or none; `None` where there is no cache.
    pub(super) fn cache_finds(&self, asks: &Asks) -> Option<bool> {
        match (&self.filter, asks.tokens) {
            (Filter::Bearward { .. } | Filter::Native { cache: true, .. }, Tokens::Warm(_)) => Some(true),
            (Filter::Bearward { .. }, Tokens::Cold) => Some(false),
            _ => None,
        }
    }
}

/// The listener without a filter, and the row of what is measured there a second time: as far as that is from the first
/// time, so little is said by less.
pub(super) const NONE: &str = "none";

/// Everything that is measured where no filter follows a feed.
pub(super) fn all() -> Vec<Block> {
    let own = || OWN.as_str().to_owned();
    let mut none = without_filter();
    none.variants.push(Variant::new("noop", Filter::Noop(Noop::Own)));
    none.variants.push(Variant::new("noop_all_callbacks", Filter::Noop(Noop::AllCallbacks)));
    let mut blocks = vec![none];
    for algorithm in ALGORITHMS {
        let name = algorithm.as_str();
        for (kind, tokens) in [("cold", Tokens::Cold), ("warm", Tokens::Warm(1))] {
            let mut block =
                side_by_side(format!("{kind}_{name}"), Asks::new(name, tokens), &Shape::new(name));
            if algorithm == OWN && tokens != Tokens::Cold {
                block.variants.push(Variant::new("noop_hostcalls", Filter::Noop(Noop::Hostcalls)));
            }
            if tokens == Tokens::Cold && BY_THE_HOST.contains(&algorithm) {
                let filter = Filter::Bearward { shape: Shape::new(name), revocations: None, alone: true };
                block.variants.push(Variant::new(format!("bearward_{}{ALONE}", block.name), filter));
                let noop = Filter::Noop(Noop::Verifies(algorithm));
                block.variants.push(Variant::new(format!("noop_verifies_{name}"), noop));
            }
            blocks.push(block);
        }
        let rotation = Asks::new(name, Tokens::Warm(ROTATION));
        blocks.push(side_by_side(format!("warm_{ROTATION}_{name}"), rotation, &Shape::new(name)));
    }
    for algorithm in REFUSED {
        let name = algorithm.as_str();
        let asks = Asks::new(name, Tokens::BadSignature);
        blocks.push(side_by_side(format!("bad_signature_{name}"), asks, &Shape::new(name)));
    }
    let mut no_token =
        side_by_side("no_token".to_owned(), Asks::new(&own(), Tokens::Absent), &Shape::new(&own()));
    no_token.variants.push(Variant::new("noop_refuses", Filter::Noop(Noop::Refuses)));
    blocks.push(no_token);
    blocks
}

/// The same of each algorithm with revocations and without. In an Envoy of their own: each VM that follows a feed has ticks of its
/// own, which disturb what is measured beside it.
pub(super) fn following() -> Vec<Block> {
    let mut blocks = vec![without_filter()];
    for algorithm in ALGORITHMS {
        let name = algorithm.as_str();
        for (kind, tokens) in [("cold", Tokens::Cold), ("warm", Tokens::Warm(1))] {
            let mut block = side_by_side(
                format!("{kind}_{name}{REVOCATIONS}"),
                Asks::new(name, tokens),
                &Shape::new(name),
            );
            let filter = Filter::bearward(Shape::new(name), Some(Revocations(1)));
            if let Some(ours) = block.variants.last_mut() {
                let without = Variant::new(format!("{}{OFF}", ours.name), ours.filter.clone());
                ours.filter = filter;
                block.variants.push(without);
            }
            blocks.push(block);
        }
    }
    blocks
}

/// Those of both, as if they stood in one Envoy.
#[cfg(test)]
pub(super) fn every() -> Vec<Block> {
    all().into_iter().chain(following().into_iter().filter(|block| block.name != NONE)).collect()
}

/// What everything is held against, a second time.
fn without_filter() -> Block {
    Block {
        name: NONE.to_owned(),
        asks: Asks::new(OWN.as_str(), Tokens::Warm(1)),
        variants: vec![Variant::new(NONE, Filter::None)],
    }
}

/// Envoy's own filters and Bearward, of one shape.
pub(super) fn side_by_side(name: String, asks: Asks, shape: &Shape) -> Block {
    let cache = matches!(asks.tokens, Tokens::Warm(_) | Tokens::Rotation(_));
    let native = Filter::Native { shape: shape.clone(), cache };
    let bearward = Filter::bearward(shape.clone(), None);
    let variants = vec![
        Variant::new(format!("native_{name}"), native),
        Variant::new(format!("bearward_{name}"), bearward),
    ];
    Block { name, asks, variants }
}

/// How the name of a block ends whose filters follow a feed of revocations.
const REVOCATIONS: &str = "_revocations";
/// And of the variant beside them that follows none.
const OFF: &str = "_off";
/// And of one that verifies all by itself.
const ALONE: &str = "_alone";

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

/// Every variant of Bearward with the native one of its block. There is no native filter that follows a feed: what does is
/// compared with one that does not.
pub(super) fn pairs(blocks: &[Block]) -> Vec<Pair> {
    let of_block = |block: &Block| {
        let is_native = |variant: &&Variant| matches!(variant.filter, Filter::Native { .. });
        let theirs = block.variants.iter().find(is_native).map(|variant| variant.name.clone());
        let pair = |variant: &Variant| {
            let name = variant.name.strip_prefix("bearward_")?.to_owned();
            let goal = goal(&name);
            Some(Pair { name, ours: variant.name.clone(), theirs: theirs.clone()?, goal })
        };
        block.variants.iter().filter_map(pair).collect::<Vec<_>>()
    };
    blocks.iter().flat_map(of_block).collect()
}

fn goal(path: &str) -> Option<f64> {
    match path {
        // The native one does less; and the same without has its goal where nothing disturbs it.
        _ if path.contains(REVOCATIONS) => None,
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
    fn only_an_envoy_of_its_own_follows_a_feed_and_there_each_algorithm_does_and_does_not() {
        let of = |blocks: &[Block]| -> Vec<(AlgorithmName, bool, bool)> {
            let mut found = Vec::new();
            for block in blocks {
                for variant in &block.variants {
                    if let Filter::Bearward { revocations, .. } = &variant.filter {
                        let algorithm = AlgorithmName::parse(&block.asks.signer).unwrap();
                        found.push((algorithm, block.asks.tokens == Tokens::Cold, revocations.is_some()));
                    }
                }
            }
            found
        };
        assert!(of(&all()).iter().all(|(_, _, follows)| !follows));
        let found = of(&following());
        assert_eq!(found.len(), 4 * ALGORITHMS.len());
        for algorithm in ALGORITHMS {
            for cold in [true, false] {
                assert!([true, false].iter().all(|follows| found.contains(&(algorithm, cold, *follows))));
            }
        }
    }

    #[test]
    fn every_variant_of_bearward_is_compared_with_the_native_one_that_is_asked_the_same() {
        let blocks = every();
        let pairs = pairs(&blocks);
        let variants = || blocks.iter().flat_map(|block| &block.variants);
        let ours = variants().filter(|variant| matches!(variant.filter, Filter::Bearward { .. }));
        assert_eq!(pairs.len(), ours.count());
        for pair in &pairs {
            let has = |block: &&Block, name: &str| block.variants.iter().any(|of| of.name == name);
            let block = blocks.iter().find(|block| has(block, &pair.ours)).unwrap();
            assert!(has(&block, &pair.theirs), "{pair:?}");
            let theirs = block.variants.iter().find(|of| of.name == pair.theirs).unwrap();
            let cached = matches!(theirs.filter, Filter::Native { cache: true, .. });
            assert_eq!(cached, matches!(block.asks.tokens, Tokens::Warm(..)), "{pair:?}");
        }
    }

    #[test]
    fn every_variant_has_a_name_of_its_own() {
        let blocks = every();
        let names: Vec<&str> =
            blocks.iter().flat_map(|block| &block.variants).map(|of| of.name.as_str()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn every_goal_belongs_to_a_path_that_is_measured() {
        let goals = pairs(&every()).into_iter().filter_map(|pair| Some((pair.name, pair.goal?)));
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
