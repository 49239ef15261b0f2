use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// The address after `NAME=` in the file that a server writes once it listens; `None` while there is none.
pub fn address_file(file: &Path, name: &str) -> Option<SocketAddr> {
    address_in(&fs::read_to_string(file).ok()?, name)
}

fn address_in(text: &str, name: &str) -> Option<SocketAddr> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_by_its_name() {
        let text = "public=127.0.0.1:4001\ninternal=127.0.0.1:4002\n";
        assert_eq!(address_in(text, "internal").unwrap().port(), 4002);
        assert_eq!(address_in(text, "inter"), None);
    }

    #[test]
    fn a_file_that_is_not_there_yet_has_no_address() {
        assert_eq!(address_file(Path::new("/no/such/file"), "public"), None);
    }
}
