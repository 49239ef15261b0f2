//! Roles, as verifiers read them.

use bearward_protocol::bounds::MAX_ROLE_BYTES;

/// A role: visible ASCII without a comma, which separates roles in identity headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role(String);

impl Role {
    /// # Errors
    /// A sentence for whoever gave it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_fit = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        if text.is_empty() {
            return Err("Role is required".to_owned());
        }
        if text.len() > MAX_ROLE_BYTES || !text.bytes().all(is_fit) {
            return Err(format!(
                "Role must be visible ASCII without comma and space, at most {MAX_ROLE_BYTES} characters"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_what_can_be_joined_with_commas() {
        assert_eq!(Role::parse("staff:chef").unwrap().as_str(), "staff:chef");
        assert_eq!(Role::parse("").unwrap_err(), "Role is required");
        let long = "r".repeat(MAX_ROLE_BYTES + 1);
        for text in ["customer,admin", "a b", "a\nb", "köchin", long.as_str()] {
            assert!(Role::parse(text).unwrap_err().starts_with("Role must be visible ASCII"), "{text:?}");
        }
    }
}
