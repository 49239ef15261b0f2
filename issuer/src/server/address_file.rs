//! The file that tells others which addresses are in use: so a port can be 0.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::settings::ListenerSettings;

/// The file while its content is true; removed when dropped.
pub(crate) struct AddressFile(PathBuf);

impl AddressFile {
    /// Writes the file so that nobody ever reads a part of it.
    ///
    /// # Errors
    /// It could not be written.
    pub(crate) fn write(path: &Path, (public, internal): (SocketAddr, SocketAddr)) -> io::Result<Self> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        fs::write(&temporary, format!("public={public}\ninternal={internal}\n"))?;
        fs::rename(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Where the internal listener of a process with these settings can be reached from this machine.
///
/// # Errors
/// The port is 0, and no address file says which was chosen.
pub(crate) fn internal_address(settings: &ListenerSettings) -> io::Result<SocketAddr> {
    let mut address = settings.internal;
    if address.port() == 0 {
        let path = settings
            .address_file
            .as_deref()
            .ok_or_else(|| io::Error::other("the port is 0 and not known"))?;
        let text = fs::read_to_string(path)?;
        let line = text.lines().find_map(|line| line.strip_prefix("internal="));
        address = line
            .and_then(|line| line.parse().ok())
            .ok_or_else(|| io::Error::other("the address file names no internal address"))?;
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(internal: &str, address_file: Option<PathBuf>) -> ListenerSettings {
        let public = "127.0.0.1:0".parse().unwrap();
        ListenerSettings { public, internal: internal.parse().unwrap(), address_file }
    }

    #[test]
    fn a_port_that_was_chosen_is_found_in_the_address_file() {
        let path = std::env::temp_dir().join(format!("bearward-addresses-{:016x}", crate::random::u64()));
        let addresses = ("127.0.0.1:1".parse().unwrap(), "0.0.0.0:2".parse().unwrap());
        let file = AddressFile::write(&path, addresses).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "public=127.0.0.1:1\ninternal=0.0.0.0:2\n");
        let found = internal_address(&settings("127.0.0.1:0", Some(path.clone()))).unwrap();
        assert_eq!(found.to_string(), "127.0.0.1:2");
        drop(file);
        assert!(!path.exists());
        assert!(internal_address(&settings("127.0.0.1:0", Some(path))).is_err());
        assert!(internal_address(&settings("127.0.0.1:0", None)).is_err());
    }

    #[test]
    fn a_listener_on_every_address_is_reached_by_loopback() {
        assert_eq!(internal_address(&settings("0.0.0.0:8091", None)).unwrap().to_string(), "127.0.0.1:8091");
        assert_eq!(internal_address(&settings("[::]:8091", None)).unwrap().to_string(), "[::1]:8091");
    }
}
