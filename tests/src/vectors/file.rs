//! What stands in a file of vectors.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xtask::workspace;

use super::Outcome;
use crate::token::Key;

/// A file: a policy, and cases under it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file's name, for reports.
    #[serde(skip)]
    pub name: String,
    /// What its cases have in common.
    pub about: String,
    /// The keys by name.
    pub keys: Keys,
    /// The policy; a JWK of a key is written `jwk:NAME`, or `jwk:NAME/ALG` for one that says what it is for, or as an
    /// object with the key's name in `$jwk` and further members.
    pub policy: Value,
    /// The cases.
    pub cases: Vec<Case>,
}

/// The keys that sign.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Ed25519: the byte that, repeated 32 times, is the seed.
    pub ed25519: BTreeMap<String, u8>,
    /// ES256: the byte that, repeated 32 times, is the private key.
    pub p256: BTreeMap<String, u8>,
    /// ES384: the byte that, repeated 48 times, is the private key.
    pub p384: BTreeMap<String, u8>,
    /// RSA: names of the one key in `rsa-key-of-rfc-7515.json`.
    pub rsa: Vec<String>,
    /// HS256: the secret, which is also in the environment under this name.
    pub secrets: BTreeMap<String, String>,
}

/// One request and what must become of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is so, in a sentence.
    pub name: String,
    /// The clause of a standard that says so, or the part of our own documentation.
    pub clause: String,
    /// The method and the request target.
    pub request: String,
    /// The authority.
    #[serde(default = "authority")]
    pub authority: String,
    /// Headers, in order; `{token}` stands for the token. Without any, a token goes into `Authorization: Bearer`.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The token.
    pub token: Option<Token>,
    /// What must come.
    pub expect: Expect,
    /// `WWW-Authenticate` of a refusal, to the letter; empty where there must be none. Without it nobody looks.
    pub challenge: Option<String>,
    /// Whether it is run in a real Envoy, too. Not where Envoy refuses or repairs the request before the filter.
    #[serde(default = "yes")]
    pub envoy: bool,
}

/// How to make a token. Times may be written `now`, `now+60`, `now-60`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The JOSE header: JSON, or a text that is taken as it is.
    #[serde(default)]
    pub header: Value,
    /// The payload: JSON, or a text that is taken as it is.
    #[serde(default)]
    pub payload: Value,
    /// The name of the key that signs; without one the signature is empty.
    pub key: Option<String>,
    /// The algorithm that the key signs with, whatever the header says; without it the first that fits the key.
    pub sign_with: Option<String>,
    /// The bytes of salt, for PSS; without it as many as the hash.
    pub salt_bytes: Option<usize>,
    /// What is done to the token at the end.
    pub then: Option<Change>,
    /// Instead of all that: the token itself.
    pub raw: Option<String>,
}

/// What is done to a token after it was signed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The first letter of the signature becomes another.
    ChangeSignature,
    /// The signature loses its last byte.
    ShortenSignature,
    /// The signature gains a byte.
    LengthenSignature,
    /// The signature is one of ECDSA and becomes DER.
    DerSignature,
    /// The first half of the signature, `r` of ECDSA, becomes zero.
    ZeroFirstHalf,
    /// The second half of the signature, `s` of ECDSA, becomes zero.
    ZeroSecondHalf,
    /// The first half of the signature, `r` of ECDSA, becomes a number beyond the order of any curve.
    FillFirstHalf,
    /// The second half of the signature, `s` of ECDSA, becomes a number beyond the order of any curve.
    FillSecondHalf,
    /// A `=` at the end.
    Pad,
    /// A fourth segment.
    AddSegment,
    /// The unused bits of the signature's last letter are set.
    SetUnusedBits,
}

/// What must come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The reason of the rejection and its status, as `403 role_missing`.
    Reject(String),
    /// The upstream gets the request with these headers; `null`: without this header.
    Forward(BTreeMap<String, Option<String>>),
}

impl File {
    /// Every file of `tests/vectors/`, by name.
    ///
    /// # Panics
    /// If one cannot be read.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let named = read_all::<Self>("tests/vectors").into_iter();
        named.map(|(name, file)| Self { name, ..file }).collect()
    }
}

/// The YAML files of a folder of the workspace, by name.
pub(super) fn read_all<T: DeserializeOwned>(folder: &str) -> Vec<(String, T)> {
    let folder = workspace::root().join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).expect("a readable file");
        let file =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), file)
    };
    paths.iter().map(read).collect()
}

impl Keys {
    /// The key of this name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Key {
        let found = [
            self.ed25519.get(name).map(|byte| Key::Ed25519([*byte; 32])),
            self.p256.get(name).map(|byte| Key::P256([*byte; 32])),
            self.p384.get(name).map(|byte| Key::P384([*byte; 48])),
            self.rsa.iter().any(|own| own == name).then_some(Key::Rsa),
            self.secrets.get(name).map(|secret| Key::Hmac(secret.clone().into_bytes())),
        ];
        found.into_iter().flatten().next().unwrap_or_else(|| panic!("no key {name}"))
    }
}

impl Case {
    /// What must come.
    ///
    /// # Panics
    /// If `reject` is not a status and a reason.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match &self.expect {
            Expect::Forward(headers) => Outcome::Forwarded(headers.clone()),
            Expect::Reject(text) => {
                let (status, reason) = text.split_once(' ').expect("a status and a reason");
                Outcome::Rejected {
                    status: status.parse().expect("a status"),
                    reason: reason.to_owned(),
                    challenge: self.challenge.clone(),
                }
            }
        }
    }
}

fn authority() -> String {
    "api.test".to_owned()
}

pub(super) fn yes() -> bool {
    true
}
