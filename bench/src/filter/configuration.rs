//! Envoy's configuration: a listener for each filter, and nothing that differs but the filters.

use std::fs;
use std::path::{Path, PathBuf};

use bearward_core::algorithm::AlgorithmName;
use serde_json::{Value, json};
use xtask::error::Error;
use xtask::workspace;

use super::tokens::Pool;
use super::variants::Listener;

const NATIVE: &str = include_str!("../../filter/native.yaml");
const POLICY: &str = include_str!("../../filter/policy.yaml");
const NOTHING: &str = include_str!("../../filter/nothing.wat");
/// What stands before the callbacks that only one of the two filters that do nothing exports.
const REST: &str = ";;;;";
/// How many tokens Envoy's own cache holds where it has one: all that are in rotation.
const NATIVE_CACHE: u64 = 4_096;
/// The variable that holds the secret for HS256.
pub(super) const SECRET: &str = "BEARWARD_BENCH_SECRET";

/// How long our answers to refusals are, in bytes, so that Envoy's are as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BodyLengths {
    pub(super) no_token: usize,
    pub(super) forged: usize,
}

/// Where the modules are.
pub(super) struct Modules {
    bearward: PathBuf,
    nothing: PathBuf,
    nothing_all: PathBuf,
}

impl Modules {
    /// Writes the two that do nothing into this folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn write(bearward: &Path, folder: &Path) -> Result<Self, Error> {
        let (lean, rest) = NOTHING.split_once(REST).unwrap_or((NOTHING, ""));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            let bytes = wat::parse_str(text)
                .map_err(|error| Error::unusable(error.to_string(), "mend bench/filter/nothing.wat"))?;
            fs::write(&path, bytes).map_err(Error::file("write", &path))?;
            Ok(path)
        };
        Ok(Self {
            bearward: std::path::absolute(bearward).map_err(Error::file("find", bearward))?,
            nothing: write("nothing.wasm", &format!("{lean})"))?,
            nothing_all: write("nothing-all.wasm", &format!("{lean}{rest}"))?,
        })
    }
}

/// The whole configuration. What the repository's `envoy.yaml` says of connections, requests and the filter holds for every listener.
///
/// # Errors
/// A file of the repository is not what it was.
pub(super) fn write(
    listeners: &[Listener],
    pools: &[Pool],
    modules: &Modules,
    lengths: BodyLengths,
) -> Result<String, Error> {
    let path = workspace::root().join("envoy.yaml");
    let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let shipped = yaml("envoy.yaml", &text)?;
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let manager = shipped.pointer(manager).ok_or_else(|| changed("envoy.yaml"))?;
    let listeners: Result<Vec<Value>, Error> = listeners
        .iter()
        .map(|listener| {
            let filters = filters(*listener, manager, pools, modules)?;
            self::listener(*listener, manager, filters, lengths)
        })
        .collect();
    let configuration = json!({
        "stats_config": shipped.pointer("/stats_config"),
        "static_resources": { "listeners": listeners? },
        "admin": { "address": address() },
    });
    Ok(configuration.to_string())
}

/// How a listener is called in Envoy.
pub(super) fn name(listener: Listener) -> String {
    match listener {
        Listener::None => "none".to_owned(),
        Listener::Nothing { all } => format!("nothing_{all}"),
        Listener::Native { algorithm, cache } => format!("native_{}_{cache}", algorithm.as_str()),
        Listener::NativeRefusing { algorithm } => format!("native_refusing_{}", algorithm.as_str()),
        Listener::Bearward { algorithm } => format!("bearward_{}", algorithm.as_str()),
    }
}

fn listener(
    listener: Listener,
    manager: &Value,
    mut filters: Vec<Value>,
    lengths: BodyLengths,
) -> Result<Value, Error> {
    let name = name(listener);
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    filters.push(json!({ "name": "envoy.filters.http.router", "typed_config": { "@type": router } }));
    let mut manager = manager.clone();
    put(&mut manager, "/stat_prefix", name.as_str())?;
    put(&mut manager, "/http_filters", filters)?;
    let format = manager.pointer("/access_log/0/typed_config/log_format").cloned();
    let file = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
    let log = json!({ "@type": file, "path": "/dev/null", "log_format": format });
    put(&mut manager, "/access_log", json!([{ "name": "envoy.access_loggers.file", "typed_config": log }]))?;
    let ok = json!({ "status": 200, "body": { "inline_string": "ok\n" } });
    let routes = json!([{ "match": { "prefix": "/" }, "direct_response": ok }]);
    let hosts = json!([{ "name": "all", "domains": ["*"], "routes": routes }]);
    put(&mut manager, "/route_config", json!({ "virtual_hosts": hosts }))?;
    // Only where nothing else is answered: it would be looked at for every answer of Envoy's own.
    if matches!(listener, Listener::NativeRefusing { .. }) {
        put(&mut manager, "/local_reply_config", local_reply(lengths))?;
    }
    let manager = json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
    Ok(json!({ "name": name, "address": address(), "filter_chains": [{ "filters": [manager] }] }))
}

