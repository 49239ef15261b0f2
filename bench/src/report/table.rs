use super::{Figure, Findings, Goal};
use crate::statistics::QUANTILES;

/// Where and how, the figures, the distributions, the notes.
pub(super) fn markdown(findings: &Findings) -> String {
    let settings: Vec<String> =
        findings.settings.iter().map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
    let mut text = format!("{} In this run: {}.\n", findings.machine.sentence(), settings.join(", "));
    text.push_str("\n| figure | median | least to greatest | goal | |\n|---|---:|---:|---:|---|\n");
    findings.figures.iter().for_each(|figure| text.push_str(&row(figure)));
    if !findings.distributions.is_empty() {
        text.push_str(&distributions(findings));
    }
    findings.drawings.iter().for_each(|drawing| text.push_str(&format!("\n{}\n", drawing.trim_end())));
    if !findings.notes.is_empty() {
        text.push('\n');
        findings.notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
    }
    text
}

fn row(figure: &Figure) -> String {
    let Figure { title, unit, spread, goal, .. } = figure;
    let median = spread.median();
    let (goal, verdict) = match goal {
        None => (String::new(), ""),
        Some(goal) => (words(*goal, unit), if goal.is_met(median) { "met" } else { "**missed**" }),
    };
    let range = match spread.rounds() {
        [_] => String::new(),
        _ => format!("{} to {}", number(spread.least()), number(spread.greatest())),
    };
    format!("| {title} | {} | {range} | {goal} | {verdict} |\n", with_unit(median, unit))
}

fn distributions(findings: &Findings) -> String {
    let names = QUANTILES.map(|(name, _)| name);
    let mut text = format!(
        "\n| milliseconds | answers | {} |\n|---|{}\n",
        names.join(" | "),
        "---:|".repeat(names.len() + 1)
    );
    for distribution in &findings.distributions {
        let latencies = &distribution.latencies;
        let quantiles = QUANTILES.map(|(_, share)| number(latencies.quantile_ms(share)));
        let row = format!("| {} | {} | {} |\n", distribution.title, latencies.count(), quantiles.join(" | "));
        text.push_str(&row);
    }
    text
}

fn words(goal: Goal, unit: &str) -> String {
    match goal {
        Goal::AtLeast(bound) => format!("at least {}", with_unit(bound, unit)),
        Goal::AtMost(bound) => format!("at most {}", with_unit(bound, unit)),
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{} {unit}", number(value)) }
}

/// Three digits: what is beyond them is noise.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1_000.0 {
        let magnitude = 10_f64.powi(size.log10().floor() as i32 - 2);
        return grouped((value / magnitude).round() * magnitude);
    }
    let decimals = if size >= 100.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// With a comma before every three digits.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::findings;
    use super::*;

    #[test]
    fn people_see_each_figure_beside_its_goal() {
        let text = findings().markdown();
        for line in [
            "| A | 1,100 /s | 1,000 to 1,200 | at least 1,000 /s | met |",
            "| B | 61.5 ms | 60.0 to 62.2 | at most 50.0 ms | **missed** |",
            "| C | 0.95 |  |  |  |",
            "| Logins | 1 | 12.0 | 12.0 | 12.0 | 12.0 | 12.0 | 12.0 |",
            "shown",
            "- It was noisy.",
        ] {
            assert!(text.lines().any(|of_text| of_text == line), "{line}\n{text}");
        }
        assert!(text.contains("In this run: rounds 3."), "{text}");
    }

    #[test]
    fn a_number_has_three_digits() {
        for (value, text) in [
            (0.0, "0.00"),
            (0.954, "0.95"),
            (38.26, "38.3"),
            (250.4, "250"),
            (1_234.0, "1,230"),
            (23_456.0, "23,500"),
            (1_234_567.0, "1,230,000"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
