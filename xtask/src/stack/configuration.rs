use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::error::Error;

/// What stands in `envoy.yaml` where the machine decides.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a> {
    /// `# bearward: listen`, where clients come in.
    pub listen: SocketAddr,
    /// `# bearward: issuer`, where the keys come from and where logins go.
    pub issuer: SocketAddr,
    /// `# bearward: internal`, where revocations come from.
    pub internal: SocketAddr,
    /// `# bearward: upstream`, what is guarded.
    pub upstream: SocketAddr,
    /// `# bearward: module`, the filter.
    pub module: &'a Path,
}

const MARKER: &str = "# bearward: ";
const MARKERS: [&str; 6] = ["listen", "admin", "issuer", "internal", "upstream", "module"];

/// Replaces address and port, or the file name, on each line that ends in `# bearward: NAME`. Every name occurs
/// exactly once; the admin interface gets any free port of 127.0.0.1.
pub fn substitute(text: &str, addresses: &Addresses<'_>) -> Result<String, Error> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        // A line that is all comment talks about markers.
        let marked = line.split_once(MARKER).filter(|(content, _)| !content.trim_start().starts_with('#'));
        let Some((content, name)) = marked else {
            lines.push(line.to_owned());
            continue;
        };
        let name = name.trim();
        if seen.contains(&name) {
            return Err(wrong(&format!("`{MARKER}{name}` stands there twice")));
        }
        let replaced = match name {
            "listen" => with_address(content, addresses.listen),
            "admin" => with_address(content, SocketAddr::from(([127, 0, 0, 1], 0))),
            "issuer" => with_address(content, addresses.issuer),
            "internal" => with_address(content, addresses.internal),
            "upstream" => with_address(content, addresses.upstream),
            "module" => with_file_name(content, addresses.module)?,
            _ => return Err(wrong(&format!("`{MARKER}{name}` is none of {}", MARKERS.join(", ")))),
        };
        let replaced =
            replaced.ok_or_else(|| wrong(&format!("nothing to replace in the line `{}`", line.trim())))?;
        lines.push(format!("{replaced}{MARKER}{name}"));
        seen.push(name);
    }
    match MARKERS.iter().find(|marker| !seen.contains(*marker)) {
        Some(missing) => Err(wrong(&format!("no line ends in `{MARKER}{missing}`"))),
        None => Ok(lines.join("\n") + "\n"),
    }
}

/// The file's text after textual edits, each of which must find what it replaces.
pub(super) fn edited(file: &Path, edits: &[(String, String)]) -> Result<String, Error> {
    let text = fs::read_to_string(file).map_err(Error::file("read", file))?;
    edits.iter().try_fold(text, |text, (old, new)| {
        if text.contains(old) {
            Ok(text.replace(old, new))
        } else {
            Err(Error::unusable(
                format!("{} does not contain the text to be replaced:\n{old}\n", file.display()),
                "adapt the edit to the file",
            ))
        }
    })
}

fn with_address(line: &str, address: SocketAddr) -> Option<String> {
    let line = with_value(line, "address: ", &address.ip().to_string())?;
    with_value(&line, "port_value: ", &address.port().to_string())
}

fn with_file_name(line: &str, file: &Path) -> Result<Option<String>, Error> {
    let name = file.to_str().filter(|name| !name.contains(['"', '\\', '\n']));
    let Some(name) = name else {
        return Err(Error::unusable(
            format!("{} cannot stand in Envoy's configuration", file.display()),
            "take a path without quotes, backslashes and line breaks",
        ));
    };
    Ok(with_value(line, "filename: ", &format!("\"{name}\"")))
}

/// Replaces what follows the last `key` up to a comma, a brace or a space.
fn with_value(line: &str, key: &str, value: &str) -> Option<String> {
    let (before, after) = line.rsplit_once(key)?;
    let rest = after.find([',', '}', ' ']).map_or("", |end| after.get(end..).unwrap_or_default());
    Some(format!("{before}{key}{value}{rest}"))
}

