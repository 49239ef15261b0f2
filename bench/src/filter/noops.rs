//! The modules that do nothing, from their texts in `bench/filter`.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::error::Error;

use super::variants::Noop;

/// Where they stand.
#[derive(Debug)]
pub(super) struct Noops {
    own: PathBuf,
    all_callbacks: PathBuf,
    refuses: PathBuf,
    hostcalls: PathBuf,
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
    pub(super) fn write(folder: &Path) -> Result<Self, Error> {
        let module = |name: &str, text: &str| {
            let bytes = wat::parse_str(text).map_err(|error| {
                Error::unusable(error.to_string(), format!("correct bench/filter/{name}.wat"))
            })?;
            let path = folder.join(format!("{name}.wasm"));
            fs::write(&path, bytes).map_err(Error::file("write", &path)).map(|()| path)
        };
        Ok(Self {
            own: module("noop", OWN)?,
            all_callbacks: module("noop-all-callbacks", ALL_CALLBACKS)?,
            refuses: module("noop-refuses", REFUSES)?,
            hostcalls: module("noop-hostcalls", HOSTCALLS)?,
        })
    }

    pub(super) fn path(&self, noop: Noop) -> &Path {
        match noop {
            Noop::Own => &self.own,
            Noop::AllCallbacks => &self.all_callbacks,
            Noop::Refuses => &self.refuses,
            Noop::Hostcalls => &self.hostcalls,
        }
    }
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
