//! The ways in which servers read a path, and sets of them.
//!
//! A server may fold letters, ignore a slash at the end, drop spaces around segments and dots at their end, or drop what
//! follows `;` in them. Each is a setting of its own (Express has `case sensitive routing` and `strict routing`), so all
//! combinations are looked at: two foldings together may hide a rule that one of them alone comes to. Which servers do
//! what is measured in `tests/decoders`.

use std::borrow::Cow;

use crate::wide::is_same;

/// What a server must fold for a pattern to match: none, some or all of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Foldings(u8);

impl Foldings {
    /// Nothing: it matches as it stands.
    pub const NONE: Self = Self(0);
    /// Letters of ASCII without case.
    pub const LETTERS: Self = Self(1);
    /// A slash at the end ignored.
    pub const SLASH: Self = Self(2);
    /// Spaces at either end of a segment and dots at its end dropped.
    pub const ENDS: Self = Self(4);
    /// `;` in a segment and what follows it dropped (RFC 3986 section 3.3).
    pub const PARAMETERS: Self = Self(8);
    /// Letters of every other script without case, by Unicode's simple and special case mappings.
    pub const SCRIPTS: Self = Self(16);
    /// Percent-encoding undone before anything is compared. Nearly everybody does; Express and Fastify compare reserved
    /// characters as the client wrote them, so that `%2C` is no comma.
    pub const DECODED: Self = Self(32);
    /// Nothing at the end of a path taken for a segment: `/a/` for `/a/{id}`, as Fastify does.
    pub const EMPTY: Self = Self(64);

    const ALL: [Self; 7] =
        [Self::LETTERS, Self::SLASH, Self::ENDS, Self::PARAMETERS, Self::SCRIPTS, Self::DECODED, Self::EMPTY];

    /// All that one or the other needs.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all that the other needs is folded here, too.
    #[must_use]
    pub const fn include(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(any(test, feature = "explain"))]
impl Foldings {
    /// What a server does that does the folding, and one that does not.
    pub(crate) const WORDS: [(Self, &'static str, &'static str); 7] = [
        (Self::LETTERS, "ignores the case of letters", "tells letters apart by case"),
        (Self::SLASH, "ignores a slash at the end", "does not ignore a slash at the end"),
        (
            Self::ENDS,
            "drops dots and spaces at the end of segments",
            "keeps dots and spaces at the end of segments",
        ),
        (Self::PARAMETERS, "drops `;` and what follows", "keeps `;` and what follows"),
        (
            Self::SCRIPTS,
            "ignores the case of letters of every script",
            "tells letters of other scripts apart",
        ),
        (Self::DECODED, "compares decoded", "does not decode before it compares"),
        (Self::EMPTY, "takes nothing for a segment", "takes nothing for no segment"),
    ];
}

/// A set of readings; each is a combination of foldings, the exact reading the one of none.
///
/// In memory where any word may be: what must lie at a multiple of 16 costs every function that holds one some instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(Rust, packed(8))]
pub struct Readings(u128);

impl Readings {
    /// No reading.
    pub const NONE: Self = Self(0);
    /// Every reading.
    pub const ALL: Self = Self(u128::MAX);

    /// The readings that fold at least this.
    #[must_use]
    pub fn folding(foldings: Foldings) -> Self {
        if foldings == Foldings::NONE {
            return Self::ALL;
        }
        let needed =
            Foldings::ALL.iter().zip(&Self::OF_EACH).filter(|(folding, _)| foldings.include(**folding));
        needed.fold(Self::ALL, |readings, (_, with)| readings.within(*with))
    }

    /// The readings that do one folding, for each of them.
    const OF_EACH: [Self; Foldings::ALL.len()] = {
        let [letters, slash, ends, parameters, scripts, decoded, empty] = Foldings::ALL;
        [
            Self::with(letters),
            Self::with(slash),
            Self::with(ends),
            Self::with(parameters),
            Self::with(scripts),
            Self::with(decoded),
            Self::with(empty),
        ]
    };

