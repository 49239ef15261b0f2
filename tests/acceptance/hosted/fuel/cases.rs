//! The cases: ordinary ones, and for each bound the dearest that we could think of.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::algorithm::AlgorithmName;
use bearward_core::path::MAX_PATH_BYTES;
use bearward_core::policy::MAX_POLICY_BYTES;
use bearward_protocol::bounds::{
    MAX_JSON_DEPTH, MAX_JWK_SET_BYTES, MAX_KEYS, MAX_ROLES, MAX_RSA_EXPONENT, MAX_RSA_MODULUS_BITS,
    MAX_TOKEN_BYTES,
};
use bearward_testhost::{Plugin, Request, Response};
use bearward_tests::signing::Scheme;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

use crate::hosted::gate::{self, order, policy, stranger, token};

/// The name of the secret of the cases that use HS256.
const SECRET: &str = "HS256_SECRET";
/// The secret itself, 64 bytes: a whole block.
const SECRET_VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Something that the module does.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    policy: Value,
    /// Whether the host verifies what it can; else the filter does it all, as it does under an old Envoy.
    pub(super) host_verifies: bool,
    /// The request that came before, so that whatever is made once has been: the same one, whose token is known then, or one with
    /// another token of the same key.
    pub(super) before: Option<Box<Request>>,
    pub(super) work: Work,
}

/// What is counted.
pub(super) enum Work {
    /// Reading the policy.
    Configuration,
    /// Reading an answer of the issuer.
    JwkSet(Response),
    /// A request, and the status that it must get.
    Request(Box<Request>, u16),
}

impl Case {
    pub(super) fn plugin(&self) -> Plugin {
        gate::plugin(&self.policy).environment(SECRET, SECRET_VALUE)
    }
}

pub(super) fn all() -> Vec<Case> {
    [ordinary(), algorithms(), tokens(), paths(), headers(), policies(), key_sets()]
        .into_iter()
        .flatten()
        .collect()
}

fn request(name: &'static str, about: &'static str, request: Request, status: u16) -> Case {
    under(policy(), name, about, request, status)
}

fn under(policy: Value, name: &'static str, about: &'static str, request: Request, status: u16) -> Case {
    let work = Work::Request(Box::new(request), status);
    Case { name, about, policy, host_verifies: true, before: None, work }
}

fn again(case: Case) -> Case {
    let before = match &case.work {
        Work::Request(request, _) => Some(request.clone()),
        Work::Configuration | Work::JwkSet(_) => None,
    };
    Case { before, ..case }
}

/// After a request with another token.
fn after(token: &str, case: Case) -> Case {
    Case { before: Some(Box::new(bearer(token))), ..case }
}

/// The claims of the ordinary token, and of another one.
fn claims() -> Value {
    token::claims(&token(|_| ()))
}

fn other_claims() -> Value {
    token::claims(&token(other))
}

fn other(claims: &mut Value) {
    claims["jti"] = "another".into();
}

fn bearer(token: &str) -> Request {
    Request::get("/api/orders/1").bearer(token)
}

fn ordinary() -> Vec<Case> {
    vec![
        again(request("request: public", "no token is looked at", Request::get("/api/menu"), 200)),
        again(request("request: no token", "401", Request::get("/api/orders/1"), 401)),
        after(&token(other), request("request: EdDSA", "a new token, forwarded", order(), 200)),
        again(request("request: known token", "the same once more", order(), 200)),
        again(request(
            "request: longest known token",
            "as many bytes as are looked at, in one claim",
            bearer(&filled(MAX_TOKEN_BYTES, text)),
            200,
        )),
        after(
            &hs256_token(&other_claims()),
            under(
                hs256(),
                "request: HS256",
                "a new token under a secret",
                bearer(&hs256_token(&claims())),
                200,
            ),
        ),
        request(
            "request: no right",
            "the token is good, the role is missing",
            Request::get("/api/menu/1").bearer(&token(|_| ())),
            403,
        ),
        request("request: forged", "EdDSA, signed by somebody else", bearer(&stranger(|_| ())), 401),
    ]
}

