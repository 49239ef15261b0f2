//! What an account is made of: types that exist only in an acceptable form.

mod email;
mod name;
mod password;
mod role;

pub(crate) use email::{Email, LoginEmail};
pub(crate) use name::Name;
pub(crate) use password::{NewPassword, PresentedPassword};
pub(crate) use role::Role;

/// The role of whoever signs up.
pub(crate) const CUSTOMER: &str = "customer";

/// The role that `admin create` gives.
pub(crate) const ADMIN: &str = "admin";
