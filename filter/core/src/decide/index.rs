//! Which rules a path may come to, without a look at all of them.
//!
//! A tree of the segments of all patterns, as [`reading::key`] makes alike what some server may take for the same. It finds every rule
//! that [`Pattern::foldings`] would find, and a few more; whether and how a rule matches is decided there and nowhere else.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use crate::path::CanonicalPath;
use crate::pattern::{Pattern, Segment};
use crate::policy::Rule;
use crate::reading;

/// With fewer rules than this a look at all of them is no dearer.
const MIN_RULES: usize = 12;

/// The rules of a scope by their paths.
#[derive(Clone, Debug)]
pub(crate) struct RuleIndex {
    nodes: Vec<Node>,
}

/// What patterns have in common up to a segment.
#[derive(Clone, Debug, Default)]
struct Node {
    /// By the key of the next segment. Hashed without a seed: whoever writes the policy chooses what is in here.
    literals: HashMap<Box<str>, usize, BuildHasherDefault<DefaultHasher>>,
    /// Where the next one is `*`.
    any: Option<usize>,
    /// The rules of which a pattern ends here, or goes on with `**`, by their place in the scope.
    ends: Vec<usize>,
    rests: Vec<usize>,
}

/// The root of the tree.
const ROOT: usize = 0;

impl RuleIndex {
    /// `None` where it would not pay.
    pub(crate) fn of(rules: &[Rule]) -> Option<Self> {
        if rules.len() < MIN_RULES {
            return None;
        }
        let mut index = Self { nodes: vec![Node::default()] };
        for (number, rule) in rules.iter().enumerate() {
            rule.paths.iter().for_each(|pattern| index.insert(pattern, number));
        }
        Some(index)
    }

    fn insert(&mut self, pattern: &Pattern, rule: usize) {
        let mut at = ROOT;
        for segment in pattern.segments() {
            at = self.below(at, segment);
        }
        let Some(node) = self.nodes.get_mut(at) else { return };
        let rules = if pattern.has_rest() { &mut node.rests } else { &mut node.ends };
        if rules.last() != Some(&rule) {
            rules.push(rule);
        }
    }

    /// The node below one, which is made where it is not there.
    fn below(&mut self, at: usize, segment: &Segment) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let below = match segment {
            Segment::One => *node.any.get_or_insert(new),
            Segment::Literal(literal) => *node.literals.entry(reading::key(literal).into()).or_insert(new),
        };
        if below == new {
            self.nodes.push(Node::default());
        }
        below
    }

    /// The places of all rules that may match, in their order.
    pub(crate) fn candidates(&self, path: &CanonicalPath<'_>) -> Vec<usize> {
        let mut found = Vec::new();
        let mut reached = vec![ROOT];
        let segments = path.decoded();
        for (depth, segment) in segments.iter().enumerate() {
            let key = reading::key(&segment.text);
            // A slash at the end may be folded away.
            let is_end = depth + 1 == segments.len() && key.is_empty();
            let mut next = Vec::with_capacity(reached.len());
            for node in reached.iter().filter_map(|at| self.nodes.get(*at)) {
                found.extend_from_slice(&node.rests);
                if is_end {
                    found.extend_from_slice(&node.ends);
                }
                next.extend(node.literals.get(key.as_ref()).copied());
                next.extend(node.any);
            }
            reached = next;
        }
        for node in reached.iter().filter_map(|at| self.nodes.get(*at)) {
            found.extend_from_slice(&node.rests);
            found.extend_from_slice(&node.ends);
            // Or one be added.
            let slash = node.literals.get("").and_then(|at| self.nodes.get(*at));
            found.extend(slash.iter().flat_map(|slash| &slash.ends));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::{Access, Mode};

    fn rule(patterns: &[String]) -> Rule {
        Rule {
            name: String::new(),
            methods: None,
            paths: patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect(),
            access: Access::Public,
            mode: Mode::Enforce,
            when_stale: None,
        }
    }

    fn rules(patterns: &[Vec<String>]) -> Vec<Rule> {
        let few = patterns.iter().map(|patterns| rule(patterns));
        // So many that there is an index.
        few.chain((0..MIN_RULES).map(|number| rule(&[format!("/filler{number}")]))).collect()
    }

    fn matching(rules: &[Rule], path: &CanonicalPath<'_>) -> Vec<usize> {
        let does = |rule: &Rule| rule.paths.iter().any(|pattern| pattern.foldings(path).is_some());
        rules.iter().enumerate().filter(|(_, rule)| does(rule)).map(|(number, _)| number).collect()
    }

    #[test]
    fn only_what_lies_on_the_way_is_looked_at() {
        let patterns: Vec<_> = (0..1_000).map(|number| vec![format!("/api/part{number}/**")]).collect();
        let index = RuleIndex::of(&rules(&patterns)).unwrap();
        let path = |target: &'static str| CanonicalPath::parse(target.as_bytes()).unwrap();
        assert_eq!(index.candidates(&path("/api/part17/x/y")), [17]);
        assert_eq!(index.candidates(&path("/api/PART17")), [17]);
        assert!(index.candidates(&path("/api/none")).is_empty());
        assert!(index.candidates(&path("/")).is_empty());
    }

    #[test]
    fn a_few_rules_need_no_index() {
        assert!(RuleIndex::of(&[rule(&["/a".to_owned()])]).is_none());
    }

    fn pattern() -> impl Strategy<Value = String> {
        let segment = prop_oneof![3 => "[aAb]{1,2}", 1 => Just("*".to_owned()), 1 => "[ab](%20|\\.)?"];
        let end = prop_oneof![3 => Just(""), 1 => Just("/"), 1 => Just("/**")];
        (prop::collection::vec(segment, 1..4), end)
            .prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")))
    }

    fn target() -> impl Strategy<Value = String> {
        let segment = prop_oneof![3 => "[aAb]{1,2}", 1 => "[abB](%20|\\.|%C3%A9)?"];
        (prop::collection::vec(segment, 1..4), prop_oneof![Just(""), Just("/")])
            .prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn no_rule_that_matches_is_passed_over(
            patterns in prop::collection::vec(prop::collection::vec(pattern(), 1..3), 1..8),
            target in target(),
        ) {
            let rules = rules(&patterns);
            let Ok(path) = CanonicalPath::parse(target.as_bytes()) else { return Ok(()) };
            let candidates = RuleIndex::of(&rules).unwrap().candidates(&path);
            for number in matching(&rules, &path) {
                prop_assert!(candidates.contains(&number), "{} is not among {:?}", number, candidates);
            }
            prop_assert!(candidates.is_sorted());
        }
    }
}
