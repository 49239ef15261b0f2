//! What administrators see and do.

mod eviction;
mod links;
mod revocations;
mod trail;

use super::*;

/// An administrator and her session.
struct Office {
    issuing: Issuing,
    chef: Value,
}

impl Office {
    async fn open() -> Self {
        let issuing = issuing().await;
        let chef = json!({ "name": "Chef", "email": "chef@example.com", "password": "mypassword123" });
        assert_eq!(issuing.post("/api/auth/signup", chef.to_string()).await.status, StatusCode::CREATED);
        issuing.execute("UPDATE users SET roles = '{admin}' WHERE email = 'chef@example.com'").await;
        let chef = issuing.post("/api/auth/login", login("chef@example.com", "mypassword123")).await.body;
        Self { issuing, chef }
    }

    /// As the administrator.
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_as(&self.chef, method, path, body).await
    }

    async fn ask_as(&self, session: &Value, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.issuing.authorized(method, &format!("/api/admin{path}"), session, &body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    /// Makes a user and returns the path of it.
    async fn rahul(&self, roles: &[&str]) -> (String, Value) {
        let body = json!({ "name": "Rahul", "email": "rahul@example.com", "roles": roles });
        let made = self.ask("POST", "/users", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        (format!("/users/{}", made.body["user"]["id"].as_str().unwrap()), made.body)
    }

    /// Lets a user choose a password, and log in.
    async fn log_in(&self, made: &Value) -> Value {
        let link = &made["passwordLink"];
        let redeemed = self.redeem(link["token"].as_str().unwrap(), "anotherpassword").await;
        assert_eq!((redeemed.status, redeemed.text.as_str()), (StatusCode::NO_CONTENT, ""));
        self.log_in_with("anotherpassword").await.body
    }

    async fn log_in_with(&self, password: &str) -> Answer {
        self.issuing.post("/api/auth/login", login("rahul@example.com", password)).await
    }

    async fn redeem(&self, token: &str, password: &str) -> Answer {
        let body = json!({ "token": token, "newPassword": password });
        self.issuing.post("/api/auth/password/link", body.to_string()).await
    }

    fn chefs_path(&self) -> String {
        format!("/users/{}", self.chef["user"]["id"].as_str().unwrap())
    }
}

const NOBODY: &str = "/users/00000000-0000-0000-0000-000000000000";

/// Every route, with a body that is good where one is needed.
fn routes() -> Vec<(&'static str, String, Value)> {
    let roles = json!({ "roles": ["chef"] });
    let of_nobody = |rest: &str| format!("{NOBODY}{rest}");
    vec![
        ("GET", "/users".to_owned(), Value::Null),
        ("POST", "/users".to_owned(), json!({ "name": "Rahul", "email": "rahul@example.com" })),
        ("GET", "/keys".to_owned(), Value::Null),
        ("POST", "/keys/rotate".to_owned(), Value::Null),
        ("GET", "/audit".to_owned(), Value::Null),
        ("GET", of_nobody(""), Value::Null),
        ("DELETE", of_nobody(""), Value::Null),
        ("PUT", of_nobody("/roles"), roles),
        ("POST", of_nobody("/disable"), Value::Null),
        ("POST", of_nobody("/enable"), Value::Null),
        ("POST", of_nobody("/logout"), Value::Null),
        ("GET", of_nobody("/sessions"), Value::Null),
        ("DELETE", of_nobody("/sessions/00000000-0000-0000-0000-000000000000"), Value::Null),
        ("POST", of_nobody("/password-link"), Value::Null),
    ]
}

#[tokio::test]
async fn whoever_is_no_administrator_in_the_database_is_refused_everywhere_whatever_the_token_says() {
    let office = Office::open().await;
    let customer = office.issuing.priya().await;
    // His token says admin; the database does not any more, and no version was raised.
    office.issuing.execute("UPDATE users SET roles = '{customer}' WHERE email = 'chef@example.com'").await;
    for (method, path, body) in routes() {
        for session in [&customer, &office.chef] {
            let refused = office.ask_as(session, method, &path, &body).await;
            assert_eq!(
                (refused.status, &refused.body["error"]),
                (StatusCode::FORBIDDEN, &json!("Not authorized")),
                "{method} {path}"
            );
            let challenge = refused.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        }
        let request = Request::builder().method(method).uri(format!("/api/admin{path}"));
        let nobody = office.issuing.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (nobody.status, &nobody.body["error"]),
            (StatusCode::UNAUTHORIZED, &json!("No token provided")),
            "{method} {path}"
        );
    }
    assert_eq!(office.issuing.app.store.count("SELECT count(*) FROM users").await, 2);
    // And the other way round: the role is there, and the token does not know it yet.
    office.issuing.execute("UPDATE users SET roles = '{admin}' WHERE email = 'priya@example.com'").await;
    let now = office.ask_as(&customer, "GET", "/users", &Value::Null).await;
    assert_eq!(now.status, StatusCode::OK);
}

#[tokio::test]
async fn what_concerns_nobody_is_not_found() {
    let office = Office::open().await;
    for (method, path, body) in routes().into_iter().skip(5) {
        for path in [path.clone(), path.replace(NOBODY, "/users/x"), path.replace(NOBODY, "/users/%ff")] {
            let answer = office.ask(method, &path, &body).await;
            assert_eq!(
                (answer.status, &answer.body["error"]),
                (StatusCode::NOT_FOUND, &json!("Not found")),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_user_is_created_without_a_password_and_chooses_one_by_the_link() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef", "rider"]).await;
    let user = &made["user"];
    assert_eq!(
        (&user["name"], &user["email"], &user["roles"], &user["hasPassword"], &user["disabled"]),
        (
            &json!("Rahul"),
            &json!("rahul@example.com"),
            &json!(["chef", "rider"]),
            &json!(false),
            &json!(false)
        )
    );
    assert_eq!(user.as_object().unwrap().len(), 8);
    let link = &made["passwordLink"];
    assert_eq!((&link["link"], &link["expiresIn"]), (&Value::Null, &json!(3600)));
    assert_eq!(office.log_in_with("").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(office.log_in_with("anotherpassword").await.status, StatusCode::UNAUTHORIZED);
    let session = office.log_in(&made).await;
    assert_eq!(session["user"]["role"], "chef");
    let now = office.get(&path).await;
    assert_eq!((now.status, &now.body["hasPassword"]), (StatusCode::OK, &json!(true)));

    let again = json!({ "name": "Rahul", "email": "Rahul@example.com" });
    let taken = office.ask("POST", "/users", &again).await;
    assert_eq!(
        (taken.status, &taken.body["error"]),
        (StatusCode::CONFLICT, &json!("Email already registered"))
    );
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_new_user_is_told_at_once() {
    let office = Office::open().await;
    let wrong =
        json!({ "name": "", "email": "x", "roles": ["a b", "chef", "a,b", ""], "password": "mypassword123" });
    let refused = office.ask("POST", "/users", &wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let errors = refused.body["errors"].as_array().unwrap();
    let fields: Vec<&str> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "email", "roles[0]", "roles[2]", "roles[3]", "password"]);
    let (path, _) = office.rahul(&["chef"]).await;
    let many: Vec<String> = (0..65).map(|number| format!("r{number}")).collect();
    for roles in [json!([]), json!("admin"), json!(["a", "a"]), json!(many), json!(null)] {
        let refused = office.ask("PUT", &format!("{path}/roles"), &json!({ "roles": roles })).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::BAD_REQUEST, &json!("roles")),
            "{roles}"
        );
    }
    assert_eq!(office.get(&path).await.body["roles"], json!(["chef"]));
}

#[tokio::test]
async fn a_demoted_administrators_token_is_refused_at_once_and_a_refreshed_one_is_not_authorized() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["admin"]).await;
    let rahul = office.log_in(&made).await;
    assert_eq!(office.ask_as(&rahul, "GET", "/users", &Value::Null).await.status, StatusCode::OK);
    let demoted = office.ask("PUT", &format!("{path}/roles"), &json!({ "roles": ["chef"] })).await;
    assert_eq!((demoted.status, &demoted.body["roles"]), (StatusCode::OK, &json!(["chef"])));
    let refused = office.ask_as(&rahul, "GET", "/users", &Value::Null).await;
    assert_eq!((refused.status, &refused.body["error"]), (StatusCode::UNAUTHORIZED, &json!("Token revoked")));
    let refreshed = office.issuing.refresh(&rahul).await.body;
    let refused = office.ask_as(&refreshed, "GET", "/users", &Value::Null).await;
    assert_eq!((refused.status, &refused.body["error"]), (StatusCode::FORBIDDEN, &json!("Not authorized")));
}

#[tokio::test]
async fn the_last_administrator_who_can_log_in_stays() {
    let office = Office::open().await;
    // She could not log in yet.
    let (path, made) = office.rahul(&["admin"]).await;
    let me = office.chefs_path();
    let removals = [
        ("PUT", format!("{me}/roles"), json!({ "roles": ["chef"] })),
        ("POST", format!("{me}/disable"), Value::Null),
        ("DELETE", me.clone(), Value::Null),
    ];
    for (method, path, body) in &removals {
        let refused = office.ask(method, path, body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{method} {path}");
        assert!(refused.body["error"].as_str().unwrap().starts_with("This is the last administrator"));
    }
    let rahul = office.log_in(&made).await;
    let (method, removal, body) = &removals[2];
    assert_eq!(office.ask(method, removal, body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(office.get("/users").await.status, StatusCode::UNAUTHORIZED);
    let last = office.ask_as(&rahul, "DELETE", &path, &Value::Null).await;
    assert_eq!(last.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn of_two_administrators_who_demote_each_other_at_once_one_stays() {
    for _ in 0..4 {
        let office = Office::open().await;
        let (path, made) = office.rahul(&["admin"]).await;
        let rahul = office.log_in(&made).await;
        let roles = json!({ "roles": ["chef"] });
        let (theirs, mine) = (format!("{path}/roles"), format!("{}/roles", office.chefs_path()));
        let (one, two) =
            tokio::join!(office.ask("PUT", &theirs, &roles), office.ask_as(&rahul, "PUT", &mine, &roles));
        let statuses = [one.status, two.status];
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
        let left = "SELECT count(*) FROM users WHERE 'admin' = ANY (roles)";
        assert_eq!(office.issuing.app.store.count(left).await, 1, "{statuses:?}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_back_after_enabling() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef"]).await;
    let rahul = office.log_in(&made).await;
    for _ in 0..2 {
        let disabled = office.ask("POST", &format!("{path}/disable"), &Value::Null).await;
        assert_eq!((disabled.status, &disabled.body["disabled"]), (StatusCode::OK, &json!(true)));
        assert!(disabled.body["disabledAt"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(office.issuing.me(&rahul).await, (401, Some("User no longer exists".to_owned())));
    assert_eq!(office.log_in_with("anotherpassword").await.status, StatusCode::UNAUTHORIZED);
    let link = office.ask("POST", &format!("{path}/password-link"), &Value::Null).await;
    assert_eq!((link.status, &link.body["error"]), (StatusCode::CONFLICT, &json!("User is disabled")));
    for _ in 0..2 {
        let enabled = office.ask("POST", &format!("{path}/enable"), &Value::Null).await;
        assert_eq!((enabled.status, &enabled.body["disabledAt"]), (StatusCode::OK, &Value::Null));
    }
    assert_eq!(office.issuing.me(&rahul).await, (401, Some("Token revoked".to_owned())));
    assert_eq!(office.log_in_with("anotherpassword").await.status, StatusCode::OK);
    let events = "SELECT event FROM audit_events WHERE event LIKE 'user\\_%' ORDER BY id";
    let expected = ["user_create", "user_disable", "user_enable"];
    assert_eq!(office.issuing.app.store.texts(events).await, expected, "what changed nothing is no event");
}

#[tokio::test]
async fn sessions_of_a_user_are_listed_and_ended_one_by_one_or_all() {
    let office = Office::open().await;
    let (path, made) = office.rahul(&["chef"]).await;
    let one = office.log_in(&made).await;
    let two = office.log_in_with("anotherpassword").await.body;
    let listed = office.get(&format!("{path}/sessions")).await.body;
    let listed = listed["sessions"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|session| session["current"] == false));
    // The newest comes first.
    let end = format!("{path}/sessions/{}", listed[0]["id"].as_str().unwrap());
    let of_another = end.replace(&path, &office.chefs_path());
    assert_eq!(office.ask("DELETE", &of_another, &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.ask("DELETE", &end, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(office.ask("DELETE", &end, &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.issuing.me(&two).await.0, 401);
    assert_eq!(office.issuing.me(&one).await.0, 200);
    let out = office.ask("POST", &format!("{path}/logout"), &Value::Null).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(office.issuing.me(&one).await.0, 401);
    assert_eq!(office.issuing.me(&office.chef).await.0, 200);
}

#[tokio::test]
async fn users_are_listed_part_by_part_while_others_come() {
    let office = Office::open().await;
    for number in 0..4 {
        let body = json!({ "name": "A", "email": format!("{number}@example.com") });
        assert_eq!(office.ask("POST", "/users", &body).await.status, StatusCode::CREATED);
    }
    let (mut seen, mut path) = (Vec::new(), "/users?limit=2".to_owned());
    loop {
        let part = office.get(&path).await.body;
        let users = part["users"].as_array().unwrap();
        assert!(users.len() <= 2);
        seen.extend(users.iter().map(|user| user["email"].as_str().unwrap().to_owned()));
        let Some(next) = part["nextCursor"].as_str() else { break };
        path = format!("/users?limit=2&cursor={next}");
        if seen.len() == 2 {
            office.rahul(&["chef"]).await;
        }
    }
    let expected = ["chef@", "0@", "1@", "2@", "3@", "rahul@"].map(|name| format!("{name}example.com"));
    assert_eq!(seen, expected);
    let one = office.get("/users?email=Rahul%40Example.com").await.body;
    assert_eq!((one["users"].as_array().unwrap().len(), &one["nextCursor"]), (1, &Value::Null));
    assert_eq!(office.get("/users?email=x%00").await.body["users"], json!([]));
    for (wrong, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("page=2", "page"),
    ] {
        let refused = office.get(&format!("/users?{wrong}")).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{wrong}"
        );
    }
    assert_eq!(office.get("/users?limit=1&limit=2").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn keys_are_listed_and_rotated_once_at_a_time() {
    let office = Office::open().await;
    let keys = office.get("/keys").await.body;
    assert_eq!((keys["keys"].as_array().unwrap().len(), &keys["keys"][0]["stage"]), (1, &json!("signs")));
    let rotated = office.ask("POST", "/keys/rotate", &Value::Null).await;
    assert_eq!(rotated.status, StatusCode::CREATED, "{}", rotated.text);
    assert!(rotated.body["signsInSeconds"].as_i64().unwrap() > 0);
    let keys = office.get("/keys").await;
    assert_eq!(keys.body["keys"][1]["kid"], rotated.body["kid"]);
    assert_eq!(keys.body["keys"][1]["stage"], "published");
    assert!(!keys.text.contains("private"));
    let again = office.ask("POST", "/keys/rotate", &Value::Null).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let told = "SELECT event || ' ' || actor || ' ' || (user_id IS NULL) FROM audit_events WHERE event = 'key_rotate'";
    assert_eq!(office.issuing.app.store.texts(told).await, ["key_rotate user true"]);
}

#[tokio::test]
async fn a_body_where_none_is_expected_is_refused_and_nothing_happens() {
    let office = Office::open().await;
    let (path, _) = office.rahul(&["chef"]).await;
    for action in ["disable", "enable", "logout", "password-link"] {
        let refused = office.ask("POST", &format!("{path}/{action}"), &json!({ "force": true })).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::BAD_REQUEST, &json!("force")),
            "{action}"
        );
    }
    assert_eq!(office.get(&path).await.body["disabled"], false);
}

#[tokio::test]
async fn without_a_database_every_route_is_503() {
    let office = Office::open().await;
    office.issuing.database.drop_it().await;
    for (method, path, body) in routes() {
        let answer = office.ask(method, &path, &body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
    }
}