/// New tokens under keys of every kind, by the filter alone, and by the host where it can.
fn algorithms() -> Vec<Case> {
    use AlgorithmName::{Es256, Es384, Ps256, Rs256};
    let case = |name, about, host_verifies, algorithm, key: Key| {
        let request = bearer(&signed(algorithm, &key, &claims()));
        let case = under(signed_by(algorithm, &key.jwk()), name, about, request, 200);
        after(&signed(algorithm, &key, &other_claims()), Case { host_verifies, ..case })
    };
    let (p256, p384) = (|| Key::P256([1; 32]), || Key::P384([1; 48]));
    let largest = largest_rsa_key(0);
    vec![
        case("request: ES256", "by the filter itself", false, Es256, p256()),
        case("request: ES384", "by the filter itself", false, Es384, p384()),
        case("request: RS256", "2048 bits, by the filter itself", false, Rs256, Key::Rsa),
        case("request: PS256", "2048 bits", false, Ps256, Key::Rsa),
        case("request: ES256 by the host", "whose own work is not counted", true, Es256, p256()),
        case("request: RS256 by the host", "the same", true, Rs256, Key::Rsa),
        under(
            signed_by(Ps256, &largest),
            "request: largest RSA key",
            "8192 bits with the greatest exponent, PS256, signed by nobody",
            bearer(&signed_by_nobody(Ps256, MAX_RSA_MODULUS_BITS / 8)),
            401,
        ),
    ]
}

fn tokens() -> Vec<Case> {
    let roles: Vec<_> = (0..MAX_ROLES).map(|role| format!("role-{role:02}-{}", "r".repeat(60))).collect();
    vec![
        request(
            "request: longest token",
            "as many bytes as are looked at, in one claim",
            bearer(&filled(MAX_TOKEN_BYTES, text)),
            200,
        ),
        request(
            "request: most members",
            "the longest token, made of as many claims as fit",
            bearer(&filled(MAX_TOKEN_BYTES, members)),
            200,
        ),
        request(
            "request: most escapes",
            "the longest token, a string made of escapes",
            bearer(&filled(MAX_TOKEN_BYTES, escapes)),
            200,
        ),
        request(
            "request: longest forged token",
            "the longest token, signed by somebody else",
            bearer(&in_place_of_the_signature(&filled(MAX_TOKEN_BYTES, members))),
            401,
        ),
        request(
            "request: longest token and one byte",
            "refused unread",
            bearer(&"a".repeat(MAX_TOKEN_BYTES + 1)),
            401,
        ),
        request(
            "request: most segments",
            "the longest token, all of it dots",
            bearer(&".".repeat(MAX_TOKEN_BYTES)),
            401,
        ),
        request(
            "request: deepest JSON",
            "nested as deep as is read, in the longest token",
            bearer(&filled(MAX_TOKEN_BYTES, deepest)),
            200,
        ),
        request(
            "request: too deep JSON",
            "nested as deep as fits into the longest token",
            bearer(&filled(MAX_TOKEN_BYTES, |size| nested(size / 2))),
            401,
        ),
        request(
            "request: most roles",
            "as many roles as one token may carry, in a header at the end",
            bearer(&token(|claims| claims["roles"] = json!(roles))),
            200,
        ),
    ]
}

fn paths() -> Vec<Case> {
    let longest = |beginning: &str, part: &str| {
        let room = MAX_PATH_BYTES - beginning.len();
        let path = format!("{beginning}{}", part.repeat(room / part.len()));
        Request::get(path).bearer(&token(|_| ()))
    };
    vec![
        request(
            "request: longest path",
            "as many bytes as are looked at, in one segment",
            longest("/api/orders/", "a"),
            200,
        ),
        request(
            "request: most path segments",
            "the longest path, a letter a segment",
            longest("/api/orders", "/a"),
            200,
        ),
        request(
            "request: most percent-encodings",
            "the longest path, all of it encoded",
            longest("/api/orders", "/%C3%A4"),
            200,
        ),
        request(
            "request: longest query",
            "which nobody looks at",
            Request::get(format!("/api/menu?{}", "q".repeat(50_000))),
            200,
        ),
    ]
}

fn headers() -> Vec<Case> {
    let many =
        (0..100).fold(order(), |request, number| request.header(format!("x-header-{number}"), "value"));
    let spelled = (0..100).fold(order(), |request, number: u8| {
        // Every spelling of the three identity headers that folds into them.
        let between = |bit: u8| if number >> bit & 1 == 1 { '_' } else { '.' };
        let name = format!(
            "x{}user{}{}",
            between(0),
            between(1),
            ["id", "roles", "issuer"][usize::from(number) % 3]
        );
        request.header(name, format!("forged-{number}"))
    });
    vec![
        request("request: most headers", "100 more, as many as Envoy lets in", many, 200),
        request("request: most identity headers", "100 of the client's own to be removed", spelled, 200),
        request(
            "request: largest header",
            "1 MB in a header that nobody looks at",
            order().header("x-large", "x".repeat(1_000_000)),
            200,
        ),
        request("request: largest credentials", "1 MB after Bearer", bearer(&"x".repeat(1_000_000)), 401),
    ]
}

