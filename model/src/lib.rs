//! The revocation protocol as a model that is checked exhaustively: every order of events in a small world.
//!
//! In reading order: [`world`] and [`worlds`] (which events may happen, how often), [`mutation`] (the protocol broken on purpose, and what
//! finds it), [`property`] (what must always hold), `state` (all there is at one moment), `database`, `writing` (what grants tokens), `causes` (what ends them), `issuer`,
//! `feed`, `proxy`, `shared`, `moves`, which offers what can happen next, and `recovery`. What a builder of the feed follows stands
//! in README.md beside this.
#![forbid(unsafe_code)]

mod causes;
pub mod check;
mod database;
mod feed;
mod issuer;
mod moves;
pub mod mutation;
pub mod property;
mod proxy;
mod recovery;
mod shared;
mod state;
pub mod world;
pub mod worlds;
mod writing;
