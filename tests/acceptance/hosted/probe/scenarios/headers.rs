//! Header maps of requests and responses.

use super::super::script::Argument::{Number, Out, OutBytes};
use super::super::script::{Scenario, Step, bytes, get, pairs, scenario, step};

/// Names that Envoy may keep in a place of their own: it then joins two values of a request to one.
const TWICE: [&str; 24] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "grpc-timeout",
    "if-match",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "user-agent",
    "via",
    "x-api-key",
    "x-b3-traceid",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-ot-span-context",
    "x-own",
];

/// The same of names that Envoy does not take from a client as they are, and of some that a response has.
const ADDED_TWICE: [&str; 30] = [
    "accept-charset",
    "access-control-allow-origin",
    "access-control-request-headers",
    "content-encoding",
    "date",
    "etag",
    "grpc-accept-encoding",
    "grpc-message",
    "grpc-status",
    "if-modified-since",
    "if-range",
    "if-unmodified-since",
    "location",
    "pragma",
    "priority",
    "proxy-authorization",
    "retry-after",
    "sec-fetch-site",
    "server",
    "set-cookie",
    "te",
    "traceparent",
    "vary",
    "www-authenticate",
    "x-envoy-original-path",
    "x-forwarded-client-cert",
    "x-forwarded-port",
    "x-http-method-override",
    "x-request-id",
    "x-user-id",
];

pub(super) fn all() -> Vec<Scenario> {
    vec![
        reading(),
        changing(),
        others(),
        twice(),
        added_twice("added_twice", 0),
        added_twice("added_to_response", 2),
        responses(),
    ]
}

fn all_of(map: i32) -> Step {
    step("all", "proxy_get_header_map_pairs", vec![Number(map), OutBytes])
}

fn get_one(label: &'static str, map: i32, name: &'static str) -> Step {
    step(label, "proxy_get_header_map_value", vec![Number(map), bytes(name), OutBytes])
}

fn change(label: &'static str, hostcall: &'static str, name: &'static str, value: &'static [u8]) -> Step {
    step(label, hostcall, vec![Number(0), bytes(name), bytes(value)])
}

fn remove(label: &'static str, name: &'static str) -> Step {
    step(label, "proxy_remove_header_map_value", vec![Number(0), bytes(name)])
}

fn reading() -> Scenario {
    scenario("reading")
        .request(
            get("/path?query")
                .header("X-Mixed-Case", "Value")
                .header("x-twice", "first")
                .header("x-other", "between")
                .header("X-Twice", "second")
                .header("x-bytes", b"\xff\xfe\x80")
                .header("x-empty", "")
                .header("x_under", "score"),
        )
        .on(
            "proxy_on_request_headers",
            vec![
                all_of(0),
                get_one("lower", 0, "x-mixed-case"),
                get_one("as sent", 0, "X-Mixed-Case"),
                get_one("twice", 0, "x-twice"),
                get_one("bytes", 0, "x-bytes"),
                get_one("empty", 0, "x-empty"),
                get_one("absent", 0, "x-absent"),
                get_one("path", 0, ":path"),
                get_one("host", 0, "host"),
                get_one("authority", 0, ":authority"),
                get_one("no name", 0, ""),
                step("size", "proxy_get_header_map_size", vec![Number(0), Out("size")]),
                step(
                    "nowhere",
                    "proxy_get_header_map_value",
                    vec![Number(0), Number(-4), Number(8), OutBytes],
                ),
            ],
        )
}

fn changing() -> Scenario {
    const ADD: &str = "proxy_add_header_map_value";
    const REPLACE: &str = "proxy_replace_header_map_value";
    scenario("changing")
        .request(get("/").header("x-a", "1").header("x-b", "2").header("x-a", "3").header("x-c", "4"))
        .on(
            "proxy_on_request_headers",
            vec![
                change("replace one of two", REPLACE, "X-A", b"new"),
                all_of(0),
                change("add", ADD, "x-b", b"again"),
                change("add in capitals", ADD, "X-D", b"d"),
                change("add empty", ADD, "x-none", b""),
                change("add bytes", ADD, "x-bytes", b"\xff\x80"),
                change("replace empty", REPLACE, "x-none", b""),
                all_of(0),
                remove("remove", "X-B"),
                remove("remove what is not there", "x-absent"),
                change("replace path", REPLACE, ":path", b"/other"),
                change("add pseudo", ADD, ":own", b"1"),
                all_of(0),
                remove("remove pseudo", ":own"),
                step("nowhere", REPLACE, vec![Number(0), Number(-4), Number(8), bytes("x")]),
                step(
                    "set all",
                    "proxy_set_header_map_pairs",
                    vec![
                        Number(0),
                        pairs(&[
                            ("x-late", "1"),
                            (":method", "GET"),
                            ("X-Late", "2"),
                            (":path", "/"),
                            (":authority", "a"),
                            (":scheme", "http"),
                        ]),
                    ],
                ),
                all_of(0),
                step("broken pairs", "proxy_set_header_map_pairs", vec![Number(0), bytes("\u{1}")]),
                all_of(0),
                step(
                    "set back",
                    "proxy_set_header_map_pairs",
                    vec![
                        Number(0),
                        pairs(&[
                            (":authority", "example.com"),
                            (":path", "/"),
                            (":method", "GET"),
                            (":scheme", "http"),
                            ("x-end", "1"),
                            // Without it Envoy finds no route.
                            ("x-forwarded-proto", "http"),
                        ]),
                    ],
                ),
            ],
        )
}

