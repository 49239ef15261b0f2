//! `bearward explain`: a verdict, and the way to it.

mod advice;
mod keys;
mod log_line;
mod print;
mod request;
mod revocations;

use std::path::PathBuf;
use std::process::ExitCode;

use bearward_core::Rejection;
use bearward_core::decide::Means;
use bearward_core::signature_host::NoSignatureHost;
use clap::Args;

use crate::failure::Failure;
use crate::{clock, input, output, policy_file};

pub(crate) use self::print::steps;

/// Say step by step what the filter decides about a request, and why.
///
/// Runs the decision of the filter itself, offline: canonical path, policy and rule and why earlier ones did not match,
/// credentials, the token's header, its key, its signature, every claim, revocation, what the rule requires. Then the verdict,
/// and what would change it. What Envoy does to a request before the filter sees it is not played.
///
/// Keys that stand in the policy are used as they are. Keys that the proxy fetches are given by --jwks, secrets by the
/// variables that the policy names, what has been revoked by --revocations. A token comes from a file or the standard input and goes where the policy first looks
/// for one; it is never printed.
///
/// Or, with --log-line, says in words what a line of the access log means that envoy.yaml writes, and what to change.
///
/// Exits with 0 where the request or the line is explained, whatever the verdict; with 1 where the policy does not load;
/// with 2 for wrong usage.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// An Envoy configuration with the filter in it, or a policy: YAML or JSON.
    file: PathBuf,
    /// The request: method and request target.
    #[arg(value_name = "METHOD TARGET", required_unless_present = "log_line")]
    request: Option<String>,
    /// The host that the client asks for.
    #[arg(long, default_value = "localhost")]
    host: String,
    /// A header of the request, but for the token's.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A file with the token, or - for the standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The JWK Set of an issuer, by its name in the policy.
    #[arg(long, value_name = "ISSUER=FILE")]
    jwks: Vec<String>,
    /// What an issuer has revoked, by its name in the policy: a list of records in JSON, or a saved answer of its feed, taken
    /// as up to date; or its deny list, taken as of its `iat`. No signature is asked for.
    #[arg(long, value_name = "ISSUER=FILE")]
    revocations: Vec<String>,
    /// The time at which it happens: RFC 3339, or seconds since the epoch. By default now.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    at: Option<u64>,
    /// Which policy, where the file holds several: 1 is the first.
    #[arg(long, value_name = "NUMBER")]
    plugin: Option<usize>,
    /// A file with a line of the access log, or - for the standard input, in place of a request.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "headers", "token_file", "jwks", "revocations", "at"])]
    log_line: Option<PathBuf>,
    /// Print one JSON object: {"decision", "reason", "status", "rule", "headers", "steps": [{"step", "ok", "detail"}]}.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  bearward explain envoy.yaml 'GET /api/orders'
  bearward explain envoy.yaml 'DELETE /api/menu/1' --token-file token.txt --jwks bearward=jwks.json
  pbpaste | bearward explain policy.yaml 'GET /api/orders' --token-file - --jwks staff=certs.json --at 2026-11-26T09:00:00Z
  bearward explain envoy.yaml 'GET /api/orders' --token-file token.txt --jwks bearward=jwks.json --revocations bearward=revoked.json
  bearward explain policy.yaml 'POST /api/orders' --host shop.example.com -H 'origin: https://shop.example.com' --json
  kubectl logs deploy/envoy | grep 'reject key_unknown' | head -1 | bearward explain envoy.yaml --log-line -";

/// Runs the command and prints its result.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    explain(arguments).map_or_else(Failure::end, |report| output::print(&report, 0))
}

fn explain(arguments: &Arguments) -> Result<String, Failure> {
    // What may be wrong with the request is said before a token is read, which may be typed.
    let asked =
        arguments.request.as_deref().map(|line| request::read(line, &arguments.host, &arguments.headers));
    let asked = asked.transpose()?;
    let from_input = arguments.token_file.iter().filter(|file| file.as_os_str() == "-").count();
    let given = arguments.jwks.iter().chain(&arguments.revocations);
    if from_input + given.filter(|given| given.ends_with("=-")).count() > 1 {
        return Err("the standard input can be read once: give only one file as `-`".to_owned().into());
    }
    let secrets = keys::Environment::default();
    let loaded = policy_file::load(&arguments.file, arguments.plugin, &|name| secrets.get(name));
    let loaded = loaded.map_err(Failure::Ends)?;
    let policy = &loaded.policy;
    let Some(asked) = asked else {
        let path = arguments.log_line.as_deref().unwrap_or(std::path::Path::new("-"));
        let line = log_line::read(&input::read(path)?)?;
        return Ok(log_line::report(&line, policy, &arguments.host, arguments.json)?);
    };
    let now = arguments.at.unwrap_or_else(clock::now);
    let (keys, of_keys) = keys::at_hand(&loaded, &secrets, &arguments.jwks)?;
    let (feeds, of_feeds) = revocations::at_hand(policy, &arguments.revocations, now)?;
    let means = Means { keys: &keys, host: &NoSignatureHost, known: None, feeds: &feeds, now, subsec_ms: 0 };
    let asked = match &arguments.token_file {
        Some(file) => {
            request::Asked { headers: policy.with_token(&asked.view(), &input::read_token(file)?, means) }
        }
        None => asked,
    };
    let explanation = policy.explain(&asked.view(), means);
    Ok(if arguments.json {
        format!("{}\n", print::json(&explanation, policy))
    } else {
        let hints = match explanation.verdict.rejection() {
            Some(Rejection::KeysUnavailable) => of_keys,
            Some(Rejection::RevocationsUnavailable) => of_feeds,
            _ => Vec::new(),
        };
        print::text(&explanation, policy, &asked, means.now, &hints)
    })
}