/// Refusals as long as ours.
fn local_reply(lengths: BodyLengths) -> Value {
    let of = |is_missing: bool, length: usize| {
        let header = json!({ "name": "authorization", "present_match": true, "invert_match": is_missing });
        json!({ "filter": { "header_filter": { "header": header } }, "body": { "inline_string": "x".repeat(length) } })
    };
    json!({ "mappers": [of(false, lengths.forged), of(true, lengths.no_token)] })
}

fn filters(
    listener: Listener,
    manager: &Value,
    pools: &[Pool],
    modules: &Modules,
) -> Result<Vec<Value>, Error> {
    match listener {
        Listener::None => Ok(Vec::new()),
        Listener::Nothing { all } => {
            Ok(vec![nothing(if all { &modules.nothing_all } else { &modules.nothing })])
        }
        Listener::Native { algorithm, cache } => native(pool(pools, algorithm)?, cache),
        Listener::NativeRefusing { algorithm } => native(pool(pools, algorithm)?, false),
        Listener::Bearward { algorithm } => bearward(manager, pool(pools, algorithm)?, &modules.bearward),
    }
}

fn nothing(module: &Path) -> Value {
    let wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
    let name = module.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    json!({ "name": name, "typed_config": { "@type": wasm, "config": {
        "name": name, "root_id": name, "vm_config": {
            "vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "filename": module } } } } } })
}

fn native(pool: &Pool, cache: bool) -> Result<Vec<Value>, Error> {
    let mut filters = yaml("native.yaml", NATIVE)?;
    let provider = "/0/typed_config/providers/bench";
    put(&mut filters, &format!("{provider}/local_jwks/inline_string"), pool.jwks().to_string())?;
    if cache {
        put(&mut filters, &format!("{provider}/jwt_cache_config/jwt_cache_size"), NATIVE_CACHE)?;
    } else if let Some(provider) = filters.pointer_mut(provider).and_then(Value::as_object_mut) {
        provider.remove("jwt_cache_config");
    }
    filters.as_array().cloned().ok_or_else(|| changed("native.yaml"))
}

fn bearward(manager: &Value, pool: &Pool, module: &Path) -> Result<Vec<Value>, Error> {
    let mut policy = yaml("policy.yaml", POLICY)?;
    put(&mut policy, "/issuers/bench/algorithms", json!([pool.algorithm().as_str()]))?;
    let is_secret = pool.secret().is_some();
    let keys = if is_secret { json!({ "secrets_env": [SECRET] }) } else { json!({ "jwks": pool.jwks() }) };
    put(&mut policy, "/issuers/bench/keys", keys)?;
    let mut filter = manager.pointer("/http_filters/0").cloned().ok_or_else(|| changed("envoy.yaml"))?;
    let config = "/typed_config/config";
    put(&mut filter, &format!("{config}/configuration/value"), policy)?;
    put(&mut filter, &format!("{config}/vm_config/code/local/filename"), json!(module))?;
    let variables = json!({ "host_env_keys": [SECRET] });
    put(&mut filter, &format!("{config}/vm_config/environment_variables"), variables)?;
    Ok(vec![filter])
}

fn pool(pools: &[Pool], algorithm: AlgorithmName) -> Result<&Pool, Error> {
    let found = pools.iter().find(|pool| pool.algorithm() == algorithm);
    found.ok_or_else(|| Error::unusable(format!("no tokens of {}", algorithm.as_str()), "report this"))
}

/// Puts a member into the object above it, which must be there.
fn put(document: &mut Value, pointer: &str, value: impl Into<Value>) -> Result<(), Error> {
    let above = pointer.rsplit_once('/').and_then(|(above, name)| Some((document.pointer_mut(above)?, name)));
    let object = above.and_then(|(above, name)| Some((above.as_object_mut()?, name)));
    let (object, name) = object.ok_or_else(|| changed(pointer))?;
    object.insert(name.to_owned(), value.into());
    Ok(())
}

fn address() -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } })
}

fn yaml(name: &str, text: &str) -> Result<Value, Error> {
    serde_saphyr::from_str(text).map_err(|error| Error::unusable(format!("{name}: {error}"), "mend the file"))
}

fn changed(what: &str) -> Error {
    Error::unusable(
        format!("{what} is not as this benchmark expects"),
        "adapt bench/src/filter/configuration.rs",
    )
}
