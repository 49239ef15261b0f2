//! The modules that do nothing, from their texts in `bench/filter`.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bearward_core::algorithm::AlgorithmName;
use bearward_core::keys::KeySet;
use bearward_core::signature_host::{HostSignature, SignatureHost};
use bearward_core::token::UnverifiedToken;
use xtask::error::Error;

use super::template::filled;
use super::tokens::{Signer, Signers};
use super::variants::{BY_THE_HOST, Noop};

/// Where they stand.
#[derive(Debug)]
pub(super) struct Noops {
    own: PathBuf,
    all_callbacks: PathBuf,
    refuses: PathBuf,
    hostcalls: PathBuf,
    verifies: Vec<(AlgorithmName, PathBuf)>,
}

const OWN: &str = include_str!("../../filter/noop.wat");
const ALL_CALLBACKS: &str = include_str!("../../filter/noop-all-callbacks.wat");
const REFUSES: &str = include_str!("../../filter/noop-refuses.wat");
const HOSTCALLS: &str = include_str!("../../filter/noop-hostcalls.wat");

impl Noops {
    /// Writes them into a folder.
    ///
    /// # Errors
    /// The folder is not there.
    pub(super) fn write(folder: &Path, signers: &Signers) -> Result<Self, Error> {
        let module = |name: &str, text: &str| {
            let bytes = wat::parse_str(text).map_err(|error| {
                Error::unusable(error.to_string(), format!("correct bench/filter/{name}.wat"))
            })?;
            let path = folder.join(format!("{name}.wasm"));
            fs::write(&path, bytes).map_err(Error::file("write", &path)).map(|()| path)
        };
        let mut verifies = Vec::new();
        for algorithm in BY_THE_HOST {
            if let Some(signer) = signers.get(algorithm.as_str()) {
                let (slots, count) = slots(signer)?;
                let values = [("slots", slots.as_str()), ("count", &count.to_string())];
                let text = filled(HOSTCALLS, &values, &["verifies"])?;
                verifies.push((algorithm, module(&format!("noop-verifies-{}", algorithm.as_str()), &text)?));
            }
        }
        Ok(Self {
            verifies,
            own: module("noop", OWN)?,
            all_callbacks: module("noop-all-callbacks", ALL_CALLBACKS)?,
            refuses: module("noop-refuses", REFUSES)?,
            hostcalls: module("noop-hostcalls", &filled(HOSTCALLS, &[], &[])?)?,
        })
    }

    /// `None` where there are no tokens of the algorithm.
    pub(super) fn path(&self, noop: Noop) -> Option<&Path> {
        Some(match noop {
            Noop::Own => &self.own,
            Noop::AllCallbacks => &self.all_callbacks,
            Noop::Refuses => &self.refuses,
            Noop::Hostcalls => &self.hostcalls,
            Noop::Verifies(algorithm) => &self.verifies.iter().find(|(own, _)| *own == algorithm)?.1,
        })
    }
}

/// Writes down what the host is asked.
#[derive(Default)]
struct Recorder(RefCell<Vec<u8>>);

impl SignatureHost for Recorder {
    /// `VerifySignatureArguments`: four fields of bytes.
    fn verify(&self, asked: &HostSignature<'_>) -> Option<bool> {
        let mut arguments = Vec::new();
        let fields: [&[u8]; 4] = [b"sha256", asked.public_key, asked.signature, asked.message];
        for (tag, bytes) in (1_u8..).zip(fields) {
            arguments.push(tag << 3 | 2);
            let mut length = bytes.len();
            while length >= 0x80 {
                arguments.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            arguments.push(length as u8);
            arguments.extend_from_slice(bytes);
        }
        *self.0.borrow_mut() = arguments;
        Some(true)
    }
}

/// So many signatures take turns: with one alone the processor would learn by heart which way its verification goes.
const SLOTS: usize = 512;
/// Where the first of them stands, and how far the next is, in bytes: as `noop-hostcalls.wat` has it.
const FIRST_SLOT: usize = 131_072;
const SLOT_BYTES: usize = 2_048;

/// What Bearward asks the host for tokens of this signer, as the data of a module, and for how many.
fn slots(signer: &Signer) -> Result<(String, usize), Error> {
    let unusable =
        || Error::unusable(format!("no signature of {}", signer.algorithm.as_str()), "report this");
    let jwks = signer.jwks(1)?.to_string();
    let set = KeySet::parse(jwks.as_bytes(), &[signer.algorithm]).map_err(|_| unusable())?;
    let mut lines = Vec::new();
    for (place, token) in signer.tokens.iter().take(SLOTS).enumerate() {
        let recorder = Recorder::default();
        let token = UnverifiedToken::parse(token.as_bytes()).map_err(|_| unusable())?;
        token.verify(&set, &recorder).map_err(|_| unusable())?;
        let asked = recorder.0.into_inner();
        let slot = [(asked.len() as u32).to_le_bytes().as_slice(), &asked].concat();
        if asked.is_empty() || slot.len() > SLOT_BYTES {
            return Err(unusable());
        }
        lines.push(format!("(data (i32.const {}) \"{}\")", FIRST_SLOT + place * SLOT_BYTES, escaped(&slot)));
    }
    Ok((lines.join("\n"), lines.len()))
}

/// As a string in the text of a module.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use xtask::module::tables::Tables;

    use super::*;

    fn callbacks<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        names.filter(|name| name.starts_with("proxy_on_")).map(str::to_owned).collect()
    }

    fn exported(text: &str) -> BTreeSet<String> {
        callbacks(text.split("(export \"").skip(1).filter_map(|rest| rest.split('"').next()))
    }

    #[test]
    fn a_module_that_does_nothing_exports_the_callbacks_that_bearward_does() {
        let exports = Tables::of_the_repository().unwrap().exports;
        let bearward = callbacks(exports.iter().map(|row| row.export.as_str()));
        for text in [OWN, REFUSES, HOSTCALLS] {
            assert_eq!(exported(text), bearward);
        }
        assert!(exported(ALL_CALLBACKS).is_superset(&bearward) && exported(ALL_CALLBACKS) != bearward);
    }
}