    const fn with(folding: Foldings) -> Self {
        let mut set = Self::NONE;
        let mut reading = 0;
        while reading < 1 << Foldings::ALL.len() {
            if Foldings(reading).include(folding) {
                set = set.or(Self::only(Foldings(reading)));
            }
            reading += 1;
        }
        set
    }

    /// The one reading that folds exactly this.
    #[must_use]
    pub const fn only(foldings: Foldings) -> Self {
        Self(1_u128.unbounded_shl(foldings.0 as u32))
    }

    /// Whether the reading that folds exactly this is among them.
    #[must_use]
    pub const fn hold(self, foldings: Foldings) -> bool {
        !self.within(Self::only(foldings)).is_empty()
    }

    /// One of them that does as little as can be otherwise than `home`.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn closest_to(self, home: Foldings) -> Option<Foldings> {
        let all = (0..1 << Foldings::ALL.len()).map(Foldings).filter(|reading| self.hold(*reading));
        all.min_by_key(|reading| (reading.0 ^ home.0).count_ones())
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both sets.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that the other set does not have.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// What has to be folded for the two to be one segment; `None` where no server takes one for the other. Neither is
/// percent-encoded any more.
#[must_use]
pub(crate) fn between(segment: &str, literal: &str) -> Option<Foldings> {
    if is_same(segment.as_bytes(), literal.as_bytes()) {
        return Some(Foldings::NONE);
    }
    if differ_in_letters(segment, literal) {
        return None;
    }
    match segment.split_once(';') {
        None => without_parameters(segment, literal),
        Some((bare, _)) => Some(without_parameters(bare, literal)?.and(Foldings::PARAMETERS)),
    }
}

/// Whether the first difference is one that no server folds: two letters of ASCII, say. Most rules differ so, and early: no
/// more work for those.
fn differ_in_letters(segment: &str, literal: &str) -> bool {
    let is_plain = |letter: char| !matches!(letter, ' ' | '.' | ';');
    let mut bytes = segment.bytes().zip(literal.bytes());
    match bytes.find(|(one, other)| !one.eq_ignore_ascii_case(other)) {
        Some((one, other)) if one.is_ascii() && other.is_ascii() => {
            is_plain(char::from(one)) && is_plain(char::from(other))
        }
        Some(_) => {
            let first = letters(segment).zip(letters(literal)).find(|(one, other)| one != other);
            first.is_some_and(|(one, other)| is_plain(one) && is_plain(other))
        }
        None => false,
    }
}

fn without_parameters(segment: &str, literal: &str) -> Option<Foldings> {
    if let Some(letters) = between_letters(segment, literal) {
        return Some(letters);
    }
    between_letters(without_ends(segment), without_ends(literal)).map(|letters| letters.and(Foldings::ENDS))
}

/// What has to be folded where the two differ in the case of letters only. Some servers know more letters than those of
/// ASCII: the Kelvin sign is a K to them.
fn between_letters(one: &str, other: &str) -> Option<Foldings> {
    if one == other {
        return Some(Foldings::NONE);
    }
    if one.eq_ignore_ascii_case(other) {
        return Some(Foldings::LETTERS);
    }
    letters(one).eq(letters(other)).then_some(Foldings::LETTERS.and(Foldings::SCRIPTS))
}

/// Two letters come to something else by Unicode's simple mappings (UnicodeData.txt), one character for one, as Java's
/// `equalsIgnoreCase` folds them, than by the special ones: a capital I with a dot to i, a capital sharp s to the small one.
/// The special one of the first is an i and a dot of its own, so that is passed over.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    let simple = |letter| match letter {
        '\u{130}' => 'i',
        '\u{1e9e}' => '\u{df}',
        other => other,
    };
    let folded = text.chars().map(simple).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    folded.filter(|letter| *letter != '\u{307}')
}

