use super::*;

/// The headers of a request, as name and value.
type Headers<'a> = &'a [(&'a str, &'a str)];

fn request<'a>(headers: &[(&'a str, &'a str)]) -> Request<'a> {
    Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect())
}

fn header(name: &str, scheme: Option<&str>) -> Source {
    Source::Header { name: name.to_owned(), scheme: scheme.map(str::to_owned) }
}

fn cookie(name: &str) -> Source {
    Source::Cookie { name: name.to_owned(), origins: vec!["https://app.example.com".to_owned()] }
}

fn query(name: &str) -> Source {
    Source::Query { name: name.to_owned() }
}

fn token<'a>(sources: &[Source], headers: &[(&'a str, &'a str)]) -> Result<&'a str, Rejection> {
    find(sources, &request(headers)).map(|found| std::str::from_utf8(found.token).unwrap())
}

fn bearer(value: &str) -> Result<&str, Rejection> {
    find(&[Source::bearer()], &request(&[("authorization", value)]))
        .map(|found| std::str::from_utf8(found.token).unwrap())
}

fn edits(sources: &[Source], kept: Option<usize>, headers: Headers<'_>) -> Vec<String> {
    let text = |edit: &Edit| match edit {
        Edit::Set { name, value } | Edit::Tell { name, value } => {
            format!("{name}: {}", String::from_utf8_lossy(value))
        }
        Edit::Remove { name } => format!("-{}", String::from_utf8_lossy(name)),
    };
    let kept = kept.and_then(|kept| sources.get(kept));
    removal(sources, kept, Extent::Places, &request(headers)).iter().map(text).collect()
}

#[test]
fn the_scheme_is_compared_without_case() {
    for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c  ", "bEaReR\ta.b.c"] {
        assert_eq!(bearer(value), Ok("a.b.c"), "{value:?}");
    }
}

#[test]
fn another_scheme_or_nothing_after_bearer_is_no_token() {
    for value in
        ["", " ", "Basic x", "Bearer", "Bearer ", "Bearer \t ", "Bearerx", "a.b.c", "Digest a=\"b\", c=\"d\""]
    {
        assert_eq!(bearer(value), Err(Rejection::TokenMissing), "{value:?}");
    }
    assert_eq!(token(&[Source::bearer()], &[]), Err(Rejection::TokenMissing));
}

#[test]
fn two_tokens_of_one_source_are_ambiguous() {
    let twice = |first: &'static str, second: &'static str| {
        token(&[Source::bearer()], &[("authorization", first), ("authorization", second)])
    };
    assert_eq!(twice("Bearer a", "Bearer a"), Err(Rejection::CredentialsAmbiguous));
    assert_eq!(twice("Basic x", "Bearer a"), Err(Rejection::CredentialsAmbiguous));
    for joined in ["Bearer a,Bearer b", "Bearer a, Bearer b", "Basic x,Bearer a", "Basic x, bearer a"] {
        assert_eq!(bearer(joined), Err(Rejection::CredentialsAmbiguous), "{joined}");
    }
    let own = header("x-token", None);
    assert_eq!(
        token(std::slice::from_ref(&own), &[("x-token", "a,b")]),
        Err(Rejection::CredentialsAmbiguous)
    );
    assert_eq!(token(&[own], &[("x-token", "a"), ("x-token", "a")]), Err(Rejection::CredentialsAmbiguous));
    for cookies in [&[("cookie", "t=a; t=b")][..], &[("cookie", "t=a"), ("cookie", "x=1; t=a")]] {
        let mut headers = vec![(":method", "GET")];
        headers.extend(cookies);
        assert_eq!(token(&[cookie("t")], &headers), Err(Rejection::CredentialsAmbiguous));
    }
    for target in ["/?t=a&t=b", "/?t=a&%74=b", "/?x=1&t=&t=a"] {
        assert_eq!(
            token(&[query("t")], &[(":path", target)]),
            Err(Rejection::CredentialsAmbiguous),
            "{target}"
        );
    }
}

