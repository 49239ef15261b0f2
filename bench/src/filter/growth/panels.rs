//! What grows.

use super::super::asks::{Asks, Tokens};
use super::super::grown;
use super::super::tokens::{ROLE, Wanted};
use super::super::variants::{Block, Filter, OWN, Revocations, Shape, side_by_side};

/// One question.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// How it is chosen by.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What there are so many of.
    pub(super) unit: &'static str,
    pub(super) points: Vec<Point>,
}

/// What is measured at one place of it.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// How many there are here.
    pub(super) at: f64,
    /// Which line it is on, where a filter has several.
    pub(super) series: &'static str,
    pub(super) block: Block,
    /// Which tokens the block's signer has.
    pub(super) wanted: Wanted,
    pub(super) workers: u32,
}

/// Of which tokens a known one is asked with, and of which each is new.
const KNOWN_AND_NEW: [(&str, Tokens); 2] = [("known", Tokens::Rotation(1)), ("new", Tokens::Cold)];
/// The signer of what does not ask for another.
const PLAIN: &str = "plain";

/// All of them; in a short run with little to grow.
pub(super) fn all(is_quick: bool) -> Vec<Panel> {
    let sizes = |long: &[usize], quick: &[usize]| if is_quick { quick.to_vec() } else { long.to_vec() };
    vec![
        rules(&sizes(&[10, 100, 1_000], &[10, 20])),
        roles(&sizes(&[1, 8, 64], &[1, 8])),
        length(&sizes(&[0, 1_000, 2_500, 5_000], &[0, 1_000])),
        distinct(&sizes(&[1, 10, 100, 1_000, 3_000, 6_000], &[1, 10])),
        revocations(&sizes(&[1, 10_000, 100_000], &[1, 500])),
        keys(&sizes(&[1, 8, 64], &[1, 8])),
        workers(),
    ]
}

fn panel(name: &'static str, title: &'static str, unit: &'static str, points: Vec<Point>) -> Panel {
    Panel { name, title, unit, points }
}

fn point(at: usize, series: &'static str, block: Block) -> Point {
    Point { at: at as f64, series, block, wanted: Wanted::new(OWN, 0), workers: 1 }
}

fn rules(counts: &[usize]) -> Panel {
    let mut points = Vec::new();
    for &count in counts {
        for (series, number) in [("first", 0), ("last", count - 1), ("none matches", count)] {
            let status = if number == count { 403 } else { 200 };
            let asks = Asks { path: grown::path(number), status, ..Asks::new(PLAIN, Tokens::Rotation(1)) };
            let shape = Shape { rules: Some(count), ..Shape::new(PLAIN) };
            let name = format!("rules_{count}_{}", series.replace(' ', "_"));
            points.push(point(count, series, side_by_side(name, asks, &shape)));
        }
    }
    panel("rules", "Rules, and which of them matches (a known token)", "rules", points)
}

fn roles(counts: &[usize]) -> Panel {
    let mut points = Vec::new();
    for &count in counts {
        // The one that the rule wants comes last.
        let mut roles: Vec<String> = (1..count).map(|number| format!("role-{number}")).collect();
        roles.push(ROLE.to_owned());
        let signer = format!("roles_{count}");
        for (series, tokens) in KNOWN_AND_NEW {
            let block =
                side_by_side(format!("{signer}_{series}"), Asks::new(&signer, tokens), &Shape::new(&signer));
            let wanted = Wanted { roles: roles.clone(), ..Wanted::new(OWN, 0) };
            points.push(Point { wanted, ..point(count, series, block) });
        }
    }
    panel("roles", "Roles in a token, the last of which is wanted", "roles", points)
}

fn length(paddings: &[usize]) -> Panel {
    let mut points = Vec::new();
    for &padding in paddings {
        let signer = format!("length_{padding}");
        for (series, tokens) in KNOWN_AND_NEW {
            let block =
                side_by_side(format!("{signer}_{series}"), Asks::new(&signer, tokens), &Shape::new(&signer));
            let wanted = Wanted { padding, ..Wanted::new(OWN, 0) };
            points.push(Point { wanted, ..point(padding, series, block) });
        }
    }
    panel("length", "Length of a token: its claims beyond those of ours", "bytes more", points)
}

fn distinct(counts: &[usize]) -> Panel {
    let of = |&count: &usize| {
        let asks = Asks::new(PLAIN, Tokens::Rotation(count));
        point(count, "", side_by_side(format!("distinct_{count}"), asks, &Shape::new(PLAIN)))
    };
    panel("distinct", "Different tokens in rotation", "tokens", counts.iter().map(of).collect())
}

fn revocations(counts: &[usize]) -> Panel {
    let mut points = Vec::new();
    for &count in counts {
        for (series, tokens) in KNOWN_AND_NEW {
            let name = format!("revocations_{count}_{series}");
            let mut block = side_by_side(name, Asks::new(PLAIN, tokens), &Shape::new(PLAIN));
            // The native one has no such thing.
            block.variants.retain(|variant| matches!(variant.filter, Filter::Bearward { .. }));
            for variant in &mut block.variants {
                let revocations = Some(Revocations(count as u64));
                variant.filter = Filter::bearward(Shape::new(PLAIN), revocations);
            }
            points.push(point(count, series, block));
        }
    }
    panel("revocations", "Records of the feed that is followed", "records", points)
}

fn keys(counts: &[usize]) -> Panel {
    let mut points = Vec::new();
    for &keys in counts {
        for (series, tokens) in KNOWN_AND_NEW {
            let shape = Shape { keys, ..Shape::new(PLAIN) };
            let block = side_by_side(format!("keys_{keys}_{series}"), Asks::new(PLAIN, tokens), &shape);
            points.push(point(keys, series, block));
        }
    }
    panel("keys", "Keys in the set, the last of which is used", "keys", points)
}

fn workers() -> Panel {
    let mut points = Vec::new();
    for workers in [1, 2] {
        // None that is new: each worker has a cache of its own, and connections as chance has it.
        for (series, tokens) in [("known", Tokens::Rotation(1)), ("bad signature", Tokens::BadSignature)] {
            let name = format!("workers_{workers}_{}", series.replace(' ', "_"));
            let block = side_by_side(name, Asks::new(PLAIN, tokens), &Shape::new(PLAIN));
            points.push(Point { workers, ..point(workers as usize, series, block) });
        }
    }
    panel("workers", "Workers of Envoy", "workers", points)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn every_filter_has_a_name_of_its_own_and_every_signer_the_same_tokens_wherever_it_is_asked_with() {
        let panels = all(false);
        let points = || panels.iter().flat_map(|panel| &panel.points);
        let names: Vec<&String> = points().flat_map(|of| &of.block.variants).map(|of| &of.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let mut signers = BTreeMap::new();
        for point in points() {
            let wanted = (&point.wanted.roles, point.wanted.padding);
            assert_eq!(*signers.entry(&point.block.asks.signer).or_insert(wanted), wanted, "{point:?}");
        }
    }
}
