//! `bearward token forge`: a token for a test, under a key that is thrown away.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bearward_core::algorithm::AlgorithmName;
use bearward_core::json;
use bearward_forge::Key;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::{Map, Value, json};

use super::Failure;
use crate::forged::{self, Described, LIFE_SECONDS, merged};
use crate::policy_file::{self, Loaded};
use crate::{check, clock, input, output};

/// Make a token for a test, signed with a key that is thrown away.
///
/// Nobody accepts the token but who is given the key: --keys writes what verifies it, for `bearward explain --jwks` and
/// `bearward token inspect --jwks`, or for a proxy of a test. What signs is kept nowhere, so that every call makes another
/// key. With --config the token looks like those of an issuer of that policy.
///
/// Prints the token alone on the standard output: the one place where bearward prints one.
///
/// Exits with 0 where there is a token, with 1 where the policy does not load, with 2 for wrong usage.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Write the JWK Set that verifies the token into this new file; for HS256, HS384 and HS512 it holds the secret.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The algorithm. By default the first of the issuer, or EdDSA.
    #[arg(long, value_name = "ALG", value_parser = algorithms())]
    algorithm: Option<AlgorithmName>,
    /// The type of the token. By default the first of the issuer, or at+jwt.
    #[arg(long, value_name = "TYPE")]
    typ: Option<String>,
    /// The name of the key.
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    /// Claims: a file with a JSON object, or - for the standard input.
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// One claim: JSON where the value is JSON, else text; null takes one away. A time may be now, now+60 or now-60.
    #[arg(long, value_name = "NAME=VALUE")]
    claim: Vec<String>,
    /// One member of the header, in the same way.
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// For how many seconds from now the token is good; less than 0: it has expired.
    #[arg(long, value_name = "SECONDS", default_value_t = LIFE_SECONDS, allow_negative_numbers = true)]
    expires_in: i64,
    /// A policy, or an Envoy configuration with one: the token is one of an issuer of it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which policy, where the file holds several: 1 is the first.
    #[arg(long, value_name = "NUMBER", requires = "config")]
    plugin: Option<usize>,
    /// The issuer, by its name in the policy. Where there is one only, it is that.
    #[arg(long, value_name = "NAME", requires = "config")]
    issuer: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  bearward token forge --keys keys.json --claim iss=https://issuer.test/ --claim aud=api --claim sub=u1 > token.txt
  bearward token forge --keys keys.json --config policy.yaml --issuer staff --claim 'roles=[\"admin\"]' > token.txt
  bearward explain policy.yaml 'GET /api/orders' --token-file token.txt --jwks staff=keys.json
  bearward token forge --keys keys.json --config policy.yaml --expires-in -60 | bearward token inspect - --jwks keys.json";

fn algorithms() -> impl clap::builder::TypedValueParser<Value = AlgorithmName> {
    let names = AlgorithmName::ALL.iter().map(|algorithm| algorithm.as_str());
    PossibleValuesParser::new(names)
        .try_map(|name| AlgorithmName::parse(&name).ok_or("there is no such algorithm"))
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let own_header = members("--header", &arguments.header)?;
    let own_claims = own_claims(arguments)?;
    let loaded = match &arguments.config {
        None => None,
        Some(config) => match policy_file::load(config, arguments.plugin, &check::any_secret) {
            Ok(loaded) => Some(loaded),
            // Why has been said.
            Err(code) => return Ok(code),
        },
    };
    let issuer = loaded.as_ref().map(|loaded| issuer(loaded, arguments.issuer.as_deref())).transpose()?;
    let listed = issuer.as_ref().and_then(|issuer| issuer.algorithms.first().copied());
    let algorithm = arguments.algorithm.or(listed).unwrap_or(AlgorithmName::EdDsa);
    let typ = arguments.typ.as_deref().or(issuer.as_ref().and_then(Described::typ)).unwrap_or("at+jwt");
    let kid = arguments.kid.clone().unwrap_or_else(|| forged::kid(algorithm));
    let header = [("alg", algorithm.as_str()), ("typ", typ), ("kid", &kid)];
    let header = header.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect();
    let now = clock::now();
    let mut claims = issuer.as_ref().map_or_else(|| forged::usual_claims(now), |issuer| issuer.claims(now));
    claims.insert("exp".to_owned(), now.saturating_add_signed(arguments.expires_in).into());
    let make = || {
        let key = Key::random(algorithm)?;
        let header = merged(header, Some(&own_header));
        let token = forged::token(header, merged(claims, Some(&own_claims)), now, &key, algorithm)?;
        Ok((forged::jwk(&key, &kid, algorithm), token))
    };
    let (jwk, token) = make().map_err(|error: bearward_forge::ForgeError| error.to_string())?;
    write_anew(&arguments.keys, &jwk)?;
    eprintln!(
        "A forged token, signed by {} with a key that is thrown away: no proxy accepts it unless it is given {}.",
        algorithm.as_str(),
        arguments.keys.display()
    );
    output::write(format!("{token}\n").as_bytes(), None)?;
    Ok(ExitCode::SUCCESS)
}

/// The issuer that is meant.
fn issuer<'l>(loaded: &'l Loaded, name: Option<&str>) -> Result<Described<'l>, String> {
    let names: Vec<_> = loaded.policy.issuers().map(|(_, trusted)| trusted.name.as_str()).collect();
    let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => {
            return Err(format!("the policy has several issuers; say which by --issuer: {}", listed()));
        }
    };
    Described::find(loaded, name)
        .ok_or_else(|| format!("--issuer {name}: the policy has no such issuer, but {}", listed()))
}

fn own_claims(arguments: &Arguments) -> Result<Map<String, Value>, String> {
    let mut claims = match &arguments.claims {
        None => Map::new(),
        Some(file) => json::parse_object(&input::read(file)?)
            .map_err(|error| format!("{}: must be a JSON object: {error}", file.display()))?,
    };
    claims.extend(members("--claim", &arguments.claim)?);
    Ok(claims)
}

/// Members that are written as `NAME=VALUE`.
fn members(option: &str, written: &[String]) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    for text in written {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| format!("{option} {text}: write NAME=VALUE"))?;
        let value = json::parse(value.as_bytes()).unwrap_or_else(|_| value.into());
        if members.insert(name.to_owned(), value).is_some() {
            return Err(format!("{option} {text}: `{name}` is given twice"));
        }
    }
    Ok(members)
}

/// Never over a file that is there: it may hold keys that somebody needs.
fn write_anew(file: &Path, jwk: &Value) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = format!("{:#}\n", json!({ "keys": [jwk] }));
    let written = options.open(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("--keys {}: is there already, and is not overwritten: name a new file", file.display())
        }
        _ => format!("--keys {}: {error}", file.display()),
    })
}
