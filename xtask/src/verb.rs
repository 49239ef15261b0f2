//! The errands, one a file.

pub mod build;
pub mod demo;
pub mod sqlx;
pub mod test;
