use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Every server that was asked.
pub(super) const SERVERS: [&str; 9] =
    ["express4", "express5", "fastify", "go", "gunicorn", "nginx", "tomcat", "uvicorn", "wsgiref"];

/// A setting says what every server behind does, and some do. Where it is set, the others take some paths for others
/// than we do: field, value, and whom it fits.
const FITS: [(&str, &str, &[&str]); 5] = [
    // The others tell capital letters from small ones.
    ("letters", "folded", &["express4", "express5"]),
    // The others take a path with a slash at its end for another one.
    ("trailing_slash", "folded", &["express4", "express5"]),
    // The others know no parameters of a path: `;` is a character like any other.
    ("parameters", "keep", &["tomcat"]),
    // The others decode the whole path before they split it. Tomcat refuses such a path.
    ("encoded_slash", "keep", &["express4", "express5", "fastify", "go", "tomcat"]),
    ("non_canonical", "replace", &SERVERS),
];

/// Some request targets.
type Targets = fn(&[u8]) -> bool;

/// Which are known to differ in the eyes of a server whatever the settings are.
pub(super) const KNOWN: [(&str, Targets); 1] = [
    // A parameter of more than 100 bytes is none to it (`maxParamLength`), and the next route that matches is taken. To
    // refuse those would be to refuse every long identifier for the sake of one server's default.
    ("fastify", |target| target.split(|byte| *byte == b'/').any(|segment| segment.len() > 100)),
];

/// The rows of the table in `docs/policy.md`.
pub(super) fn rows(versions: &BTreeMap<String, String>) -> Vec<String> {
    let fits = |server: &str| FITS.map(|(.., fits)| if fits.contains(&server) { "yes" } else { "no" });
    let row = |(server, version): (&String, &String)| {
        format!("| `{server}` {version} | {} |", fits(server).join(" | "))
    };
    versions.iter().map(row).collect()
}

/// A value of `paths`.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) paths: Value,
    pub(super) fits: Vec<&'static str>,
}

/// None, each setting alone, and all together.
pub(super) fn settings() -> Vec<Setting> {
    let mut settings = vec![Setting { name: "none", paths: json!({}), fits: SERVERS.to_vec() }];
    settings.extend(FITS.map(|(name, value, fits)| Setting {
        name,
        paths: json!({ name: value }),
        fits: fits.to_vec(),
    }));
    let all = BTreeMap::from(FITS.map(|(name, value, _)| (name, value)));
    let fits_all = |server: &&str| FITS.iter().all(|(.., fits)| fits.contains(server));
    let fits = SERVERS.into_iter().filter(fits_all).collect();
    settings.push(Setting { name: "all", paths: json!(all), fits });
    settings
}