/// The same for any two segments that [`between`] finds a folding for, whichever of them stands in a pattern.
#[must_use]
pub(crate) fn key(segment: &str) -> Cow<'_, str> {
    let stays =
        |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase() && !matches!(byte, b' ' | b'.' | b';');
    if segment.bytes().all(stays) {
        return Cow::Borrowed(segment);
    }
    let bare = segment.split(';').next().unwrap_or(segment);
    let folded: String = letters(bare).collect();
    Cow::Owned(without_ends(&folded).to_owned())
}

/// The literal of a pattern as it is compared where letters are folded.
pub(crate) fn without_case(literal: &str) -> String {
    letters(literal).collect()
}

fn without_ends(segment: &str) -> &str {
    segment.trim_start_matches(' ').trim_end_matches([' ', '.'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Segments that are often alike to some server.
    fn segment() -> impl Strategy<Value = String> {
        "[aAbkKs .;\u{212a}\u{17f}\u{130}\u{307}\u{e9}\u{c9}\u{1e9e}\u{df}]{0,5}"
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_some_server_takes_for_the_same_has_the_same_key(one in segment(), other in segment()) {
            if between(&one, &other).is_some() {
                prop_assert_eq!(key(&one), key(&other));
            }
        }

        #[test]
        fn a_segment_and_what_is_left_of_it_have_the_same_key(one in segment(), ends in "[ .]{0,3}", parameter in "(;[a;]?)?") {
            let other = format!("{}{ends}{parameter}", one.to_uppercase());
            if between(&other, &one).is_some() {
                prop_assert_eq!(key(&one), key(&other));
            }
        }
    }

    #[test]
    fn a_pattern_that_needs_no_folding_matches_in_every_reading() {
        assert_eq!(Readings::folding(Foldings::NONE), Readings::ALL);
        assert!(Readings::ALL.hold(Foldings::NONE) && !Readings::NONE.hold(Foldings::NONE));
    }

    #[test]
    fn what_needs_two_foldings_matches_where_both_are_done() {
        let letters = Readings::folding(Foldings::LETTERS);
        let slash = Readings::folding(Foldings::SLASH);
        let both = Readings::folding(Foldings::LETTERS.and(Foldings::SLASH));
        assert_eq!(letters.within(slash), both);
        assert!(!letters.without(slash).is_empty() && !letters.hold(Foldings::NONE));
        assert_eq!(letters.without(slash).or(both), letters);
    }

    #[test]
    fn the_least_that_makes_two_segments_one_is_found() {
        let both = Some(Foldings::LETTERS.and(Foldings::ENDS));
        let scripts = Some(Foldings::LETTERS.and(Foldings::SCRIPTS));
        for (segment, literal, expected) in [
            ("a", "a", Some(Foldings::NONE)),
            ("", "", Some(Foldings::NONE)),
            ("A", "a", Some(Foldings::LETTERS)),
            ("a. ", "a", Some(Foldings::ENDS)),
            ("a", "a.", Some(Foldings::ENDS)),
            ("A.", "a", both),
            ("A\u{e9}", "a\u{e9}", Some(Foldings::LETTERS)),
            ("A\u{c9}", "a\u{e9}", scripts),
            ("\u{212a}", "k", scripts),
            (" ", "", Some(Foldings::ENDS)),
            ("  a", "a", Some(Foldings::ENDS)),
            (" A.", "a", both),
            ("a", " a", Some(Foldings::ENDS)),
            (".a", "a", None),
            ("b", "a", None),
            ("ab", "a", None),
            ("", "a", None),
            ("\u{130}d", "id", scripts),
            ("\u{130}d", "i\u{307}d", scripts),
            ("\u{1e9e}", "\u{df}", scripts),
            ("\u{1e9e}", "ss", scripts),
            ("\u{17f}", "S", scripts),
        ] {
            assert_eq!(between(segment, literal), expected, "{segment:?} {literal:?}");
        }
    }
}
