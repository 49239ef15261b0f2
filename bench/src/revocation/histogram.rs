/// How wide a class is, in milliseconds.
const CLASS_MS: f64 = 5.0;
/// How many classes there are; what is beyond them is counted in a last one.
const CLASSES: usize = 20;
/// How long the longest bar is.
const BAR: usize = 50;

/// A bar for each class of times, as a block of text.
pub(super) fn drawn(milliseconds: &[f64]) -> String {
    let mut counts = [0_usize; CLASSES + 1];
    for time in milliseconds {
        let class = ((time / CLASS_MS) as usize).min(CLASSES);
        if let Some(count) = counts.get_mut(class) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
    let mut text = "```text\nmilliseconds    samples\n".to_owned();
    for (class, count) in counts.iter().enumerate().take(last + 1) {
        let from = class as f64 * CLASS_MS;
        let name = if class == CLASSES {
            format!("{from:>4.0} or more")
        } else {
            format!("{from:>4.0} to {:<4.0}", from + CLASS_MS)
        };
        // Not even one of thousands is without a mark.
        let length = (count * BAR).div_ceil(most);
        text.push_str(format!("{name:<12} {count:>10} {}\n", "#".repeat(length)).trim_end());
        text.push('\n');
    }
    text.push_str("```\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_its_class_and_those_beyond_all_classes_in_the_last() {
        let text = drawn(&[0.0, 4.9, 5.0, 99.9, 100.0, 5_000.0]);
        let counts: Vec<&str> = text.lines().filter(|line| line.contains('#')).collect();
        assert_eq!(counts.len(), 4, "{text}");
        assert!(counts[0].starts_with("   0 to 5") && counts[0].contains(" 2 "), "{text}");
        assert!(counts[3].starts_with(" 100 or more") && counts[3].contains(" 2 "), "{text}");
    }
}
