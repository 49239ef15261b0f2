//! `methods` of a rule.

use super::read::Node;
use super::rules::parsed_list;

/// The methods of the registry (RFC 9110 section 16.1), and three that caches and devices use. A misspelled one would make a
/// rule that never matches, and leave its requests to a wider one.
pub(super) const METHODS: [&str; 41] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "NOTIFY",
    "SUBSCRIBE",
];

pub(super) fn read(node: &Node<'_>) -> Option<Vec<String>> {
    parsed_list(node, |method| match method {
        "CONNECT" => Err("CONNECT is always refused".to_owned()),
        method if METHODS.contains(&method) => Ok(method.to_owned()),
        method => Err(format!(
            "`{}` is no known method; they are written in capital letters",
            method.escape_debug()
        )),
    })
}
