//! Worlds with the module that ships, and the tokens that it takes.

use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bearward_testhost::{
    Answer, FailurePolicy, Module, ModuleCache, Outcome, Plugin, Request, Response, World, WorldBuilder,
};
use bearward_tests::harness;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

/// The seed of the issuer's key.
const SEED: [u8; 32] = [7; 32];
/// Its name.
const KID: &str = "key-1";
/// The time at which the worlds begin, in seconds since the epoch.
pub(crate) const NOW: u64 = 1_800_000_000;
/// Longer than it takes to fetch keys that are there.
pub(crate) const KEYS_FETCHED: Duration = Duration::from_millis(10);

/// Compiles each module once for all tests of this program.
fn modules() -> &'static ModuleCache {
    static MODULES: OnceLock<ModuleCache> = OnceLock::new();
    MODULES.get_or_init(ModuleCache::new)
}

/// A module on the host.
pub(crate) fn module(path: &std::path::Path) -> Arc<Module> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    modules().load(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The module that ships, with the policy and the settings of `envoy.yaml`.
pub(crate) fn plugin(policy: &Value) -> Plugin {
    plugin_of(&module(&harness::module()), policy)
}

/// The build that traps on the magic header.
pub(crate) fn trap_module() -> Arc<Module> {
    module(&harness::trap_module())
}

/// The same settings for another module.
pub(crate) fn plugin_of(module: &Arc<Module>, policy: &Value) -> Plugin {
    Plugin::new(module)
        .name("bearward")
        .root_id("bearward")
        .vm_id("bearward")
        .configuration(policy.to_string())
        .failure_policy(FailurePolicy::FailReload { backoff_ms: 1_000 })
}

/// A world at [`NOW`] whose issuer answers.
pub(crate) fn world() -> WorldBuilder {
    World::builder().now(Duration::from_secs(NOW)).cluster("issuer", |_| Answer::now(jwks()))
}

/// A policy with one public rule and one that asks for a role.
pub(crate) fn policy() -> Value {
    json!({
        "version": 1,
        "issuers": { "bearward": {
            "iss": "http://issuer.example.com",
            "audiences": ["restaurant"],
            "algorithms": ["EdDSA"],
            "token_types": ["at+jwt"],
            "leeway_seconds": 0,
            "keys": { "remote": {
                "cluster": "issuer",
                "uri": "http://issuer.example.com/.well-known/jwks.json",
                "refresh_seconds": 300,
                "timeout_ms": 2000
            } },
            "claims": { "subject": ["sub"], "roles": ["roles"] }
        } },
        "policies": [{
            "name": "restaurant",
            "hosts": ["*"],
            "prefix": "/api",
            "issuers": ["bearward"],
            "rules": [
                { "name": "menu", "methods": ["GET"], "paths": ["/api/menu"], "access": "public" },
                { "name": "edit", "paths": ["/api/menu/*"], "require": { "any_role": ["admin"] } },
                { "name": "orders", "paths": ["/api/orders/**"] }
            ]
        }],
        "forward": { "headers": {
            "x-user-id": { "from": "subject" },
            "x-user-roles": { "from": "roles" },
            "x-user-issuer": { "from": "issuer" }
        } }
    })
}

/// The issuer's JWK Set.
pub(crate) fn jwks() -> Response {
    jwks_of(&[KID])
}

/// A JWK Set of its key under these names.
pub(crate) fn jwks_of(kids: &[&str]) -> Response {
    let keys: Vec<_> = kids.iter().map(|kid| jwk(kid)).collect();
    Response::new(200, json!({ "keys": keys }).to_string())
}

/// The issuer's key under a name.
pub(crate) fn jwk(kid: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "use": "sig", "x": token::public_key(&SEED) })
}

/// A token that the policy takes, changed.
pub(crate) fn token(change: impl FnOnce(&mut Value)) -> String {
    sign("EdDSA", KID, SEED, change)
}

/// The same under a key that is not in the set.
pub(crate) fn unknown_key(change: impl FnOnce(&mut Value)) -> String {
    sign("EdDSA", "key-2", SEED, change)
}

/// The same under any name of the key.
pub(crate) fn of_key(kid: &str, change: impl FnOnce(&mut Value)) -> String {
    sign("EdDSA", kid, SEED, change)
}

/// The same, signed by somebody who only knows the key's name.
pub(crate) fn stranger(change: impl FnOnce(&mut Value)) -> String {
    sign("EdDSA", KID, [8; 32], change)
}

/// The same with another `alg`.
pub(crate) fn sign_with(algorithm: &str, change: impl FnOnce(&mut Value)) -> String {
    sign(algorithm, KID, SEED, change)
}

fn sign(algorithm: &str, kid: &str, seed: [u8; 32], change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": "http://issuer.example.com", "sub": "user-1", "aud": "restaurant", "exp": NOW + 900, "iat": NOW,
        "jti": "jti-1", "sid": "sid-1", "roles": ["customer"], "user_version": 1, "epoch": 1
    });
    change(&mut claims);
    token::sign(&json!({ "alg": algorithm, "typ": "at+jwt", "kid": kid }), &claims, &Key::Ed25519(seed))
}

/// A token whose claims are this text, right in everything else.
pub(crate) fn sign_text(claims: &str) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KID }).to_string();
    token::sign_text(&header, claims, &Key::Ed25519(SEED))
}

/// Longer than the pause between two fetches that unknown keys cause.
const NEXT_FETCH: Duration = Duration::from_millis(600);

/// What comes of a request, also where it is held back until the issuer has been asked for its keys.
pub(crate) fn settled(world: &mut World, request: Request) -> Outcome {
    let stream = world.open(request);
    if world.outcome(stream) == Outcome::Paused {
        world.advance(NEXT_FETCH);
    }
    let outcome = world.outcome(stream);
    world.close(stream);
    outcome
}

/// A request that the policy lets pass with a customer's token.
pub(crate) fn order() -> Request {
    Request::get("/api/orders/1").bearer(&token(|_| ()))
}