#[test]
fn what_is_no_b64token_is_malformed_and_what_is_too_large_is_not_looked_at() {
    for value in ["Bearer a b", "Bearer \u{fffd}", "Bearer =", "Bearer a=b", "Bearer \"a\"", "Bearer a\0"] {
        assert_eq!(bearer(value), Err(Rejection::TokenMalformed), "{value:?}");
    }
    assert_eq!(bearer("Bearer a=="), Ok("a=="));
    let filled = |size| format!("Bearer {}", "!".repeat(size));
    assert_eq!(bearer(&filled(MAX_TOKEN_BYTES)), Err(Rejection::TokenMalformed));
    assert_eq!(bearer(&filled(MAX_TOKEN_BYTES + 1)), Err(Rejection::TokenTooLarge));
    assert_eq!(
        token(&[cookie("t")], &[(":method", "GET"), ("cookie", "t=\"a\"")]),
        Err(Rejection::TokenMalformed)
    );
    assert_eq!(token(&[query("t")], &[(":path", "/?t=a%2eb")]), Err(Rejection::TokenMalformed));
}

#[test]
fn a_source_that_is_not_configured_is_no_source() {
    let everywhere: Headers<'_> = &[
        (":method", "GET"),
        (":path", "/?access_token=a"),
        ("cookie", "access_token=a"),
        ("x-access-token", "a"),
    ];
    assert_eq!(token(&[Source::bearer()], everywhere), Err(Rejection::TokenMissing));
    for source in [cookie("access_token"), query("access_token"), header("x-access-token", None)] {
        assert_eq!(token(&[source], everywhere), Ok("a"));
    }
}

#[test]
fn the_first_source_that_holds_a_token_wins() {
    let both: Headers<'_> = &[(":method", "GET"), ("authorization", "Bearer h"), ("cookie", "t=c")];
    assert_eq!(token(&[Source::bearer(), cookie("t")], both), Ok("h"));
    assert_eq!(token(&[cookie("t"), Source::bearer()], both), Ok("c"));
    let empty: Headers<'_> = &[(":method", "GET"), ("authorization", "Bearer"), ("cookie", "t=c")];
    assert_eq!(token(&[Source::bearer(), cookie("t")], empty), Ok("c"));
}

#[test]
fn what_the_other_sources_hold_is_taken_out_unread() {
    let sources = [Source::bearer(), cookie("t"), query("t"), header("x-token", None)];
    let headers: Headers<'_> = &[
        (":path", "/a?x=1&t=%%%&y"),
        ("authorization", "Bearer h"),
        ("cookie", "a=1; t=not a token; b=2"),
        ("cookie", "t=x"),
        ("x_token", "x"),
        ("x-token", "y"),
    ];
    assert_eq!(
        edits(&sources, Some(0), headers),
        ["-x_token", "-x-token", "cookie: a=1; b=2", ":path: /a?x=1&y"]
    );
    assert_eq!(
        edits(&sources, Some(1), headers),
        ["-authorization", "-x_token", "-x-token", ":path: /a?x=1&y"]
    );
    assert_eq!(
        edits(&sources, None, headers),
        ["-authorization", "-x_token", "-x-token", "cookie: a=1; b=2", ":path: /a?x=1&y"]
    );
}

#[test]
fn where_no_token_is_looked_at_another_scheme_stays() {
    let removed =
        |value, extent| removal(&[Source::bearer()], None, extent, &request(&[("authorization", value)]));
    assert_eq!(removed("Basic abc", Extent::Tokens), []);
    for value in [
        "Bearer abc",
        "X Bearer abc",
        "xbearer abc",
        "BEARER:abc",
        "Bearerabc",
        "Basic abc, Bearer abc",
        "Basic Bearer",
    ] {
        assert_eq!(removed(value, Extent::Tokens), [Edit::remove(b"authorization")], "{value}");
    }
    for value in ["Basic xBearerx", "Digest a=\"b\", c=\"d\"", "Bear er", ""] {
        assert_eq!(removed(value, Extent::Tokens), [], "{value}");
    }
    assert_eq!(removed("Basic abc", Extent::Places), [Edit::remove(b"authorization")]);
}

