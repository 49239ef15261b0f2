//! Metrics, properties, foreign functions, time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::script::Argument::{self, Kept, Long, Number, Out, OutBytes, OutLong};
use super::super::script::{Scenario, Step, bytes, get, scenario, step};

/// A P-256 key as SPKI DER, and its signature of `signed text` with SHA-256.
const EC_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyKwmxrRBqhD3fugeYmhVaxiCvay4QBRiq04qFC0hrO66SzpTj3dsQyfjrj4or7290r6enYcg2ekcuKTJBwNg1Q==";
const EC_SIGNATURE: &str =
    "MEYCIQDlpaE49L0/y5EIA5Due0Dy7oBo0UV007y/ww8WL6GA4gIhAO1yywLI/mVSY89sXksSYA9E2H+VlApi+cBLBPE8yCZx";
/// The same with RSA of 2048 bits.
const RSA_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5PfzOr64tWTYOXIFE1IOY4xdEWXpTL+H2H0UVihP/dru3W6Mpxt53IDYyimrrQo1+aN2wavIu1TNXmGFud3hlTGn2ffl0+1zU0aViXEDNO1E1txSQLwUgl+8Ue0Va0SkFdB1/E7hl30ablDuW7W+r/KA4N3irdr3tyPUZt3xwnbKkLsEdudfgziZSyoU6U115xEmMRMyr2kKvdDoDDWOJL//n8TPHJfn/BK6F9y65rarXPWLh4/cKC2alvUn2pXhOdydrYNqfK5eO2kvwGtaaNyzR0Dhc1pvIOm7mqC3IVKhpiJ27U/oaW4+6W/Ich2AhJlZSuZDFF04CXAhWMKIaQIDAQAB";
const RSA_SIGNATURE: &str = "eWt+KWYXgnWn1NcQ1QApk/KHtSG2LsM3APq0cN61AoMFVoLsT2nRHglueYM0MWbmhllm5HyVwo1zntlUllEFNK1iZeh0jAqoSl4EtY+NFnzog85acfPziDzr2DGWf6RtO84KR5V8Tb3xJai3kaQEL6OV80N7gezdr194U70e6o7EMmx2xe5UA4bTc2m1tSeHQQP05L1tJJRYneOTERxYoR3JmSy12Mfktu6FwwiQIa9Fn3SdYxboPsEdgLIWVWVF23LDCWZmCfdK3Yn72P+o+E4KhI6bhRRrKdjSz+zUszHy5o6sCGvLg6CX+j9UO22PcCXv8eu99e+fEo1pL3vOJQ==";

pub(super) fn all() -> Vec<Scenario> {
    vec![metrics(), properties(), signatures(), unknown_functions()]
}

fn metrics() -> Scenario {
    let define = |label, kind, name: &'static str, out| {
        step(label, "proxy_define_metric", vec![Number(kind), bytes(name), Out(out)])
    };
    let increment = |label, metric, by| step(label, "proxy_increment_metric", vec![metric, Long(by)]);
    let record = |label, metric, value| step(label, "proxy_record_metric", vec![metric, Long(value)]);
    let read = |label, metric| step(label, "proxy_get_metric", vec![metric, OutLong]);
    scenario("metrics").request(get("/")).on(
        "proxy_on_request_headers",
        vec![
            define("counter", 0, "c", "counter"),
            define("gauge", 1, "g", "gauge"),
            define("histogram", 2, "h", "histogram"),
            define("no kind", 3, "x", "none"),
            define("counter again", 0, "c", "again"),
            increment("counter", Kept("counter"), 3),
            increment("counter by nothing", Kept("counter"), 0),
            increment("counter down", Kept("counter"), -1),
            increment("counter by its other number", Kept("again"), 4),
            read("counter", Kept("counter")),
            record("counter", Kept("counter"), 5),
            read("counter", Kept("again")),
            record("gauge", Kept("gauge"), 10),
            increment("gauge", Kept("gauge"), 5),
            increment("gauge down", Kept("gauge"), -7),
            read("gauge", Kept("gauge")),
            record("histogram", Kept("histogram"), 10),
            increment("histogram", Kept("histogram"), 1),
            read("histogram", Kept("histogram")),
            increment("unknown counter", Number(400), 1),
            increment("unknown counter down", Number(400), -1),
            increment("unknown gauge", Number(401), 1),
            increment("unknown kind", Number(403), 1),
            record("unknown counter", Number(400), 1),
            record("unknown kind", Number(403), 1),
            read("unknown counter", Number(400)),
            read("unknown kind", Number(403)),
        ],
    )
}