fn policies() -> Vec<Case> {
    let rules = |count: usize| {
        let mut policy = policy();
        let rules = (0..count).map(|number| {
            json!({ "name": format!("rule-{number}"), "methods": ["PUT"], "paths": [format!("/api/orders/*/{number}/**")] })
        });
        let last = json!({ "name": "last", "paths": ["/api/orders/**"] });
        policy["policies"][0]["rules"] = rules.take(count - 1).chain([last]).collect();
        policy
    };
    let patterns = |count: usize| {
        let mut policy = policy();
        let paths: Vec<_> = (0..count).map(|number| format!("/api/{{id}}/*/{number}")).collect();
        // A list holds 1,000; as many lists as it takes.
        policy["policies"][0]["rules"] = paths
            .chunks(1_000)
            .enumerate()
            .map(|(at, paths)| json!({ "name": format!("rule-{at}"), "paths": paths }))
            .collect();
        policy
    };
    let hosts = |count: usize| {
        let mut policy = policy();
        let of_host = |number: usize| {
            let mut scope = policy["policies"][0].clone();
            scope["name"] = json!(format!("policy-{number}"));
            scope["hosts"] = json!([format!("host-{number}.example.com")]);
            scope
        };
        let scopes: Vec<_> = (0..count - 1).map(of_host).collect();
        policy["policies"].as_array_mut().unwrap().extend(scopes);
        policy
    };
    let configuration = |policy: Value, name, about| {
        assert!(policy.to_string().len() <= MAX_POLICY_BYTES, "{name}");
        Case { name, about, policy, host_verifies: true, before: None, work: Work::Configuration }
    };
    vec![
        configuration(policy(), "configuration: small", "the policy of the cases above"),
        configuration(
            signed_by(AlgorithmName::Rs256, &Key::Rsa.jwk()),
            "configuration: RS256",
            "the same for a key of RSA, with the host asked whether it verifies",
        ),
        configuration(rules(1_000), "configuration: most rules", "1,000 rules in one policy"),
        configuration(patterns(10_000), "configuration: most paths", "10,000 paths in ten rules"),
        configuration(hosts(1_000), "configuration: most policies", "1,000 policies, each for a host"),
        under(rules(1_000), "request: most rules", "the last of 1,000 rules decides", order(), 200),
        under(
            patterns(10_000),
            "request: most paths",
            "none of 10,000 paths is the request's",
            Request::get("/api/a/b/c"),
            403,
        ),
        under(hosts(1_000), "request: most policies", "1,000 policies, each for a host", order(), 200),
    ]
}

fn key_sets() -> Vec<Case> {
    let jwk = |kid: String, seed: u8| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": token::public_key(&[seed; 32]) });
    let set = |body: String| Work::JwkSet(Response::new(200, body));
    let case =
        |name, about, work| Case { name, about, policy: policy(), host_verifies: true, before: None, work };
    let most: Vec<_> =
        (0..MAX_KEYS).map(|key| jwk(format!("{key:0128}"), u8::try_from(key).unwrap())).collect();
    let many: Vec<_> = (0..1_000).map(|key| jwk(format!("{key}"), 1)).collect();
    let nested = format!("{{\"keys\":{}", "[".repeat(MAX_JWK_SET_BYTES - 8));
    vec![
        case("JWK Set: one key", "an ordinary set", Work::JwkSet(gate::jwks())),
        case(
            "JWK Set: most keys",
            "as many keys as a set may hold",
            set(json!({ "keys": most }).to_string()),
        ),
        Case {
            policy: {
                let mut policy = policy();
                policy["issuers"]["bearward"]["algorithms"] = json!(["RS256"]);
                policy
            },
            ..case(
                "JWK Set: most RSA keys",
                "as many keys as a set may hold, each as large as it may be",
                set(json!({ "keys": (0..MAX_KEYS).map(largest_rsa_key).collect::<Vec<_>>() }).to_string()),
            )
        },
        case("JWK Set: too many keys", "1,000 keys, refused", set(json!({ "keys": many }).to_string())),
        case("JWK Set: deepest", "as large as is read, all of it brackets, refused", set(nested)),
        case("JWK Set: garbage", "as large as is read, refused", set("x".repeat(MAX_JWK_SET_BYTES))),
        case("JWK Set: too large", "10 MB, refused unread", set("x".repeat(10_000_000))),
    ]
}

