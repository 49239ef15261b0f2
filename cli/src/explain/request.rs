//! A request from a command line.

use bearward_core::Request;

use crate::input;

/// A request: its headers in order, pseudo-headers included.
pub(super) struct Asked {
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Asked {
    pub(super) fn view(&self) -> Request<'_> {
        Request::new(self.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect())
    }

    /// The value of a pseudo-header.
    pub(super) fn pseudo(&self, name: &str) -> &[u8] {
        let found = self.headers.iter().find(|(own, _)| own == name.as_bytes());
        found.map(|(_, value)| value.as_slice()).unwrap_or_default()
    }
}

/// Reads `METHOD TARGET`, a host, and headers as `NAME: VALUE`.
///
/// # Errors
/// What is wrong, and how to write it. Never a token.
pub(super) fn read(line: &str, host: &str, headers: &[String]) -> Result<Asked, String> {
    let not_here = |what: &str| {
        format!(
            "{what} holds a token, and shells keep what is typed: give it by `--token-file FILE`, or `--token-file -` for the standard input"
        )
    };
    if input::holds_token(line) {
        return Err(not_here("the request target"));
    }
    let (method, target) = line.trim().split_once(' ').ok_or_else(|| {
        format!("`{line}` is no request: write method and request target, as in 'GET /api/orders'")
    })?;
    let mut all = vec![
        (b":method".to_vec(), method.as_bytes().to_vec()),
        (b":path".to_vec(), target.trim_start().as_bytes().to_vec()),
        (b":authority".to_vec(), host.as_bytes().to_vec()),
    ];
    for header in headers {
        if input::holds_token(header) {
            return Err(not_here("-H"));
        }
        let (name, value) =
            header.split_once(':').filter(|(name, _)| is_header_name(name)).ok_or_else(|| {
                format!("-H `{header}`: write 'name: value'; method, path and host have places of their own")
            })?;
        all.push((name.to_ascii_lowercase().into_bytes(), value.trim().as_bytes().to_vec()));
    }
    Ok(Asked { headers: all })
}

/// A token of RFC 9110 section 5.6.2.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
