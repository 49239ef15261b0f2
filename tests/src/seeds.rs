//! What the fuzz targets begin with: the vectors, taken apart, and by hand what is hostile by design.
//!
//! Fuzzing takes them apart further; what it found worth keeping stands in `fuzz/corpus`.

mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_fuzz::target::Target;
use bearward_fuzz::{NOW, configuration, corpus, gate, header};
use serde_json::Value;
use xtask::workspace;

use crate::vectors::file::File;
use crate::vectors::forge::{self, Request};

/// A longer input is not kept: what is long is mostly a whole policy, changed a little, and whole ones are among the seeds.
const MAX_KEPT_BYTES: usize = 1_000;

/// The inputs of a target that are kept in the repository.
///
/// # Panics
/// If its corpus is not there, or is no corpus.
#[must_use]
pub fn kept(target: &Target) -> Vec<Vec<u8>> {
    let file = kept_file(target);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    corpus::read(&text).unwrap_or_else(|line| panic!("{}:{line} is no input", file.display()))
}

/// What is replayed: the kept inputs, and the seeds.
///
/// # Panics
/// As [`kept`].
#[must_use]
pub fn replayed(target: &Target) -> Vec<Vec<u8>> {
    [kept(target), of(target.name)].concat()
}

/// Where the inputs of a target are kept.
#[must_use]
pub fn kept_file(target: &Target) -> PathBuf {
    workspace::root().join("fuzz/corpus").join(format!("{}.txt", target.name))
}

/// Writes the kept inputs of a target and its seeds into a folder, a file each, as libFuzzer wants them.
///
/// # Errors
/// If they cannot be written.
pub fn unpack(target: &Target, folder: &Path) -> Result<usize, std::io::Error> {
    fs::create_dir_all(folder)?;
    let kept = if kept_file(target).is_file() { kept(target) } else { Vec::new() };
    let inputs: Vec<_> = kept.into_iter().chain(of(target.name)).collect();
    for (number, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("known-{number:05}")), input)?;
    }
    Ok(inputs.len())
}

/// Keeps the inputs in a folder instead of those that were kept.
///
/// # Errors
/// If they cannot be read or written.
pub fn pack(target: &Target, folder: &Path) -> Result<usize, std::io::Error> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let paths: Vec<PathBuf> = paths.collect::<Result<_, std::io::Error>>()?;
    let mut inputs = paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    inputs.retain(|input| input.len() <= MAX_KEPT_BYTES);
    let text = corpus::write(inputs);
    fs::write(kept_file(target), &text)?;
    Ok(text.lines().count())
}

/// The seeds of a target.
///
/// # Panics
/// If there is no target of that name.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let texts = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect::<Vec<_>>();
    match target {
        "token" => texts([tokens(), hostile::tokens()].concat()),
        "header" => {
            let maps =
                requests().iter().map(|request| header::serialized(&pairs(request))).collect::<Vec<_>>();
            [segments(0), maps, hostile::maps(), texts(hostile::json())].concat()
        }
        "claims" => [segments(1), texts(hostile::json()), texts(hostile::claims())].concat(),
        "path" => {
            let targets = requests().into_iter().map(|request| request.target).collect();
            texts([targets, hostile::paths(), measured()].concat())
        }
        "configuration" => {
            let documents = File::all().iter().map(forge::policy).collect::<Vec<_>>();
            let documents =
                [documents, gate::all().iter().map(|gate| gate.document.clone()).collect()].concat();
            let structs = documents.iter().filter_map(configuration::serialized).collect::<Vec<_>>();
            let printed = documents.iter().map(ToString::to_string).collect();
            let deep = hostile::deep().iter().filter_map(configuration::serialized).collect();
            [texts(printed), structs, deep, texts(hostile::json()), texts(hostile::policies())].concat()
        }
        "jwks" => texts([hostile::key_sets(), hostile::json()].concat()),
        "feed" => texts([hostile::answers(), hostile::json()].concat()),
        "deny_list" => texts([hostile::lists(), hostile::json()].concat()),
        "request" => texts([written(), hostile::requests()].concat()),
        other => panic!("no seeds for {other}"),
    }
}

/// The requests of every vector.
fn requests() -> Vec<Request> {
    let files = File::all();
    let of =
        |file: &File| file.cases.iter().map(|case| Request::of(case, &file.keys, NOW)).collect::<Vec<_>>();
    files.iter().flat_map(of).collect()
}

/// The targets that servers were asked for, to see how they read them.
fn measured() -> Vec<String> {
    let file = workspace::root().join("tests/vectors/decoders/facts.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let read: Value = serde_json::from_str(&text).expect("JSON");
    let facts = read["facts"].as_array().expect("a list of facts");
    facts.iter().map(|fact| fact["target"].as_str().expect("a target").to_owned()).collect()
}

/// What follows a scheme; what stands alone in a header, a cookie or a query and has the three parts of a token.
fn tokens() -> Vec<String> {
    let requests = requests();
    let values = requests
        .iter()
        .flat_map(|request| request.headers.iter().map(|(_, value)| value).chain([&request.target]));
    let tokens = values.flat_map(|value| {
        let after_scheme = value.split_once(' ').map(|(_, token)| token);
        let words = value.split([';', '=', '&', ' ']).filter(|word| word.split('.').count() == 3);
        after_scheme.into_iter().chain(words.filter(|word| word.len() > 100)).map(str::to_owned)
    });
    tokens.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A segment of every token, decoded where that can be done.
fn segments(index: usize) -> Vec<Vec<u8>> {
    let tokens = tokens();
    let segments = tokens.iter().filter_map(|token| token.split('.').nth(index));
    segments.filter_map(|segment| URL_SAFE_NO_PAD.decode(segment).ok()).collect()
}

fn pairs(request: &Request) -> Vec<(&str, &str)> {
    let pseudo =
        [(":method", &request.method), (":path", &request.target), (":authority", &request.authority)];
    let pseudo = pseudo.into_iter().map(|(name, value)| (name, value.as_str()));
    pseudo.chain(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect()
}

/// As the target `request` reads them, for each of its policies.
fn written() -> Vec<String> {
    let write = |request: &Request, gate: usize| {
        let start = format!(
            "{}\n{}\n{}\n{}",
            char::from(b'0' + u8::try_from(gate).unwrap()),
            request.method,
            request.target,
            request.authority
        );
        request.headers.iter().fold(start, |text, (name, value)| format!("{text}\n{name}:{value}"))
    };
    let requests = requests();
    (0..gate::all().len()).flat_map(|gate| requests.iter().map(move |request| write(request, gate))).collect()
}
