//! What is hostile by design.

use bearward_fuzz::forge::{EDDSA_HEADER, HS256_HEADER, Key, public_k1, sign};
use bearward_fuzz::header::serialized;
use bearward_fuzz::{NOW, deny_list, feed};
use serde_json::{Value, json};

use crate::token::public_key;

/// JSON that readers disagree about.
pub(super) fn json() -> Vec<String> {
    let nested = |open: &str, close: &str, depth| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let mut texts =
        vec![nested("[", "]", 16), nested("[", "]", 17), nested(r#"{"a":"#, "1}", 100), "[".repeat(500)];
    let plain = [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"exp":1e400}"#,
        r#"{"exp":-0}"#,
        r#"{"exp":18446744073709551616}"#,
        r#"{"exp":9007199254740993}"#,
        r#"{"exp":1.7976931348623157e308}"#,
        r#"{"exp":4.9e-324}"#,
        r#"{"exp":1800000600.999999999999999999}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"a":"\ud83d\ude00"}"#,
        r#"{"a":"\u0000"}"#,
        "{\"a\":\"\u{202e}\u{feff}\"}",
        "\u{feff}{}",
        "{} {}",
        "{}\n",
        "{\"a\":1,}",
        "{'a':1}",
        "NaN",
        "null",
        "\"a\"",
        "01",
        "{\"\":{\"\":[]}}",
    ];
    texts.extend(plain.map(str::to_owned));
    texts
}

pub(super) fn tokens() -> Vec<String> {
    let good = sign(
        EDDSA_HEADER,
        br#"{"iss":"http://issuer.test","sub":"u1","aud":"api","exp":1800000600}"#,
        Key::K1,
    );
    let hs256 = sign(HS256_HEADER, br#"{"userId":7,"role":"customer","exp":1800000600}"#, Key::Secret);
    let none = sign(br#"{"alg":"none"}"#, b"{}", Key::K1);
    let mut texts: Vec<String> = [
        "",
        ".",
        "..",
        "...",
        "....",
        "a",
        "a.b",
        "a.b.c",
        "a..c",
        ".b.c",
        "a.b.",
        "e30.e30.",
        "e30.e30.AA",
        "=.=.=",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("{good}."));
    texts.push(format!("{good}="));
    texts.push(good.replace('.', ".."));
    texts.extend([good, hs256, none]);
    texts
}

pub(super) fn claims() -> Vec<String> {
    let own = |changes: Value| {
        let mut claims = bearward_fuzz::forge::payload(&["customer"]);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.to_string()
    };
    [
        json!({}),
        json!({ "roles": "admin" }),
        json!({ "roles": ["a,b"] }),
        json!({ "roles": ["a\u{0}"] }),
        json!({ "roles": [" a"] }),
        json!({ "roles": vec!["r"; 65] }),
        json!({ "roles": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": "\u{e9}%,\u{10ffff}" }),
        json!({ "sub": "s".repeat(257) }),
        json!({ "user": { "id": 7 } }),
        json!({ "user": { "id": -7 } }),
        json!({ "user": [] }),
        json!({ "aud": ["x", "api"] }),
        json!({ "aud": ["api", 7] }),
        json!({ "aud": {} }),
        json!({ "nbf": 1_800_000_030.5 }),
        json!({ "iat": "now" }),
        json!({ "userId": 7, "role": "editor" }),
        json!({ "scope": "orders:readonly orders:write" }),
        json!({ "scope": "orders:read", "org": { "plan": "team" } }),
        json!({ "org": { "plan": "7" } }),
        json!({ "iss": "http://nested.test", "realm_access": { "roles": ["n:admin", "chef", "admin"] } }),
        json!({ "iss": "http://plain.test", "account": { "level": 7.0, "active": true, "tags": ["3", 3] } }),
        json!({ "iss": "http://words.test", "scope": "member orders:read", "tenant": { "id": "t,1" } }),
        json!({ "iss": "http://words.test", "scope": "member  orders:read" }),
        json!({ "userId": 18_446_744_073_709_551_615_u64, "role": ["a", "b"] }),
    ]
    .map(own)
    .into()
}

pub(super) fn paths() -> Vec<String> {
    [
        "/",
        "//",
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/%2e%2e/",
        "/%2E",
        "/a%2fb",
        "/a%5Cb",
        "/a\\b",
        "/a;b=c",
        "/a%00",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%252f",
        "/%c0%af",
        "/%ed%a0%80",
        "/%f4%90%80%80",
        "/a?b#c",
        "/a?%",
        "*",
        "http://api.test/api/menu",
        "",
        "/API/MENU/",
        "/api/menu.",
        "/api/menu%20",
        "/api/menu%20%20./",
        "/api/menu%20/7",
        "/health/",
        "/HEALTH/x.",
        "/account/a,b/c",
        "/account/a%2cb/",
        "/Caf%C3%A9/x",
        "/caf%c3%89/x",
        "/drafts/%20",
        "/a/x/b/y/",
        "/a/./b/../",
        "/private./x",
        "/PRIVATE%20/",
        "/HARD/1",
        "/soft%20/1",
        "/earnest/TRIAL/1",
        "/users/U1/x",
        "/users/u1./",
        "/%75sers/%751;x",
        "/files/a%2f..%2Fb/raw",
        "/files/a;b/c/raw/;x",
    ]
    .map(str::to_owned)
    .into()
}

/// Serialized header maps, whole and broken.
pub(super) fn maps() -> Vec<Vec<u8>> {
    let whole =
        serialized(&[(":method", "GET"), (":path", "/api/menu"), (":authority", "api.test"), ("", "")]);
    let mut maps = vec![
        vec![0; 4],
        vec![0xff; 4],
        [&1_u32.to_le_bytes()[..], &[0xff; 8]].concat(),
        [&10_001_u32.to_le_bytes()[..], &[0; 64]].concat(),
        [&3_u32.to_le_bytes()[..], &[0; 30]].concat(),
    ];
    maps.extend([1, 3, 20, 40].map(|end| whole[..whole.len() - end].to_vec()));
    let mut unended = whole.clone();
    *unended.last_mut().unwrap() = 1;
    maps.extend([unended, [whole.as_slice(), b"more"].concat(), whole]);
    maps
}

pub(super) fn policies() -> Vec<String> {
    let rule = |rule: Value| {
        json!({
            "version": 1,
            "issuers": { "own": {
                "iss": "http://issuer.test", "audiences": ["api"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
                "keys": { "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": public_k1() }] } }
            } },
            "policies": [{ "name": "p", "hosts": ["*"], "prefix": "/", "issuers": ["own"], "rules": [rule] }]
        })
        .to_string()
    };
    vec![
        "{}".to_owned(),
        r#"{"version":2}"#.to_owned(),
        r#"{"version":1,"issuers":{},"policies":[]}"#.to_owned(),
        rule(json!({ "name": "r", "paths": ["/**"], "access": "public" })),
        rule(
            json!({ "name": "r", "paths": ["/api/{id}/**", "/api/*"], "methods": ["GET"], "access": "optional" }),
        ),
        rule(
            json!({ "name": "r", "paths": ["/%zz", "/a//b", "/{a}/{a}", "a"], "methods": ["get", "CONNECT"] }),
        ),
        rule(json!({ "name": "r", "paths": ["/"], "require": { "any_role": ["a"], "all_roles": [] } })),
        // A scheme that is not the one of a token that comes.
        rule(json!({ "name": "r", "paths": ["/**"], "access": "public" })).replacen(
            '{',
            r#"{"credentials":[{"header":"authorization","scheme":"Bearez"}],"forward":{"token":"remove"},"#,
            1,
        ),
        rule(json!({ "nme": "r", "path": ["/"], "acess": null })),
    ]
}

/// Documents that are nested about as deep as protobuf may be, and deeper.
pub(super) fn deep() -> Vec<Value> {
    let nested = |wrap: fn(Value) -> Value, depth| (0..depth).fold(json!(1), |inner, _| wrap(inner));
    let depths = [10, 31, 32, 33, 34, 48, 49, 50, 51, 60, 200];
    let lists = depths.map(|depth| json!({ "issuers": nested(|inner| json!([inner]), depth) }));
    let structs = depths.map(|depth| nested(|inner| json!({ "issuers": inner }), depth));
    [lists, structs].concat()
}

/// Every kind of problem that a set can have, beside a good key and alone.
pub(super) fn key_sets() -> Vec<String> {
    let (x, other) = (public_k1(), public_key(&[2; 32]));
    let ed25519 = |members: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519",{members}}}"#);
    let good = ed25519(&format!(r#""kid":"k1","alg":"EdDSA","use":"sig","x":"{x}""#));
    let keys = [
        ed25519(&format!(r#""kid":"k2","x":"{other}""#)),
        ed25519(&format!(r#""kid":"k1","x":"{other}""#)),
        ed25519(&format!(r#""x":"{x}""#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","key_ops":["verify"]"#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","key_ops":["sign"]"#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","key_ops":7"#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","use":"enc""#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","alg":"ES256""#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","alg":"Ed25519""#)),
        ed25519(&format!(r#""kid":"k1","x":"{x}","d":"AA""#)),
        ed25519(&format!(r#""kid":7,"x":"{x}""#)),
        ed25519(&format!(r#""kid":"","x":"{x}""#)),
        ed25519(&format!(r#""kid":"{}","x":"{x}""#, "k".repeat(129))),
        ed25519(r#""x":"AA""#),
        ed25519(&format!(r#""x":"{x}=""#)),
        ed25519(r#""kid":"k1""#),
        // The point of order one, and bytes that are no point.
        ed25519(r#""x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#),
        ed25519(r#""x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#),
        ed25519(r#""x":"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#),
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"r"}"#.to_owned(),
        r#"{"kty":"oct","k":"AA"}"#.to_owned(),
        r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.to_owned(),
        r#"{"crv":"Ed25519"}"#.to_owned(),
        r#"{"kty":7}"#.to_owned(),
        "7".to_owned(),
    ];
    let beside = keys.iter().map(|key| format!(r#"{{"keys":[{good},{key}]}}"#));
    let alone = keys.iter().map(|key| format!(r#"{{"keys":[{key}]}}"#));
    let whole = [
        format!(r#"{{"keys":[{good}]}}"#),
        format!(r#"{{"keys":[{good}],"keys":[]}}"#),
        format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 65].join(",")),
        r#"{"keys":[]}"#.to_owned(),
        r#"{"keys":{}}"#.to_owned(),
        "[]".to_owned(),
    ];
    beside.chain(alone).chain(whole).collect()
}

pub(super) fn requests() -> Vec<String> {
    [
        "0\nGET\n/api/orders/1\napi.test\nauthorization:Bearer {customer}",
        "0\nDELETE\n/api/menu/7\napi.test\nauthorization:Bearer {admin}",
        "0\nGET\n/api/orders\nx.shop.test\nauthorization:bearer {tutorial}",
        "0\nGET\n/api/feed\napi.test:8080\nauthorization:Bearer {expired}",
        "0\nGET\n/api/feed\napi.test\nauthorization:Basic x,Bearer {customer}",
        "0\nGET\n/api/feed\napi.test\nauthorization:Bearer {customer}\nAuthorization:Bearer {admin}",
        "0\nGET\n/api/orders\napi.test\ncontent-type:application/grpc+proto\nauthorization:Bearer x.y.z",
        "1\nGET\n/admin/x\nadmin.api.test\nauthorization:Bearer {admin}",
        "1\nGET\n/admin\nx.api.test\nauthorization:Bearer {admin}",
        "1\nPOST\n/a/1/b/2/c\nAPI.test\nauthorization:Bearer {customer}\nx_caller:admin\nx.granted:own:admin",
        "1\nGET\n/private/1\nelse.test\nauthorization:Bearer {tutorial}",
        "2\nGET\n/account/\n[::1]:80\nauthorization:Bearer {tutorial}",
        "2\nPUT\n/caf%C3%A9/1\nhost.\nauthorization:Bearer {tutorial}",
        "2\nPUT\n/caf%C3%A9/1\nhost\nauthorization:Bearer {tutorial}\n:path:/drafts/1",
        "2\nget\n/\nuser@host\n:authority:b",
        "2\nCONNECT\nhost:443\nhost:443",
        "2\nGET\n/drafts/1\n\ncookie:a\nhost:other",
        "3\nGET\n/plan\nany.test\nauthorization:Bearer {customer}",
        "3\nGET\n/users/u1/x\nany.test\nauthorization:Bearer {customer}",
        "3\nGET\n/tenants/a/u1\nany.test\nauthorization:Bearer {words}",
        "3\nGET\n/read/7\nany.test\nauthorization:Bearer {words}",
        "3\nPATCH\n/both\nany.test\nauthorization:Bearer {nested}\nx-http-method-override:GET\nx_vip:1",
        "3\nGET\n/feed/1\nany.test\nauthorization:Bearer {nested}\nx-email:a",
        "3\nGET\n/any/1\nany.test\nauthorization:Bearer {tutorial}",
        "4\nPOST\n/rest/1?a=b\nany.test\ncookie:a=b; access_token={customer}\norigin:https://app.test",
        "4\nPOST\n/rest/1\nany.test\ncookie:access_token={customer}\norigin:https://else.test",
        "4\nPUT\n/rest/1\nany.test\ncookie:access_token={customer}\nsec-fetch-site:same-origin",
        "4\nGET\n/rest/1?access_token={tutorial}&x=1\nany.test\nupgrade:websocket",
        "4\nGET\n/rest/1?access_token=x;access_token={customer}&Access.Token=1\nany.test",
        "4\nGET\n/cart/1\nany.test\nauthorization:Basic eDp4\nx-access-token:{customer}\nx_access_token:y",
        "4\nGET\n/cart\nany.test\nauthorization:Basic eDp4\ncookie:ACCESS_TOKEN=1,session=2",
        "4\nGET\n/rest/1\nany.test\ncookie:access_token={customer}; access_token={admin}",
        "4\nGET\n/rest/1\nany.test\ncookie:access_token={customer}, %41ccess.token=x",
        "4\nGET\n/rest/1\nany.test\nx-access-token:{customer}\nx-access-token:{admin}",
        "4\nGET\n/rest/1?access_token={customer}&access_token={admin}\nany.test",
        "4\nOPTIONS\n/cart\nany.test\norigin:https://app.test\naccess-control-request-method:PUT\nx-access-token:{admin}",
        "4\nOPTIONS\n/form/x\nany.test\norigin:https://form.test\naccess-control-request-method:PUT\ncontent-length:1",
        "4\nPOST\n/form/x\nany.test\nauthorization:token {customer}\ncookie:session={admin}\norigin:https://form.test",
        "4\nGET\n/form/help/x\nany.test\nauthorization:Token {customer}",
        "4\nGET\n/b/x?t={customer}&access_token={admin}\na.files.test\nauthorization:Bearer {admin}",
        "5\nGET\n/soft/1?access_token={admin}\nany.test\ncookie:access_token=x",
        "5\nGET\n/hard/1\nany.test\nauthorization:Bearer {customer}",
        "5\nGET\n/hard\nany.test\nauthorization:Bearer {expired}",
        "5\nGET\n/admin/1\nany.test\nauthorization:Bearer {customer}\nx-user-id:root",
        "5\nGET\n/open\nany.test\nauthorization:Bearer {customer}\ncookie:a=b; access_token={admin}",
        "5\nGET\n/earnest/Trial/1\nany.test\nauthorization:Bearer {admin}",
        "5\nGET\n/earnest/trial/1\nany.test\nauthorization:Bearer {customer}",
        "5\nPUT\n/none\nany.test\nauthorization:Bearer {customer}",
        "5\nGET\n//\nlax.test\nauthorization:Bearer {customer}",
        "5\nGET\n/a/1\nlax.test\nauthorization:Bearer {customer},Bearer {admin}",
        "5\nOPTIONS\n/a/1\nlax.test\norigin:https://app.test\naccess-control-request-method:PUT",
        "5\nGET\n/x\nb.firm.test\nauthorization:Bearer {customer}",
        "6\nGET\n/API/Menu/\nany.test",
        "6\nPUT\n/api/menu/NEW\nany.test\nauthorization:Bearer {admin}",
        "6\nGET\n/users/u1/\nany.test\nauthorization:Bearer {customer}",
        "6\nGET\n/Admin/a%2Fb/\nany.test\nauthorization:Bearer {admin}",
        "6\nGET\n/drafts/\nany.test",
        "7\nGET\n/files/a%2Fb/r%61w\nany.test",
        "7\nGET\n/files/%2e%2E/raw\nany.test",
        "7\nGET\n/%66iles/a;v=1/raw?t={customer}&u=%41\nany.test",
        "7\nPUT\n/%75sers/%751;x?a=%41&t={customer}\nany.test",
        "7\nGET\n/a,b/x?access_token={customer}&t={admin}\nany.test",
        "7\nGET\n/%7e/x\nany.test\nauthorization:Bearer {customer}",
        "0",
        "0\nGET",
    ]
    .map(str::to_owned)
    .into()
}

/// Answers of a feed: good ones, and each with something that cannot be.
pub(super) fn answers() -> Vec<String> {
    let session = json!({ "sequence": 1, "kind": "session", "name": "s1", "ends_at": NOW + 60 });
    let subject = json!({
        "sequence": 2, "kind": "subject", "name": "u1", "minimum": 4, "epoch": 2, "reason": "gone", "ends_at": NOW + 60,
    });
    let key = json!({ "sequence": 3, "kind": "key", "name": "k1" });
    let epoch = json!({ "sequence": 4, "kind": "epoch", "minimum": 3, "ends_at": NOW + 60 });
    let first = |record: &Value| {
        let mut record = record.clone();
        record["sequence"] = json!(1);
        feed::snapshot(&[record])
    };
    let mut all = vec![
        feed::snapshot(&[]),
        feed::snapshot(&[session.clone(), subject.clone(), key.clone(), epoch.clone()]),
    ];
    all.extend([&session, &subject, &key, &epoch].map(first));
    let whole = feed::snapshot(&[session]);
    for (pointer, value) in [
        ("/version", json!(2)),
        ("/iss", json!("http://other.test")),
        ("/as_of", json!((NOW + 600) * 1_000)),
        ("/as_of", json!((NOW - 61) * 1_000)),
        ("/as_of", json!(0)),
        ("/generation", json!("0")),
        ("/head/digest", json!("zz".repeat(32))),
        ("/head/sequence", json!(2)),
        ("/through", json!(0)),
        ("/after", json!(1)),
        ("/records/0/sequence", json!(0)),
        ("/records/0/name", json!("")),
        ("/records/0/ends_at", json!(u64::MAX)),
        ("/records/0/kind", json!("client")),
        (
            "/records/0",
            json!({ "sequence": 1, "kind": "session", "name": "s1", "minimum": 1, "ends_at": NOW + 60 }),
        ),
        ("/records/0", json!([1, "session", "s1"])),
        ("/records", Value::Null),
    ] {
        let mut answer = whole.clone();
        *answer.pointer_mut(pointer).expect("a member") = value;
        all.push(answer);
    }
    let mut delta = whole;
    let members = delta.as_object_mut().expect("an object");
    members.remove("after");
    members.remove("through");
    members.insert("from".to_owned(), json!({ "sequence": 0, "digest": "00".repeat(32) }));
    all.push(delta);
    all.iter().map(ToString::to_string).collect()
}

/// Deny lists: good ones, and each with something that is not understood.
pub(super) fn lists() -> Vec<String> {
    let of = |iat: u64, deny: Value| String::from_utf8(deny_list::of(iat, deny)).expect("text");
    let mut all: Vec<String> =
        [NOW, NOW - 60, NOW - 61, NOW + 60, NOW + 61, 0].map(|iat| of(iat, json!([]))).to_vec();
    for entry in [
        json!({ "jti": "t1" }),
        json!({ "sid": "s1" }),
        json!({ "sub": "u1", "issued_before": NOW + 1 }),
        json!({ "sub": "u1", "issued_before": NOW }),
        json!({ "jti": "018f3b7c-aa00-7c3e-9d2b-000000000001" }),
        json!({ "jti": "" }),
        json!({ "jti": 7 }),
        json!({ "jti": null, "sid": "s1" }),
        json!({ "jti": "t1", "sid": "s1" }),
        json!({ "sub": "u1" }),
        json!({ "sub": "u1", "issued_before": 1.5 }),
        json!({ "sub": "u1", "issued_before": u64::MAX }),
        json!({ "jti": "t2", "reason": "x" }),
        json!(["t1"]),
    ] {
        all.push(of(NOW, json!([{ "jti": "t2" }, entry])));
    }
    let good = of(NOW, json!([{ "jti": "t1" }]));
    all.push(good.replacen("\"jti\"", "\"j\\u0074i\"", 1));
    all.push(good.replacen("\"t1\"", "\"\\u00741\"", 1));
    all.push(good.replacen('{', "{\"deny\":[],", 1));
    all.push(good.replacen('{', "{\"exp\":1,", 1));
    all.push(good.replacen("issuer.test", "other.test", 1));
    all.push(format!("[\"http://issuer.test\",{NOW},[]]"));
    all.push(sign(br#"{"alg":"EdDSA","typ":"deny-list+jwt","kid":"k2"}"#, good.as_bytes(), Key::K2));
    all
}