/// The policy for an issuer with this one key.
fn signed_by(algorithm: AlgorithmName, jwk: &Value) -> Value {
    let mut policy = policy();
    policy["issuers"]["bearward"]["algorithms"] = json!([algorithm.as_str()]);
    policy["issuers"]["bearward"]["keys"] = json!({ "jwks": { "keys": [jwk] } });
    policy
}

/// The ordinary token under another key.
fn signed(algorithm: AlgorithmName, key: &Key, claims: &Value) -> String {
    let claims = claims.to_string();
    let header = json!({ "alg": algorithm.as_str(), "typ": "at+jwt" }).to_string();
    token::sign_text_with(&header, &claims, key, Some(Scheme { algorithm, salt_bytes: None }))
}

/// The ordinary token with a signature of that many bytes that nobody made.
fn signed_by_nobody(algorithm: AlgorithmName, bytes: usize) -> String {
    let header = json!({ "alg": algorithm.as_str(), "typ": "at+jwt" }).to_string();
    let unsigned = token::sign_text(&header, &token::claims(&token(|_| ())).to_string(), &Key::None);
    format!("{unsigned}{}", URL_SAFE_NO_PAD.encode(vec![0x5a; bytes]))
}

/// A key that nobody has the other half of.
fn largest_rsa_key(number: usize) -> Value {
    let mut modulus = vec![0xa5; MAX_RSA_MODULUS_BITS / 8];
    modulus[1] = u8::try_from(number).unwrap();
    let exponent = MAX_RSA_EXPONENT.to_be_bytes();
    let exponent = &exponent[exponent.iter().take_while(|byte| **byte == 0).count()..];
    let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
    json!({ "kty": "RSA", "kid": format!("{number:0128}"), "n": n, "e": e })
}

fn hs256() -> Value {
    let mut policy = policy();
    policy["issuers"]["bearward"]["algorithms"] = json!(["HS256"]);
    policy["issuers"]["bearward"]["keys"] = json!({ "secrets_env": [SECRET] });
    policy
}

fn hs256_token(claims: &Value) -> String {
    token::sign(&json!({ "alg": "HS256", "typ": "at+jwt" }), claims, &Key::Hmac(SECRET_VALUE.into()))
}

/// A good token of at most that size: one more claim, the text of which is as large as fits.
fn filled(size: usize, claim: impl Fn(usize) -> String) -> String {
    let with = |room: usize| {
        let claims = token::claims(&token(|_| ())).to_string();
        let claims = format!("{},\"filler\":{}}}", claims.strip_suffix('}').unwrap(), claim(room));
        gate::sign_text(&claims)
    };
    let mut room = size;
    loop {
        let token = with(room);
        if token.len() <= size {
            assert!(token.len() > size * 9 / 10, "{} bytes of {size}", token.len());
            return token;
        }
        // Three bytes become four letters.
        room -= (token.len() - size).div_ceil(4).max(1);
    }
}

fn text(size: usize) -> String {
    format!("\"{}\"", "x".repeat(size))
}

fn escapes(size: usize) -> String {
    format!("\"{}\"", "\\u0001".repeat(size / 6))
}

/// An object of about that many bytes, of as many members as fit.
fn members(size: usize) -> String {
    let members: Vec<_> = (0..size / 8).map(|number| format!("\"{number:03x}\":0")).collect();
    format!("{{{}}}", members.join(","))
}

/// Arrays of that depth.
fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// As deep as is read, again and again, in about that many bytes.
fn deepest(size: usize) -> String {
    // The claims are a level, and this list is one.
    let one = nested(MAX_JSON_DEPTH - 2);
    format!("[{}]", vec![one.as_str(); size / (one.len() + 1)].join(","))
}

/// The same token with the signature of another.
fn in_place_of_the_signature(token: &str) -> String {
    let other = stranger(|_| ());
    let (input, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    format!("{input}.{signature}")
}
