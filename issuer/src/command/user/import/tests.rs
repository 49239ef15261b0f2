//! Imports as an operator makes them, on a real PostgreSQL.

use super::testing::import;
use super::*;
use crate::store::testing::TestDatabase;

/// By bcryptjs 3.0.3, of `mypassword123`.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuet7g.oOes3vxc.VL2l0d4CQJPGWF8pK";

fn user(email: &str) -> String {
    json!({ "name": "Priya", "email": email, "password": HASH, "role": "customer" }).to_string()
}

fn without_ids(told: Vec<(u64, Outcome)>) -> Vec<String> {
    let line = |(number, outcome): (u64, Outcome)| match outcome {
        Outcome::Created { email, .. } => format!("{number} created {email}"),
        other => format!("{number} {other}"),
    };
    told.into_iter().map(line).collect()
}

#[tokio::test]
async fn an_import_says_what_became_of_each_line_and_the_second_one_changes_nothing() {
    let (_database, store) = TestDatabase::migrated().await;
    let lines = [user("priya@example.com"), String::new(), user(" PRIYA@example.com"), user("b@example.com")]
        .join("\r\n");
    let there = |number: u64, email: &str| format!("{number} {email} is already there and stays as it is");
    assert_eq!(
        without_ids(import(&store, true, &lines).await),
        ["1 would create priya@example.com", &there(3, "priya@example.com"), "4 would create b@example.com"]
    );
    assert!(store.credentials("b@example.com").await.unwrap().is_none(), "a dry run creates nobody");
    assert_eq!(
        without_ids(import(&store, false, &lines).await),
        ["1 created priya@example.com", &there(3, "priya@example.com"), "4 created b@example.com"]
    );
    let all = [there(1, "priya@example.com"), there(3, "priya@example.com"), there(4, "b@example.com")];
    assert_eq!(without_ids(import(&store, false, &lines).await), all);
    assert_eq!(without_ids(import(&store, true, &lines).await), all);
    let trail = "SELECT concat_ws(' ', event, outcome, actor, email) FROM audit_events
                 JOIN users ON user_id = users.id ORDER BY audit_events.id";
    assert_eq!(
        store.texts(trail).await,
        ["user_import success operator priya@example.com", "user_import success operator b@example.com"]
    );
}

#[tokio::test]
async fn a_line_that_is_wrong_is_refused_with_every_field_and_why_and_never_shows_a_password() {
    let (_database, store) = TestDatabase::migrated().await;
    let whole = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut user = serde_json::from_str(&user("a@example.com")).unwrap();
        change(&mut user);
        user.to_string()
    };
    let must = "Password must be a hash of bcrypt ($2a$, $2b$, $2y$) or argon2id: it";
    for (line, told) in [
        ("{".to_owned(), "line: Line must be one JSON object without duplicate members".to_owned()),
        ("x".repeat(9_000), format!("line: Line must be at most {MAX_LINE_BYTES} bytes")),
        (whole(&|user| user["password"] = "mypassword123".into()), format!("password: {must} is malformed")),
        (
            whole(&|user| user["password"] = HASH.replace("$04$", "$20$").into()),
            format!("password: {must} asks for more work than we spend, or for less than its algorithm knows"),
        ),
        (whole(&|user| user["role"] = "a,b".into()), "role: Role must be visible ASCII without comma and space, at most 128 characters".to_owned()),
        (whole(&|user| user["id"] = 7.into()), "id: Unknown field `id`".to_owned()),
        (
            "{}".to_owned(),
            "name: Name is required; email: Email is required; password: Password is required; role: Role is required".to_owned(),
        ),
    ] {
        let outcomes = import(&store, false, &line).await;
        assert_eq!(without_ids(outcomes), [format!("1 refused; {told}")]);
    }
    assert!(store.credentials("a@example.com").await.unwrap().is_none());
}

#[test]
fn the_report_is_the_same_in_words_and_in_json() {
    let outcomes = [
        Outcome::Created { email: "a@b".to_owned(), id: Uuid::from_u128(1) },
        Outcome::WouldCreate { email: "b@b".to_owned() },
        Outcome::AlreadyThere { email: "a@b".to_owned() },
        Outcome::Refused(vec![wrong_line("Line is wrong".to_owned())]),
    ];
    let told = |json: bool| {
        let mut report = Report::new(json);
        let lines: Vec<_> =
            (1..).zip(&outcomes).map(|(number, outcome)| report.line(number, outcome)).collect();
        assert_eq!(report.refused(), 1);
        (lines, report.sums())
    };
    let (words, sums) = told(false);
    assert_eq!(words[3], "line 4: refused; line: Line is wrong");
    assert_eq!(sums, "1 would be created, 1 created, 1 already there, 1 refused");
    let (objects, sums) = told(true);
    let results: Vec<serde_json::Value> =
        objects.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<_> = results.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(words, ["created", "would_create", "already_there", "refused"]);
    assert_eq!(results[3]["errors"], json!([{ "field": "line", "error": "Line is wrong" }]));
    assert!(sums.contains(r#""refused":1"#), "{sums}");
}

#[tokio::test]
async fn more_lines_than_one_import_takes_are_told_and_what_was_before_is_done() {
    let (_database, store) = TestDatabase::migrated().await;
    let limit = usize::try_from(MAX_LINES).unwrap();
    let many = user("a@example.com") + &"\n".repeat(limit) + "x";
    let mut told = 0;
    let stopped = Import::new(&store, false).run(many.as_bytes(), |_, _| told += 1).await.unwrap_err();
    assert!(stopped.to_string().starts_with("stopped after 100000 lines"), "{stopped}");
    assert_eq!(told, 1);
    assert!(store.credentials("a@example.com").await.unwrap().is_some());
}