#[test]
fn a_header_of_another_scheme_does_not_stay_beside_a_cookie_that_won() {
    let sources = [Source::bearer(), cookie("t")];
    for value in ["Basic x", "JWT x", "Bearer,x", "Bearer:x", "Bearer\u{a0}x"] {
        let headers: Headers<'_> = &[(":method", "GET"), ("authorization", value), ("cookie", "t=a")];
        assert_eq!(token(&sources, headers), Ok("a"), "{value}");
        assert_eq!(edits(&sources, Some(1), headers), ["-authorization"], "{value}");
    }
}

#[test]
fn what_some_server_takes_for_the_name_is_taken_out_and_makes_two_of_one() {
    let spellings = [
        "ACCESS_TOKEN",
        "access.token",
        "access+token",
        "+access_token",
        "%20access_token",
        "access_token[]",
        "access_token%5B0%5D",
        "[access_token]",
        "%5Baccess_token%5D%5B0%5D",
        "access_token]",
        "[[access_token",
        "access[token",
        "access_token%00x",
        "%u0061ccess_token",
        "%uFF41ccess_token",
        "acc%ess_token",
    ];
    let source = || query("access_token");
    for spelling in spellings {
        let alone = format!("/?a=1&{spelling}=f");
        assert_eq!(token(&[source()], &[(":path", &alone)]), Err(Rejection::TokenMissing), "{spelling}");
        assert_eq!(edits(&[source()], None, &[(":path", &alone)]), [":path: /?a=1"], "{spelling}");
        let beside = format!("/?access_token=t&{spelling}=f");
        assert_eq!(
            token(&[source()], &[(":path", &beside)]),
            Err(Rejection::CredentialsAmbiguous),
            "{spelling}"
        );
    }
    assert_eq!(edits(&[source()], None, &[(":path", "/?a=1;access_token=f;b=2")]), [":path: /?a=1;b=2"]);
    let source = || cookie("access_token");
    for cookies in [
        "Access_Token=f",
        "access.token=f",
        "access%5Ftoken=f",
        "a=1 access_token=f",
        "a=1, access_token=f",
        "access token=f",
        "access[token=f",
        "[access_token]=f",
        "\"access_token\"=f",
        "=access_token=f",
        "= =access_token=f",
    ] {
        let headers: Headers<'_> = &[(":method", "GET"), ("cookie", cookies)];
        assert_eq!(token(&[source()], headers), Err(Rejection::TokenMissing), "{cookies}");
        assert_eq!(edits(&[source()], None, headers), ["-cookie"], "{cookies}");
        let beside = format!("access_token=t; {cookies}");
        let headers: Headers<'_> = &[(":method", "GET"), ("cookie", &beside)];
        assert_eq!(token(&[source()], headers), Err(Rejection::CredentialsAmbiguous), "{cookies}");
    }
}

#[test]
fn a_source_whose_name_has_an_underscore_is_taken_out_in_every_spelling() {
    let headers: Headers<'_> = &[("x_token", "a"), ("x-token", "b"), ("x.token", "c")];
    assert_eq!(edits(&[header("x_token", None)], Some(0), headers), ["-x-token", "-x.token"]);
    assert_eq!(edits(&[header("x_token", None)], None, headers), ["-x_token", "-x-token", "-x.token"]);
}

#[test]
fn nothing_is_changed_where_there_is_nothing_to_take_out() {
    let sources = [Source::bearer(), cookie("t"), query("t")];
    let headers: Headers<'_> =
        &[(":path", "/a?x=1&tt=2"), ("authorization-info", "Basic abc"), ("cookie", "a=1; tt=2; t")];
    assert_eq!(edits(&sources, None, headers), [""; 0]);
    assert_eq!(edits(&[cookie("t")], None, &[("cookie", "t=a")]), ["-cookie"]);
    assert_eq!(edits(&[query("t")], None, &[(":path", "/a?t=a")]), [":path: /a"]);
    assert_eq!(
        edits(&[Source::bearer()], None, &[("authorization", "Basic x, Bearer a")]),
        ["-authorization"]
    );
}

