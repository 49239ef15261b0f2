//! The errands, one a file.

pub mod bench;
pub mod bless;
pub mod build;
pub mod decoders;
pub mod demo;
pub mod fuzz;
pub mod sqlx;
pub mod test;