/// Maps that are not there.
fn others() -> Scenario {
    let maps = [1, 2, 3, 4, 5, 6, 7, 8];
    let each = |map| {
        vec![
            all_of(map),
            get_one("one", map, "x"),
            step("add", "proxy_add_header_map_value", vec![Number(map), bytes("x"), bytes("y")]),
            step("replace", "proxy_replace_header_map_value", vec![Number(map), bytes("x"), bytes("y")]),
            step("remove", "proxy_remove_header_map_value", vec![Number(map), bytes("x")]),
            step("set", "proxy_set_header_map_pairs", vec![Number(map), pairs(&[("x", "y")])]),
            step("size", "proxy_get_header_map_size", vec![Number(map), Out("size")]),
        ]
    };
    let of_root = vec![all_of(0), get_one("one", 0, "x"), remove("remove", "x")];
    scenario("other_maps")
        .request(get("/"))
        .on("proxy_on_configure", of_root)
        .on("proxy_on_request_headers", maps.into_iter().flat_map(each).collect())
}

/// Two headers of a name in the request.
fn twice() -> Scenario {
    let request =
        TWICE.into_iter().fold(get("/"), |request, name| request.header(name, "a").header(name, "b"));
    scenario("twice").request(request).on("proxy_on_request_headers", vec![all_of(0)])
}

/// The same, added by the module.
fn added_twice(name: &'static str, map: i32) -> Scenario {
    let add = |name| {
        [
            step(name, "proxy_add_header_map_value", vec![Number(map), bytes(name), bytes("a")]),
            step(name, "proxy_add_header_map_value", vec![Number(map), bytes(name), bytes("b")]),
        ]
    };
    let read = |name| step(name, "proxy_get_header_map_value", vec![Number(map), bytes(name), OutBytes]);
    let names = || TWICE.into_iter().chain(ADDED_TWICE);
    let callback = if map == 0 { "proxy_on_request_headers" } else { "proxy_on_response_headers" };
    // Then the response that the client gets is a matter of the module alone.
    let reply = step(
        "reply",
        "proxy_send_local_response",
        vec![Number(204), bytes(""), bytes(""), bytes(""), Number(-1)],
    );
    let steps = names().flat_map(add).chain(names().map(read)).chain([reply]).collect();
    scenario(name).request(get("/")).on(callback, steps)
}

/// A response on its way to the client, and what can be reached of the request then.
fn responses() -> Scenario {
    scenario("responses")
        .request(get("/"))
        .on("proxy_on_request_headers", vec![])
        .on(
            "proxy_on_response_headers",
            vec![
                get_one("status", 2, ":status"),
                get_one("content type", 2, "content-type"),
                get_one("request", 0, ":path"),
                all_of(0),
                step("add", "proxy_add_header_map_value", vec![Number(2), bytes("X-Own"), bytes("1")]),
                step("add again", "proxy_add_header_map_value", vec![Number(2), bytes("x-own"), bytes("2")]),
                step(
                    "cookie",
                    "proxy_add_header_map_value",
                    vec![Number(2), bytes("set-cookie"), bytes("a")],
                ),
                step(
                    "cookie again",
                    "proxy_add_header_map_value",
                    vec![Number(2), bytes("set-cookie"), bytes("b")],
                ),
                step(
                    "type",
                    "proxy_add_header_map_value",
                    vec![Number(2), bytes("content-type"), bytes("more")],
                ),
                step("change request", "proxy_add_header_map_value", vec![Number(0), bytes("x"), bytes("2")]),
            ],
        )
        .on(
            "proxy_on_log",
            vec![
                get_one("path", 0, ":path"),
                get_one("status", 2, ":status"),
                get_one("absent", 2, "x-absent"),
                get_one("trailer", 1, "x"),
                remove("change", "x"),
            ],
        )
        .on("proxy_on_done", vec![])
        .on("proxy_on_delete", vec![get_one("path", 0, ":path")])
}
