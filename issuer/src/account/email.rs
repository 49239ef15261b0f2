//! E-mail addresses.

/// The longest address, in bytes (RFC 5321 section 4.5.3.1.3: a path of 256 with its brackets).
const MAX_BYTES: usize = 254;
/// The longest local part, in bytes (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// The longest label of a domain, in bytes (RFC 1035 section 2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// An address in the one form in which it is stored and compared: trimmed, lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// Takes what browsers take for `<input type=email>`: the "valid email address" of the HTML standard. It is
    /// ASCII, so two addresses that look the same are the same.
    ///
    /// # Errors
    /// A sentence for the client.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = normalized(text);
        if text.is_empty() {
            return Err("Email is required".to_owned());
        }
        if text.len() > MAX_BYTES {
            return Err(format!("Email must be at most {MAX_BYTES} characters"));
        }
        match text.split_once('@') {
            Some((local, domain)) if is_local_part(local) && domain.split('.').all(is_label) => {
                Ok(Self(text))
            }
            _ => Err("Email must be a valid address".to_owned()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody typed to log in. Nothing is demanded of it: what is no address is nobody's.
#[derive(Clone, Debug)]
pub(crate) struct LoginEmail(String);

impl LoginEmail {
    pub(crate) fn new(text: &str) -> Self {
        Self(normalized(text))
    }

    /// All of it, also what no account can have: to be counted, as any other.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` where no account can have it; such text must not reach the database, which refuses NUL.
    pub(crate) fn to_look_up(&self) -> Option<&str> {
        (self.0.len() <= MAX_BYTES && !self.0.contains('\0')).then_some(&self.0)
    }
}

fn normalized(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

fn is_local_part(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    (1..=MAX_LOCAL_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_compared_in_lower_case_and_without_spaces() {
        assert_eq!(Email::parse("  Priya@Example.COM \n").unwrap().as_str(), "priya@example.com");
        assert_eq!(LoginEmail::new(" Priya@Example.COM").to_look_up(), Some("priya@example.com"));
    }

    #[test]
    fn what_a_browser_takes_for_an_address_is_taken() {
        for text in ["a@b", "a.b+c@d-e.example", "o'neil@example.com", "x@xn--bcher-kva.example"] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let wrong = [
            "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b..c", "a@-b", "a@b-", "a@b_c", "\"a\"@b", "ä@b.c",
            "a\0@b.c",
        ];
        for text in wrong.iter().copied().chain([long_local.as_str(), long_label.as_str()]) {
            assert_eq!(Email::parse(text), Err("Email must be a valid address".to_owned()), "{text:?}");
        }
        assert_eq!(Email::parse(" \t "), Err("Email is required".to_owned()));
        let long = format!("a@{}", "b.".repeat(126) + "c");
        assert_eq!(Email::parse(&long), Err("Email must be at most 254 characters".to_owned()));
    }

    #[test]
    fn what_no_account_can_have_is_not_looked_up() {
        assert_eq!(LoginEmail::new("a\0@b").to_look_up(), None);
        assert_eq!(LoginEmail::new(&"a".repeat(255)).to_look_up(), None);
    }
}
