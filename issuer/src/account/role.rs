//! Roles, as verifiers read them.

use std::collections::HashSet;

use bearward_protocol::bounds::{MAX_ROLE_BYTES, MAX_ROLES};

/// The most bytes of all roles of a user: beyond, a token with them would be longer than verifiers read.
const MAX_BYTES: usize = 4096;

/// A role: visible ASCII without a comma, which separates roles in identity headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role(String);

impl Role {
    /// The most roles of a user.
    pub(crate) const MOST: usize = MAX_ROLES;

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

    /// What has to be true of all roles of a user together.
    ///
    /// # Errors
    /// A sentence for whoever gave them.
    pub(crate) fn together(roles: Vec<Self>) -> Result<Vec<String>, String> {
        if !(1..=Self::MOST).contains(&roles.len()) {
            return Err(format!("Roles must be 1 to {}", Self::MOST));
        }
        if roles.iter().map(|role| role.0.len()).sum::<usize>() > MAX_BYTES {
            return Err(format!("Roles must be at most {MAX_BYTES} bytes together"));
        }
        let mut seen = HashSet::new();
        if !roles.iter().all(|role| seen.insert(role.0.as_str())) {
            return Err("Roles must not name one twice".to_owned());
        }
        Ok(roles.into_iter().map(|role| role.0).collect())
    }

    /// Whether these are more than [`Role::together`] lets a user have.
    pub(crate) fn are_too_many(roles: &[String]) -> bool {
        roles.len() > Self::MOST || roles.iter().map(String::len).sum::<usize>() > MAX_BYTES
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_few_short_and_each_once() {
        let roles =
            |texts: &[&str]| Role::together(texts.iter().map(|text| Role::parse(text).unwrap()).collect());
        assert_eq!(roles(&["admin", "chef"]).unwrap(), ["admin", "chef"]);
        assert!(roles(&[]).is_err());
        assert!(roles(&["chef", "admin", "chef"]).unwrap_err().contains("twice"));
        let many: Vec<String> = (0..65).map(|number| format!("r{number}")).collect();
        assert!(roles(&many.iter().map(String::as_str).collect::<Vec<_>>()).is_err());
        let long: Vec<String> = (0..40).map(|number| format!("{number}{}", "r".repeat(110))).collect();
        assert!(roles(&long.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_err().contains("4096"));
    }

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
