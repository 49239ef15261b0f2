//! What can be wrong with the plugin that carries a policy: what it does when it fails, what it may call, what it shares.

use serde_json::Value;

use crate::check::capabilities::{CALLBACKS, HOSTCALLS, WASI};
use crate::check::kind::Kind;
use crate::check::remark::Remark;
use crate::document::is_variable_name;
use crate::field::At;
use crate::plugin::vm_id;

/// All of it. `other_vm_ids`: those of the other plugins in the file.
pub(crate) fn remarks<'a>(config: &At<'a>, other_vm_ids: &[&str]) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    remarks.extend(failure_policy(config));
    remarks.extend(own_vm_id(config, other_vm_ids));
    if let Some(field) =
        config.get("allow_on_headers_stop_iteration").filter(|field| *field.value == Value::Bool(true))
    {
        remarks.push(Remark::problem(
            field.path,
            "leave it out: with it the body of a request that is held could go on without its head",
        ));
    }
    if let Some(allowed) = config.below(&["capability_restriction_config", "allowed_capabilities"]) {
        remarks.extend(missing_capabilities(&allowed));
    }
    remarks
}

fn failure_policy<'a>(config: &At<'a>) -> Option<Remark<'a>> {
    let path =
        config.get("failure_policy").map_or_else(|| config.path.member("failure_policy"), |field| field.path);
    match (config.text("failure_policy"), config.get("fail_open").filter(|_| config.is_true("fail_open"))) {
        (Some("FAIL_RELOAD"), None) => None,
        (Some("FAIL_OPEN"), _) => Some(Remark::problem(
            path,
            "FAIL_OPEN lets every request through after one trap: write FAIL_RELOAD",
        )),
        (_, Some(open)) => Some(Remark::problem(
            open.path,
            "lets every request through after one trap: write `failure_policy: FAIL_RELOAD`",
        )),
        _ => Some(Remark::problem(path, "write FAIL_RELOAD: with anything else one trap is a lasting 503")),
    }
}

fn own_vm_id<'a>(config: &At<'a>, others: &[&str]) -> Option<Remark<'a>> {
    let own = vm_id(config);
    let path = || {
        let found = config.below(&["vm_config", "vm_id"]).map(|field| field.path);
        found.unwrap_or_else(|| config.path.member("vm_config").member("vm_id"))
    };
    if own.is_empty() {
        Some(Remark::problem(
            path(),
            "give it one of its own: every plugin without one shares the empty one, and its data",
        ))
    } else if others.contains(&own) {
        Some(Remark::problem(
            path(),
            format!("`{own}` is another plugin's, too: it could replace the keys that are kept there"),
        ))
    } else {
        None
    }
}

fn missing_capabilities<'a>(allowed: &At<'a>) -> Vec<Remark<'a>> {
    let Some(names) = allowed.value.as_object() else {
        return vec![Remark::problem(allowed.path.clone(), "must be an object")];
    };
    // An empty list restricts nothing.
    if names.is_empty() {
        return Vec::new();
    }
    let needed = CALLBACKS.iter().chain(HOSTCALLS).chain(WASI);
    let missing = needed.filter(|name| !names.contains_key(**name));
    let problem = |name: &&str| match *name {
        "proxy_on_request_headers" => Remark::problem(
            allowed.path.clone(),
            format!("`{name}` is missing: Envoy would skip the filter and let every request through"),
        ),
        name => Remark::problem(allowed.path.clone(), format!("`{name}` is missing: the filter needs it")),
    };
    missing.map(problem).collect()
}

/// Secrets that stand in the file, or nowhere. The environment of Envoy's process reaches the filter only by name.
pub(crate) fn of_secrets<'a>(config: &At<'a>, policy: &Value) -> Vec<Remark<'a>> {
    let variables = config.below(&["vm_config", "environment_variables"]);
    let in_clear = variables.as_ref().and_then(|variables| variables.get("key_values"));
    let handed_on: Vec<_> = variables.iter().flat_map(|variables| variables.list("host_env_keys")).collect();
    let mut remarks = Vec::new();
    let issuers = policy.get("issuers").and_then(Value::as_object).into_iter().flatten();
    for (issuer, settings) in issuers {
        for (field, name) in variables_of(settings) {
            let value = in_clear.iter().flat_map(At::members).find(|(variable, _)| *variable == name);
            if let Some((_, value)) = value {
                remarks.push(Remark::suspicion(
                    Kind::SecretInClear,
                    value.path,
                    format!(
                        "the secret `{name}` of issuer `{issuer}` stands in the clear, for whoever can read this file: name \
                         the variable in `host_env_keys` and set it in Envoy's environment"
                    ),
                ));
            } else if is_variable_name(name) && !handed_on.iter().any(|handed_on| handed_on.value == name) {
                remarks.push(Remark::of_policy(
                    &format!("issuers.{issuer}.{field}"),
                    format!(
                        "`{}` does not reach the filter: name it in `vm_config.environment_variables.host_env_keys`",
                        name.escape_debug()
                    ),
                ));
            }
        }
    }
    remarks
}

/// The variables that an issuer's settings name, each with its field.
fn variables_of(settings: &Value) -> Vec<(String, &str)> {
    let names = settings.pointer("/keys/secrets_env").and_then(Value::as_array).into_iter().flatten();
    let secrets = names.enumerate().map(|(index, name)| (format!("keys.secrets_env[{index}]"), name));
    let credentials = ["revocations", "deny_list"].into_iter().filter_map(|field| {
        let name = settings.get(field)?.get("credential_env")?;
        Some((format!("{field}.credential_env"), name))
    });
    secrets.chain(credentials).filter_map(|(field, name)| Some((field, name.as_str()?))).collect()
}
