//! `...` alone on a line stands for any lines, or none; `[..]` in a line for anything, or nothing.

const LINES: &str = "...";
const ANYTHING: &str = "[..]";

/// Whether this is what came. Empty lines at its end count for nothing.
pub(super) fn stands_for(shown: &[String], came: &[String]) -> bool {
    let end = shown.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    all(&shown[..end], came)
}

fn all(shown: &[String], came: &[String]) -> bool {
    match (shown.split_first(), came.split_first()) {
        (None, _) => came.is_empty(),
        (Some((first, rest)), _) if first == LINES => {
            (0..=came.len()).any(|skipped| all(rest, &came[skipped..]))
        }
        (Some(_), None) => false,
        (Some((line, rest)), Some((own, others))) => is_line(line.trim_end(), own) && all(rest, others),
    }
}

fn is_line(shown: &str, came: &str) -> bool {
    let Some((start, rest)) = shown.split_once(ANYTHING) else { return shown == came };
    let Some(mut left) = came.strip_prefix(start) else { return false };
    let mut parts: Vec<_> = rest.split(ANYTHING).collect();
    let end = parts.pop().unwrap();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(end)
}

#[test]
fn each_stands_for_what_it_says_and_for_nothing_else() {
    let is = |shown: &[&str], came: &[&str]| {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        stands_for(&owned(shown), &owned(came))
    };
    for (shown, came) in [
        (&["a", "b"][..], &["a", "b"][..]),
        (&["a", "", ""], &["a"]),
        (&["..."], &[]),
        (&["..."], &["a", "b"]),
        (&["a", "...", "d"], &["a", "b", "c", "d"]),
        (&["a", "...", "d"], &["a", "d"]),
        (&["...", "b", "..."], &["b", "b", "c"]),
        (&["a[..]c"], &["abc"]),
        (&["a[..]c"], &["ac"]),
        (&["[..]b[..]d"], &["abcd"]),
        (&["[..]"], &[""]),
    ] {
        assert!(is(shown, came), "{shown:?} {came:?}");
    }
    for (shown, came) in [
        (&["a"][..], &["b"][..]),
        (&["a"], &["a", "b"]),
        (&["a", "b"], &["a"]),
        (&[], &["a"]),
        (&["a", "...", "d"], &["a", "b", "c"]),
        (&[" ..."], &["a"]),
        (&["a[..]c"], &["ab"]),
        (&["ab[..]bc"], &["abc"]),
        (&["[..]"], &["a", "b"]),
        (&["a..."], &["ab"]),
    ] {
        assert!(!is(shown, came), "{shown:?} {came:?}");
    }
}