fn properties() -> Scenario {
    let read = |label, path: &'static str| step(label, "proxy_get_property", vec![bytes(path), OutBytes]);
    let write = |label, path: &'static str, value: &'static str| {
        step(label, "proxy_set_property", vec![bytes(path), bytes(value)])
    };
    let of_root = vec![
        read("name", "plugin_name"),
        read("root", "plugin_root_id"),
        read("vm", "plugin_vm_id"),
        read("own", "own"),
        write("own", "own", "x"),
        read("path", "request\0path"),
    ];
    scenario("properties")
        .request(get("/path?query").header("x-own", "1"))
        .on("proxy_on_configure", of_root)
        .on(
            "proxy_on_request_headers",
            vec![
                read("unknown", "nobody"),
                write("own", "own", "value"),
                read("own", "own"),
                read("own with more", "own\0more"),
                write("own again", "own", "other"),
                read("own", "own"),
                write("with parts", "a\0b", "parts"),
                read("with parts", "a\0b"),
                write("dotted", "bearward:x.y", "dotted"),
                read("dotted", "bearward:x.y"),
                write("empty", "empty", ""),
                read("empty", "empty"),
                read("nothing", ""),
                read("name", "plugin_name"),
                read("root", "plugin_root_id"),
                read("vm", "plugin_vm_id"),
                read("path", "request\0path"),
                read("path alone", "request\0url_path"),
                read("host", "request\0host"),
                read("method", "request\0method"),
                read("scheme", "request\0scheme"),
                read("header", "request\0headers\0x-own"),
                read("no header", "request\0headers\0x-absent"),
                step("nowhere", "proxy_get_property", vec![Number(-4), Number(8), OutBytes]),
            ],
        )
}

/// The message that `verify_signature` takes.
fn arguments(hash: &str, key: &[u8], signature: &[u8], text: &[u8]) -> Argument {
    let mut message = Vec::new();
    for (number, field) in [(1, hash.as_bytes()), (2, key), (3, signature), (4, text)] {
        message.push(number << 3 | 2);
        // A length of up to 14 bits, as a varint.
        let size = u8::try_from(field.len() & 0x7f).unwrap();
        match u8::try_from(field.len() >> 7).unwrap() {
            0 => message.push(size),
            high => message.extend([size | 0x80, high]),
        }
        message.extend(field);
    }
    bytes(message)
}

fn signatures() -> Scenario {
    let decode = |text| STANDARD.decode(text).unwrap();
    let verify = |label, arguments| {
        step(label, "proxy_call_foreign_function", vec![bytes("verify_signature"), arguments, OutBytes])
    };
    let mut steps = Vec::new();
    for (key, signature) in [(EC_KEY, EC_SIGNATURE), (RSA_KEY, RSA_SIGNATURE)] {
        let (key, signature) = (decode(key), decode(signature));
        steps.extend([
            verify("good", arguments("sha256", &key, &signature, b"signed text")),
            verify("capitals", arguments("SHA256", &key, &signature, b"signed text")),
            verify("another text", arguments("sha256", &key, &signature, b"other text")),
            verify("no signature", arguments("sha256", &key, b"", b"signed text")),
            verify("garbage", arguments("sha256", &key, b"garbage", b"signed text")),
            verify("unknown hash", arguments("sha3", &key, &signature, b"signed text")),
            verify("no hash", arguments("", &key, &signature, b"signed text")),
            verify("another hash", arguments("sha384", &key, &signature, b"signed text")),
        ]);
    }
    steps.extend([
        verify("no key", arguments("sha256", b"", b"x", b"signed text")),
        verify("garbage for a key", arguments("sha256", b"garbage", b"x", b"signed text")),
        verify("no message", bytes("\u{7f}\u{7f}")),
        verify("nothing", bytes("")),
    ]);
    scenario("signatures").request(get("/")).on("proxy_on_request_headers", steps)
}

fn unknown_functions() -> Scenario {
    let call = |label, name: &'static str| -> Step {
        step(label, "proxy_call_foreign_function", vec![bytes(name), bytes("x"), OutBytes])
    };
    scenario("functions")
        .request(get("/"))
        .on("proxy_on_request_headers", vec![call("unknown", "no_such_function"), call("no name", "")])
}
