//! How it is told: a table for people, JSON for machines, a drawing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::rounds::Measured;
use super::variants::{NONE, Variant};
use super::verdict::{Ratio, added};
use crate::statistics::Spread;

/// Everything that was found.
pub(super) struct Findings {
    pub(super) variants: Vec<Variant>,
    pub(super) measured: BTreeMap<String, Measured>,
    pub(super) ratios: Vec<Ratio>,
    /// Where, how, and with what, in sentences.
    pub(super) conditions: String,
}

impl Findings {
    /// What a variant adds in each round, in microseconds of the worker's CPU time.
    fn added(&self, name: &str) -> Option<Spread> {
        Spread::of(added(&self.measured, name, |measured| &measured.worker_us))
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", self.conditions);
        text.push_str("| Bearward to `jwt_authn` + `rbac` | median | least to greatest | 95 % | goal | | less? |\n|---|---:|---:|---:|---:|---|---|\n");
        for ratio in &self.ratios {
            let median = ratio.spread.median();
            let (goal, met) = match ratio.goal {
                None => (String::new(), ""),
                Some(goal) => (format!("{goal:.1}"), if median <= goal { "met" } else { "**missed**" }),
            };
            let _ = writeln!(
                text,
                "| {} | {median:.2} | {:.2} to {:.2} | {:.2} to {:.2} | {goal} | {met} | {} |",
                words(&ratio.name),
                ratio.spread.least(),
                ratio.spread.greatest(),
                ratio.low,
                ratio.high,
                ratio.verdict()
            );
        }
        text.push_str("\n| variant | added CPU of the worker | least to greatest | of the process | requests per second | p50 | p99 |\n|---|---:|---:|---:|---:|---:|---:|\n");
        for variant in &self.variants {
            let name = &variant.name;
            let (Some(own), Some(measured)) = (self.added(name), self.measured.get(name)) else { continue };
            let process = Spread::of(added(&self.measured, name, |measured| &measured.process_us));
            let _ = writeln!(
                text,
                "| {} | {:.1} µs | {:.1} to {:.1} | {:.1} µs | {:.0} | {:.0} µs | {:.0} µs |",
                words(name),
                own.median(),
                own.least(),
                own.greatest(),
                process.map_or(0.0, |spread| spread.median()),
                Spread::of(measured.rate.clone()).map_or(0.0, |spread| spread.median()),
                measured.latencies.quantile_ms(0.5) * 1e3,
                measured.latencies.quantile_ms(0.99) * 1e3,
            );
        }
        let [none, again] =
            NONE.map(|name| self.measured.get(name).map(|measured| measured.worker_us.clone()));
        if let Some(apart) = none.zip(again).and_then(|(none, again)| {
            Spread::of(none.iter().zip(&again).map(|(none, again)| again - none).collect())
        }) {
            let whole = self.measured.get(NONE[0]).and_then(|none| Spread::of(none.worker_us.clone()));
            let _ = writeln!(
                text,
                "\nNo filter at all takes {:.1} µs. The same once more differs by {:.1} µs (median; {:.1} to {:.1}): what is smaller than that \
                 nobody can see here.",
                whole.map_or(0.0, |spread| spread.median()),
                apart.median(),
                apart.least(),
                apart.greatest()
            );
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let three = |spread: &Spread| json!({ "median": spread.median(), "min": spread.least(), "max": spread.greatest() });
        let variants: Vec<Value> = self
            .variants
            .iter()
            .filter_map(|variant| {
                let measured = self.measured.get(&variant.name)?;
                Some(json!({
                    "name": variant.name,
                    "added_cpu_us": three(&self.added(&variant.name)?),
                    "rps": Spread::of(measured.rate.clone())?.median(),
                    "p50_us": measured.latencies.quantile_ms(0.5) * 1e3,
                    "p99_us": measured.latencies.quantile_ms(0.99) * 1e3,
                    "cpu_us_by_round": measured.worker_us,
                }))
            })
            .collect();
        let ratios: serde_json::Map<String, Value> = self
            .ratios
            .iter()
            .map(|ratio| {
                let spread = &ratio.spread;
                let value = json!({
                    "median": spread.median(), "min": spread.least(), "max": spread.greatest(),
                    "bounds_95": [ratio.low, ratio.high], "goal": ratio.goal, "less": ratio.is_less(),
                });
                (ratio.name.clone(), value)
            })
            .collect();
        json!({ "conditions": self.conditions, "variants": variants, "ratios": ratios })
    }

    /// What each pair adds, as bars: ours above Envoy's own.
    pub(super) fn svg(&self, pairs: &[super::variants::Pair]) -> String {
        const WIDTH: f64 = 760.0;
        const LEFT: f64 = 170.0;
        const ROW: f64 = 40.0;
        const TOP: f64 = 50.0;
        let of = |name: &str| self.added(name).map_or(0.0, |spread| spread.median().max(0.0));
        let most = pairs.iter().flat_map(|pair| [of(&pair.ours), of(&pair.native)]).fold(1.0, f64::max);
        let height = TOP + ROW * pairs.len() as f64 + 10.0;
        // Square roots, so that both a microsecond and a millisecond can be seen.
        let width = |value: f64| (value / most).sqrt() * (WIDTH - LEFT - 90.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>CPU time that each filter adds to a request</title>\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
             <text x=\"10\" y=\"20\" font-size=\"14\">CPU time of Envoy's worker that a filter adds to each request, in µs (lengths by the square root)</text>\n\
             <text x=\"{LEFT}\" y=\"40\" fill=\"#1f5fa8\">Bearward</text><text x=\"{}\" y=\"40\" fill=\"#888888\">jwt_authn + rbac</text>\n",
            LEFT + 80.0
        );
        for (place, pair) in pairs.iter().enumerate() {
            let y = TOP + ROW * place as f64;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 20.0,
                words(&pair.name)
            );
            for (line, (name, color)) in
                [(&pair.ours, "#1f5fa8"), (&pair.native, "#bbbbbb")].into_iter().enumerate()
            {
                let (value, top) = (of(name), y + 4.0 + 15.0 * line as f64);
                let _ = writeln!(
                    svg,
                    "<rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"13\" fill=\"{color}\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\">{value:.1}</text>",
                    width(value),
                    LEFT + width(value) + 6.0,
                    top + 11.0
                );
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn words(name: &str) -> String {
    name.replace("warm_1000", "warm (1,000 tokens)").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::super::variants::{all, pairs};
    use super::super::verdict;
    use super::*;
    use crate::statistics::Latencies;

    fn findings() -> Findings {
        let mut measured = BTreeMap::new();
        for variant in all() {
            let cost = match variant.name.as_str() {
                "none" | "none_again" => 10.0,
                name if name.starts_with("bearward") => 17.0,
                _ => 20.0,
            };
            let mut latencies = Latencies::new().unwrap();
            latencies.record(std::time::Duration::from_micros(80));
            let rounds = vec![cost, cost + 1.0];
            let value =
                Measured { worker_us: rounds.clone(), process_us: rounds, rate: vec![9.0], latencies };
            measured.insert(variant.name, value);
        }
        let ratios = pairs().iter().filter_map(|pair| verdict::ratio(&measured, pair)).collect();
        Findings { variants: all(), measured, ratios, conditions: "Somewhere.".to_owned() }
    }

    #[test]
    fn machines_find_every_variant_and_every_ratio_and_people_the_same() {
        let (json, text) = (findings().json(), findings().markdown());
        assert_eq!(json["variants"].as_array().unwrap().len(), all().len());
        let variant = &json["variants"][4];
        assert_eq!(variant["name"], "bearward_warm_HS256");
        assert_eq!(variant["added_cpu_us"], json!({ "median": 7.0, "min": 7.0, "max": 7.0 }));
        for name in ["warm_EdDSA", "cold_HS256", "no_token"] {
            assert!((json["ratios"][name]["median"].as_f64().unwrap() - 0.7).abs() < 1e-9, "{json}");
        }
        assert!(
            text.contains("| cold HS256 | 0.70 | 0.70 to 0.70 | 0.70 to 0.70 | 0.6 | **missed** | less |"),
            "{text}"
        );
        assert!(text.contains("| bearward warm (1,000 tokens) EdDSA | 7.0 µs |"), "{text}");
        assert!(findings().svg(&pairs()).matches("<rect").count() == 1 + 2 * pairs().len());
    }
}
