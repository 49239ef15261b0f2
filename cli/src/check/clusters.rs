//! What can be wrong with where keys and revocations come from, and with Envoy's own interface.

use std::net::IpAddr;

use bearward_core::Policy;
use bearward_core::policy::{KeySource, TrustedIssuer};

use crate::check::kind::Kind;
use crate::check::remark::Remark;
use crate::field::At;

/// The clusters that a policy's keys and revocations are fetched from.
pub(crate) fn of_keys<'a>(root: &At<'a>, policy: &Policy) -> Vec<Remark<'a>> {
    // A part of a configuration does not say what there is.
    let Some(resources) = root.get("static_resources") else { return Vec::new() };
    let clusters = resources.list("clusters");
    let is_all = root.below(&["dynamic_resources", "cds_config"]).is_none();
    let mut remarks = Vec::new();
    for (_, trusted) in policy.issuers() {
        for (field, wanted, what) in fetched(trusted) {
            match clusters.iter().find(|cluster| cluster.text("name") == Some(wanted)) {
                Some(cluster) => remarks.extend(without_tls(cluster, &what)),
                None if is_all => {
                    let known: Vec<_> = clusters.iter().filter_map(|cluster| cluster.text("name")).collect();
                    let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
                    remarks.push(Remark::of_policy(
                        &format!("issuers.{}.{field}", trusted.name),
                        format!(
                            "`{}` is no cluster of this file: {}",
                            wanted.escape_debug(),
                            known.escape_debug()
                        ),
                    ));
                }
                None => {}
            }
        }
    }
    remarks
}

/// What is fetched for an issuer: the field that names the cluster, the cluster, and what happens to it without TLS.
fn fetched(trusted: &TrustedIssuer) -> Vec<(&'static str, &str, What)> {
    let name = &trusted.name;
    let mut all = Vec::new();
    if let KeySource::Remote(remote) = &trusted.keys {
        let what = What {
            subject: format!("the keys of issuer `{name}` are fetched"),
            danger: Some("can plant a key and sign tokens with it"),
        };
        all.push(("keys.remote.cluster", remote.cluster.as_str(), what));
    }
    if let Some(feed) = &trusted.revocations {
        let what = What {
            subject: format!("the revocations of issuer `{name}` are fetched"),
            danger: Some(
                "reads the credential and, where the keys of the feed come the same way, can make revoked tokens live",
            ),
        };
        all.push(("revocations.cluster", feed.cluster.as_str(), what));
    }
    if let Some(list) = &trusted.deny_list {
        // What is signed, and shown nothing, can be withheld and no more.
        let danger = match (&list.keys, &list.credential) {
            (None, None) => Some("can make denied tokens live, and refuse whomever he likes"),
            (None, Some(_)) => {
                Some("reads the credential, can make denied tokens live, and refuse whomever he likes")
            }
            (Some(_), Some(_)) => Some("reads the credential"),
            (Some(_), None) => None,
        };
        let what = What { subject: format!("the deny list of issuer `{name}` is fetched"), danger };
        all.push(("deny_list.cluster", list.cluster.as_str(), what));
    }
    all
}

struct What {
    subject: String,
    /// `None`: nothing.
    danger: Option<&'static str>,
}

fn without_tls<'a>(cluster: &At<'a>, what: &What) -> Option<Remark<'a>> {
    let danger = what.danger?;
    if cluster.get("transport_socket").is_some_and(|socket| is_tls(&socket)) {
        return None;
    }
    let matches = cluster.list("transport_socket_matches");
    if !matches.is_empty() && matches.iter().all(is_tls) {
        return None;
    }
    let groups =
        cluster.get("load_assignment").map(|assignment| assignment.list("endpoints")).unwrap_or_default();
    let endpoints: Vec<_> = groups.iter().flat_map(|group| group.list("lb_endpoints")).collect();
    let addresses = endpoints.iter().filter_map(|endpoint| endpoint.below(&["endpoint", "address"]));
    let from = match addresses.filter(|address| !is_local(address)).find_map(|address| shown(&address)) {
        Some(address) => format!("from {address}"),
        None if endpoints.is_empty() => "from endpoints that this file does not name".to_owned(),
        None => return None,
    };
    let name = cluster.get("name")?;
    let text = format!(
        "{} {from} without TLS: whoever is on the way {danger}; give the cluster a `transport_socket` with TLS that verifies the \
         server's name",
        what.subject
    );
    Some(Remark::suspicion(Kind::KeysWithoutTls, name.path, text))
}

/// Whether a transport socket is TLS, perhaps inside another.
fn is_tls(socket: &At<'_>) -> bool {
    let mut found = false;
    socket.walk(&mut |at| {
        found |= at.text("@type").is_some_and(|name| name.ends_with("UpstreamTlsContext"))
            || at.text("name") == Some("envoy.transport_sockets.tls");
        true
    });
    found
}

/// Whether an address is of this machine.
fn is_local(address: &At<'_>) -> bool {
    match address.below(&["socket_address", "address"]).and_then(|name| name.value.as_str()) {
        None => address.get("socket_address").is_none(),
        Some(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            // RFC 6761 section 6.3.
            name == "localhost"
                || name.ends_with(".localhost")
                || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
    }
}

fn shown(address: &At<'_>) -> Option<String> {
    let name = address.below(&["socket_address", "address"])?;
    name.value.as_str().map(|name| format!("`{}`", name.escape_debug()))
}

/// Envoy's admin interface: whoever reaches it reads the configuration and ends the process.
pub(crate) fn open_admin<'a>(root: &At<'a>) -> Option<Remark<'a>> {
    let address = root.below(&["admin", "address"])?;
    if is_local(&address) {
        return None;
    }
    let field = address.below(&["socket_address", "address"]).unwrap_or_else(|| address.clone());
    let text = format!(
        "Envoy's admin interface listens on {}: whoever reaches it reads the configuration and ends the process; bind it to \
         127.0.0.1 or a pipe",
        shown(&address).unwrap_or_else(|| "an address that this file does not name".to_owned())
    );
    Some(Remark::suspicion(Kind::OpenAdmin, field.path, text))
}
