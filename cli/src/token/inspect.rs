//! `bearward token inspect`: what is in a token, and whether its signature holds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bearward_core::explain::{Inspection, Signature, inspect};
use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};

use super::Failure;
use crate::terminal::{BAD, FAINT, GOOD, HEADING, styled, wrapped};
use crate::{clock, input, output, printable};

/// Show what is in a token and, with a JWK Set, whether its signature holds. No website learns of it.
///
/// Header and payload are shown as far as they can be read, also of what is refused, and also a payload that is not JSON.
/// With --jwks the signature is verified by the code of the filter, as strictly: the set may hold public keys and secrets
/// (`oct`), and of these that one counts which the header's `kid` and `alg` ask for. Nothing is said of the claims: whether a
/// request gets through is what `bearward explain` says. The token and its signature are never printed.
///
/// Exits with 0 where the signature is valid, with 1 where it is invalid or was not checked, as it is without --jwks, with
/// 2 for wrong usage.
#[derive(Args)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("token").required(true).args(["input", "token_file"])))]
pub(crate) struct Arguments {
    /// - for a token from the standard input.
    #[arg(value_name = "-")]
    input: Option<String>,
    /// A file with the token, or - for the standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with a JWK Set, or - for the standard input.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Print one JSON object: {"header", "payload", "signature": "valid"|"invalid"|"not_checked", "reason": reason|null}.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  pbpaste | bearward token inspect -
  bearward token inspect --token-file token.txt --jwks jwks.json
  curl -s https://issuer.example.com/.well-known/jwks.json | bearward token inspect --token-file token.txt --jwks - --json";

/// Times that a token may hold.
const TIMES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file = match (&arguments.input, &arguments.token_file) {
        (Some(input), _) if input == "-" => Path::new("-"),
        (None, file) => file.as_deref().unwrap_or(Path::new("-")),
        // What stands there is not repeated: it may be the token.
        (Some(_), _) => {
            let text = "a token comes from a file or the standard input, since shells keep what is typed: say --token-file FILE, or -";
            return Err(text.to_owned().into());
        }
    };
    if file == Path::new("-") && arguments.jwks.as_deref() == Some(file) {
        return Err("the standard input can be read once: give only one file as `-`".to_owned().into());
    }
    // The token first: whoever forges it in the same pipeline has written its keys by then.
    let token = input::read_token(file)?;
    let jwks = arguments.jwks.as_deref().map(|file| Ok((file, input::read(file)?)));
    let jwks = jwks.transpose().map_err(|text: String| text)?;
    let inspection = inspect(&token, jwks.as_ref().map(|(_, text)| text.as_slice())).map_err(|problem| {
        let file = jwks.as_ref().map(|(file, _)| file.display().to_string()).unwrap_or_default();
        format!("{file}: is no JWK Set: {problem}")
    })?;
    if inspection.signature == Signature::NotChecked && jwks.is_some() {
        inspection.notes.iter().for_each(|note| eprintln!("{note}"));
    }
    let report = if arguments.json { json(&inspection) } else { text(&inspection, clock::now()) };
    Ok(output::print(&report, u8::from(inspection.signature != Signature::Valid)))
}

fn json(inspection: &Inspection) -> String {
    let object = json!({
        "header": inspection.header,
        "payload": inspection.payload,
        "signature": inspection.signature.name(),
        "reason": inspection.reason.map(|reason| reason.row().reason),
    });
    printable::line(&object) + "\n"
}

fn text(inspection: &Inspection, now: u64) -> String {
    let mut text = String::new();
    for (name, part) in [("header", &inspection.header), ("payload", &inspection.payload)] {
        let shown = part.as_ref().map_or_else(|| styled(FAINT, "cannot be read"), printable::pretty);
        let _ = writeln!(text, "{}\n{shown}", styled(HEADING, name));
        if let (&"payload", Some(Value::Object(claims))) = (&name, part) {
            times(claims, now, &mut text);
        }
    }
    let (style, verdict) = match inspection.signature {
        Signature::Valid => (GOOD, "valid".to_owned()),
        Signature::Invalid => (BAD, "INVALID".to_owned()),
        Signature::NotChecked => (BAD, "NOT CHECKED".to_owned()),
    };
    let reason = inspection.reason.map_or_else(String::new, |reason| format!(": {}", reason.row().reason));
    let _ =
        writeln!(text, "{} {}", styled(HEADING, "signature"), styled(style, &format!("{verdict}{reason}")));
    for note in &inspection.notes {
        let _ = writeln!(text, "{}", wrapped("  ", note));
    }
    let warning = match (inspection.signature, inspection.reason) {
        (Signature::Valid, _) => return text,
        (Signature::NotChecked, None) => {
            "NOTHING HERE IS VERIFIED: anybody can write such a token. --jwks FILE verifies its signature."
        }
        _ => "NOTHING HERE IS VERIFIED: anybody can write such a token.",
    };
    let _ = writeln!(text, "{}", styled(BAD, &wrapped("", warning)));
    text
}

/// The times of a token, for people.
fn times(claims: &Map<String, Value>, now: u64, text: &mut String) {
    for name in TIMES {
        // Seconds may have a fraction (RFC 7519 section 2); no calendar goes on for ever.
        let Some(seconds) = claims.get(name).and_then(Value::as_f64) else { continue };
        if (0.0..1e12).contains(&seconds) {
            let seconds = seconds as u64;
            let style = if name == "exp" && seconds <= now { BAD } else { FAINT };
            let line = format!("  {name}: {}", clock::shown_from(seconds, now));
            let _ = writeln!(text, "{}", styled(style, &line));
        }
    }
}
