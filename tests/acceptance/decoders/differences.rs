use std::collections::{BTreeMap, BTreeSet};

use super::settings::{KNOWN, SERVERS, settings};

/// The most paths that are shown.
const SHOWN: usize = 40;

/// What came out otherwise in the eyes of a server, by setting and server.
#[derive(Debug, Default)]
pub(super) struct Differences {
    found: BTreeMap<(&'static str, String), BTreeSet<String>>,
    known: BTreeSet<String>,
}

impl Differences {
    pub(super) fn add(&mut self, setting: &'static str, servers: &[String], target: &[u8], what: &str) {
        for server in servers {
            if KNOWN.iter().any(|(own, which)| own == server && which(target)) {
                self.known.insert(server.clone());
            } else {
                self.found.entry((setting, server.clone())).or_default().insert(what.to_owned());
            }
        }
    }

    /// # Panics
    /// If something differs where the setting fits the server, or nothing where it does not.
    pub(super) fn conclude(&self) {
        self.conclude_some();
        let found: BTreeSet<_> =
            self.found.keys().map(|(setting, server)| (*setting, server.as_str())).collect();
        for setting in settings() {
            for server in SERVERS.iter().filter(|server| !setting.fits.contains(server)) {
                assert!(found.contains(&(setting.name, server)), "{} fits {server}, too", setting.name);
            }
        }
        for (server, _) in KNOWN {
            assert!(self.known.contains(server), "nothing that is known of {server} differs any more");
        }
    }

    /// # Panics
    /// If something differs where the setting fits the server.
    pub(super) fn conclude_some(&self) {
        for setting in settings() {
            for server in setting.fits {
                if let Some(whats) = self.found.get(&(setting.name, server.to_owned())) {
                    let shown: Vec<_> = whats.iter().take(SHOWN).map(String::as_str).collect();
                    panic!("{}: {server}: {} paths differ:\n{}", setting.name, whats.len(), shown.join("\n"));
                }
            }
        }
    }
}