#[test]
fn what_is_too_long_to_be_looked_through_is_taken_out_whole() {
    let long = "a=1".to_owned() + &"&b=2".repeat(16 * 1024);
    let target = format!("/a?{long}");
    let cookies = long.replace('&', "; ");
    let headers: Headers<'_> = &[(":method", "GET"), (":path", &target), ("cookie", &cookies)];
    assert_eq!(edits(&[query("t")], None, headers), [":path: /a"]);
    assert_eq!(edits(&[cookie("t")], None, headers), ["-cookie"]);
    assert_eq!(edits(&[Source::bearer()], None, headers), [""; 0]);
}

#[test]
fn a_cookie_counts_for_what_changes_something_only_from_the_sites_that_are_named() {
    let sent = |extra: Headers<'_>| {
        let mut headers = vec![("cookie", "t=a")];
        headers.extend(extra);
        token(&[cookie("t")], &headers).map(|_| ())
    };
    let app = ("origin", "https://app.example.com");
    for allowed in [
        &[(":method", "GET")][..],
        &[(":method", "HEAD"), ("origin", "https://evil.example.com")],
        &[(":method", "POST"), app],
        &[(":method", "POST"), ("sec-fetch-site", "same-origin")],
        &[(":method", "GET"), ("upgrade", "websocket"), app],
    ] {
        assert_eq!(sent(allowed), Ok(()), "{allowed:?}");
    }
    for refused in [
        &[(":method", "POST")][..],
        &[(":method", "DELETE"), ("origin", "https://evil.example.com")],
        &[(":method", "POST"), ("origin", "null")],
        &[(":method", "POST"), ("origin", "https://app.example.com:8443")],
        &[(":method", "POST"), ("origin", "https://app.example.com.evil.example.com")],
        &[(":method", "POST"), ("origin", ""), ("sec-fetch-site", "same-origin")],
        &[(":method", "POST"), app, app],
        &[(":method", "POST"), ("sec-fetch-site", "same-site")],
        &[(":method", "POST"), ("origin", "https://evil.example.com"), ("sec-fetch-site", "same-origin")],
        &[(":method", "GET"), ("upgrade", "websocket")],
        &[(":method", "GET"), ("upgrade", "websocket"), ("origin", "https://evil.example.com")],
        &[(":method", "GET"), ("x-http-method-override", "DELETE"), ("origin", "https://evil.example.com")],
        &[(":method", "GET"), ("X_HTTP_Method", "DELETE")],
        &[],
    ] {
        assert_eq!(sent(refused), Err(Rejection::CsrfRejected), "{refused:?}");
    }
}

#[test]
fn a_header_needs_no_origin() {
    let headers: Headers<'_> = &[(":method", "POST"), ("authorization", "Bearer h"), ("cookie", "t=c")];
    assert_eq!(token(&[Source::bearer(), cookie("t")], headers), Ok("h"));
}

#[test]
fn a_semicolon_ends_no_token_and_what_follows_an_unread_one_goes_with_it() {
    let sources = [query("t"), query("u")];
    for target in ["/?t=a.b.c;x=1", "/?t=a.b.c;", "/?x=1&t=a.b.c;x&y=1", "/?t=;a.b.c"] {
        assert_eq!(token(&sources, &[(":path", target)]), Err(Rejection::TokenMalformed), "{target}");
    }
    for (target, left) in [
        ("/?t=a.b.c&u=f;x", "/?t=a.b.c"),
        ("/?t=a.b.c&u=f;x;y&z=1;v", "/?t=a.b.c&z=1;v"),
        ("/?u=f;x=1&t=a.b.c", "/?t=a.b.c"),
        ("/?z=1;u=f;y=2&t=a.b.c", "/?z=1;y=2&t=a.b.c"),
    ] {
        assert_eq!(token(&sources, &[(":path", target)]), Ok("a.b.c"), "{target}");
        assert_eq!(edits(&sources, Some(0), &[(":path", target)]), [format!(":path: {left}")], "{target}");
    }
}
