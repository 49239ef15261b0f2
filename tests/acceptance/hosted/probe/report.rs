//! What a probe saw, as lines that a person can compare.

/// What a probe's lines begin with.
pub(super) const SAID: &str = "probe|";

/// What a scenario led to on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// What the probe said, in its order.
    pub(super) lines: Vec<String>,
    /// What the client got, one for each request.
    pub(super) responses: Vec<String>,
}

impl Report {
    /// A line for every difference.
    pub(super) fn differences(&self, envoy: &Self) -> Vec<String> {
        let lines = differences("line", &self.lines, &envoy.lines);
        lines.into_iter().chain(differences("response", &self.responses, &envoy.responses)).collect()
    }
}

/// What stands in one of them only, in order: by the longest common subsequence.
fn differences(what: &str, host: &[String], envoy: &[String]) -> Vec<String> {
    let width = envoy.len() + 1;
    let mut common = vec![0; (host.len() + 1) * width];
    for (at, own) in host.iter().enumerate().rev() {
        for (there, other) in envoy.iter().enumerate().rev() {
            common[at * width + there] = if own == other {
                common[(at + 1) * width + there + 1] + 1
            } else {
                common[(at + 1) * width + there].max(common[at * width + there + 1])
            };
        }
    }
    let (mut at, mut there, mut found) = (0, 0, Vec::new());
    while at < host.len() || there < envoy.len() {
        if at < host.len() && there < envoy.len() && host[at] == envoy[there] {
            (at, there) = (at + 1, there + 1);
        } else if there == envoy.len()
            || at < host.len() && common[(at + 1) * width + there] >= common[at * width + there + 1]
        {
            found.push(format!("{what} only here:     {}", host[at]));
            at += 1;
        } else {
            found.push(format!("{what} only in Envoy: {}", envoy[there]));
            there += 1;
        }
    }
    found
}

/// A line of a log, if the probe of that scenario said it: without the scenario, and with bytes as text.
pub(super) fn readable(line: &str, scenario: &str) -> Option<String> {
    let said = line.split_once(SAID)?.1;
    let (own, rest) = said.split_once('|')?;
    (own == scenario).then(|| rest.split('|').map(field).collect::<Vec<_>>().join(" | "))
}

/// Eight digits are a number; other digits are bytes.
fn field(field: &str) -> String {
    let is_hex =
        !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    if !is_hex || field.len() % 2 == 1 {
        return field.to_owned();
    }
    if field.len() == 8 {
        return match u32::from_str_radix(field, 16) {
            Ok(0xdead_beef) => "untouched".to_owned(),
            Ok(number) => number.to_string(),
            Err(_) => field.to_owned(),
        };
    }
    let digits: Vec<_> = field.bytes().map(|digit| (digit as char).to_digit(16).unwrap_or(0)).collect();
    let bytes: Vec<_> = digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect();
    format!("\"{}\"", bytes.escape_ascii())
}
