//! The targets, and the ways on which their inputs arrive at the filter.

use crate::gate::Headers;
use crate::{claims, configuration, deny_list, feed, header, jwks, path, request, token};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the binary and of the corpus.
    pub name: &'static str,
    /// What must hold of an input; panics where it does not.
    pub check: fn(&[u8]),
    /// How an input of its kind arrives at the module that ships.
    pub arrivals: fn(&[u8]) -> Vec<Arrival>,
}

/// One way on which an input arrives.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// In a request, at the filter with the policy of this index in [`crate::gate::all`].
    Request(usize, Headers),
    /// As the plugin's configuration.
    Configuration(Vec<u8>),
    /// As the body of the issuer's answer.
    KeySet(Vec<u8>),
    /// As what the issuer answers a question of the feed.
    FeedAnswer(Vec<u8>),
    /// As the file that denies tokens.
    DenyList(Vec<u8>),
}

/// Every target, by name.
pub static TARGETS: [Target; 9] = [
    Target { name: "claims", check: claims::check, arrivals: claims::arrivals },
    Target { name: "configuration", check: configuration::check, arrivals: configuration::arrivals },
    Target { name: "deny_list", check: deny_list::check, arrivals: deny_list::arrivals },
    Target { name: "feed", check: feed::check, arrivals: feed::arrivals },
    Target { name: "header", check: header::check, arrivals: header::arrivals },
    Target { name: "jwks", check: jwks::check, arrivals: jwks::arrivals },
    Target { name: "path", check: path::check, arrivals: path::arrivals },
    Target { name: "request", check: request::check, arrivals: request::arrivals },
    Target { name: "token", check: token::check, arrivals: token::arrivals },
];
