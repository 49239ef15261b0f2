//! The document of the interface.

use std::collections::BTreeSet;

use super::*;

impl Issuing {
    async fn document(&self) -> Value {
        self.get("/openapi.json", &[]).await.body
    }
}

/// Every operation: its path, its method, what is written of it.
fn operations(document: &Value) -> Vec<(&str, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, operation)| (path.as_str(), method.to_uppercase(), operation))
        })
        .collect()
}

#[tokio::test]
async fn every_operation_is_there_and_asks_for_a_token_exactly_where_it_says_so() {
    let issuing = issuing().await;
    let document = issuing.document().await;
    let operations = operations(&document);
    assert!(operations.len() >= 25, "{operations:?}");
    for (path, method, operation) in operations {
        let request = Request::builder()
            .method(method.as_str())
            .uri(path.replace("{id}", "x").replace("{session}", "x"));
        let answer = issuing.send(request.body(Body::empty()).unwrap()).await;
        let is_refused = answer.status == StatusCode::UNAUTHORIZED;
        assert_eq!(is_refused, operation.get("security").is_some(), "{method} {path}: {}", answer.status);
        let documented = operation["responses"].as_object().unwrap();
        assert!(documented.contains_key(answer.status.as_str()), "{method} {path}: {}", answer.status);
        for status in ["500", "503"] {
            assert!(documented.contains_key(status), "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn what_may_be_kept_is_what_the_document_says() {
    let issuing = issuing().await;
    let document = issuing.document().await;
    let description = document["info"]["description"].as_str().unwrap();
    assert!(
        description.contains("but the keys, the metadata and this document is `no-store`"),
        "{description}"
    );
    let mut kept = vec!["/openapi.json".to_owned()];
    for (path, method, _) in operations(&document) {
        let request = Request::builder().method(method.as_str()).uri(path);
        let answer = issuing.send(request.body(Body::empty()).unwrap()).await;
        if answer.headers["cache-control"] != "no-store" {
            kept.push(path.to_owned());
        }
    }
    let expected = ["/openapi.json", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"];
    assert_eq!(kept.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(expected));
}

#[tokio::test]
async fn whatever_the_document_refers_to_is_in_it() {
    let document = issuing().await.document().await;
    let text = document.to_string();
    let references: Vec<_> =
        text.split(r##""$ref":"#"##).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 20);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_document_may_be_kept() {
    let issuing = issuing().await;
    let first = issuing.get("/openapi.json", &[]).await;
    assert_eq!(first.headers["cache-control"], "public, max-age=300");
    let etag = first.headers["etag"].to_str().unwrap();
    let again = issuing.get("/openapi.json", &[("if-none-match", etag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}