fn wrong(what: &str) -> Error {
    Error::unusable(
        format!("Envoy's configuration cannot be adapted, {what}"),
        "every marked line of envoy.yaml stands there once: listen, admin, issuer, internal, upstream, module",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "\
# Lines that end in `# bearward: ...` are adapted.
listener:
  socket_address: { address: 0.0.0.0, port_value: 8080 } # bearward: listen
admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } # bearward: admin
clusters:
  - socket_address: { address: issuer, port_value: 8081 } # bearward: issuer
  - socket_address: { address: issuer, port_value: 8091 } # bearward: internal
  - socket_address: { address: restaurant, port_value: 8082 } # bearward: upstream
  - socket_address: { address: other, port_value: 1 }
filter:
  filename: /etc/bearward/bearward.wasm # bearward: module
";

    fn adapted(text: &str) -> Result<String, Error> {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let module = Path::new("/somewhere/a folder/bearward.wasm");
        substitute(
            text,
            &Addresses {
                listen: address(1),
                issuer: address(2),
                internal: address(4),
                upstream: address(3),
                module,
            },
        )
    }

    #[test]
    fn marked_lines_change_and_others_stay() {
        assert_eq!(
            adapted(YAML).unwrap(),
            "\
# Lines that end in `# bearward: ...` are adapted.
listener:
  socket_address: { address: 127.0.0.1, port_value: 1 } # bearward: listen
admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 0 } } # bearward: admin
clusters:
  - socket_address: { address: 127.0.0.1, port_value: 2 } # bearward: issuer
  - socket_address: { address: 127.0.0.1, port_value: 4 } # bearward: internal
  - socket_address: { address: 127.0.0.1, port_value: 3 } # bearward: upstream
  - socket_address: { address: other, port_value: 1 }
filter:
  filename: \"/somewhere/a folder/bearward.wasm\" # bearward: module
"
        );
    }

    #[test]
    fn the_repositorys_own_configuration_can_be_adapted() {
        let text = fs::read_to_string(crate::workspace::root().join("envoy.yaml")).unwrap();
        let adapted = adapted(&text).unwrap();
        assert!(adapted.contains("filename: \"/somewhere/a folder/bearward.wasm\""), "{adapted}");
        assert!(!adapted.contains("port_value: 8080"), "{adapted}");
    }

    #[test]
    fn a_missing_marker_is_named() {
        let text = YAML.replace(" # bearward: upstream", "");
        let error = adapted(&text).unwrap_err().to_string();
        assert!(error.contains("no line ends in `# bearward: upstream`"), "{error}");
    }

    #[test]
    fn a_marker_that_stands_twice_is_named() {
        let text = YAML.replace("port_value: 1 }", "port_value: 1 } # bearward: issuer");
        let error = adapted(&text).unwrap_err().to_string();
        assert!(error.contains("`# bearward: issuer` stands there twice"), "{error}");
    }

    #[test]
    fn an_unknown_marker_is_named() {
        let error = adapted(&YAML.replace("# bearward: admin", "# bearward: amdin")).unwrap_err().to_string();
        assert!(error.contains("`# bearward: amdin` is none of listen, admin"), "{error}");
    }

    #[test]
    fn a_marker_on_a_line_without_an_address_is_named() {
        let text = YAML.replace("{ address: issuer, port_value: 8081 }", "{ pipe: x }");
        let error = adapted(&text).unwrap_err().to_string();
        assert!(error.contains("nothing to replace in the line"), "{error}");
    }

    #[test]
    fn an_edit_that_finds_nothing_is_an_error() {
        let directory =
            crate::directory::TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let file = directory.path().join("envoy.yaml");
        fs::write(&file, YAML).unwrap();
        let edit = |old: &str| edited(&file, &[(old.to_owned(), "new".to_owned())]);
        assert!(edit("address: other").unwrap().contains("{ new, port_value: 1 }"));
        assert!(edit("address: nowhere").unwrap_err().to_string().contains("address: nowhere"));
    }
}
