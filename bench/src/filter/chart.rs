//! What every pair adds, drawn as bars.

use std::fmt::Write;

use super::verdict::Ratio;

/// Everything is in units of about a pixel.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 60.0;
const TOP: f64 = 50.0;
const ROW: f64 = 40.0;
const OURS: &str = "#1f5fa8";
const THEIRS: &str = "#bbbbbb";

/// An SVG with two bars for each pair: Bearward's above that of Envoy's own filters.
pub(super) fn bars(ratios: &[Ratio]) -> String {
    let most = ratios.iter().flat_map(|ratio| [ratio.ours_us, ratio.theirs_us]).fold(1.0, f64::max);
    // Square roots, so that both a microsecond and a millisecond can be seen.
    let length = |value: f64| (value.max(0.0) / most).sqrt() * (WIDTH - LEFT - RIGHT);
    let height = TOP + ROW * ratios.len() as f64 + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>CPU time that each filter adds to a request</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">CPU time of Envoy's worker that a filter adds to each request, in µs (lengths by the square root)</text>\n\
         <text x=\"{LEFT}\" y=\"40\" fill=\"{OURS}\">Bearward</text><text x=\"{}\" y=\"40\" fill=\"#888888\">jwt_authn + rbac</text>\n",
        LEFT + 80.0
    );
    for (place, ratio) in ratios.iter().enumerate() {
        let y = TOP + ROW * place as f64;
        let name = ratio.pair.name.replace('_', " ");
        let _ =
            writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>", LEFT - 8.0, y + 20.0);
        for (value, color, top) in [(ratio.ours_us, OURS, y + 4.0), (ratio.theirs_us, THEIRS, y + 19.0)] {
            let end = LEFT + length(value);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"13\" fill=\"{color}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{value:.1}</text>",
                length(value),
                end + 6.0,
                top + 11.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
