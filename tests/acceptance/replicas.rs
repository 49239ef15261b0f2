//! Two issuers over one database: nothing that one of them does has to be told to the other.

use std::collections::BTreeSet;
use std::thread;

use bearward_tests::client::{Request, Response};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::{TestDatabase, texts};
use bearward_tests::harness::{Issuer, database_server};
use bearward_tests::token::header;
use serde_json::{Value, json};
use xtask::directory::random_hex;

const SETTINGS: [(&str, &str); 2] =
    [("BEARWARD_LOGIN_DEADLINE_MS", "100"), ("BEARWARD_DATABASE_CONNECTIONS", "4")];
const PASSWORD: &str = "mypassword123";
const OTHER_PASSWORD: &str = "quite another password";
/// Uses of one refresh token at the same moment.
const CROWD: usize = 12;

struct Replicas {
    // Dropped in this order.
    both: [Issuer; 2],
    database: TestDatabase,
}

impl Replicas {
    /// Both at the same moment.
    fn start(settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::create(&database_server());
        let url = database.url();
        let both = thread::scope(|scope| {
            let start = || scope.spawn(|| Issuer::start(&url, settings));
            [start(), start()].map(|started| started.join().unwrap())
        });
        Self { both, database }
    }

    fn urls(&self) -> [&str; 2] {
        self.both.each_ref().map(Issuer::url)
    }
}

fn sign_up(url: &str) -> (String, Value) {
    let email = format!("user-{}@example.com", random_hex(8).unwrap());
    let account = json!({ "name": "User", "email": email, "password": PASSWORD });
    let answer = Request::post("/api/auth/signup", &account).send(url);
    assert_eq!(answer.status, 201, "{}", answer.text());
    (email, answer.json())
}

fn log_in(url: &str, email: &str, password: &str) -> Response {
    Request::post("/api/auth/login", &json!({ "email": email, "password": password })).send(url)
}

fn refresh(url: &str, session: &Value) -> Response {
    Request::post("/api/auth/refresh", &json!({ "refreshToken": session["refreshToken"] })).send(url)
}

fn access_token(session: &Value) -> &str {
    session["accessToken"].as_str().unwrap()
}

fn me(url: &str, session: &Value) -> u16 {
    Request::get("/api/auth/me").bearer(access_token(session)).send(url).status
}

fn kids(url: &str) -> BTreeSet<String> {
    let set = Request::get("/.well-known/jwks.json").send(url).json();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_that_start_at_once_on_an_empty_database_migrate_it_once_and_agree_on_one_key() {
    let replicas = Replicas::start(&SETTINGS);
    let [one, two] = replicas.urls();
    assert_eq!((kids(one).len(), kids(one)), (1, kids(two)));
    let of = |query| texts(&replicas.database.url(), query).unwrap();
    assert_eq!(of("SELECT kid FROM signing_keys").len(), 1);
    assert_eq!(of("SELECT purpose FROM server_keys WHERE purpose = 'refresh-successors'").len(), 1);
    let failed = "SELECT version::text FROM _sqlx_migrations WHERE NOT success";
    assert_eq!(of(failed), Vec::<String>::new());
    for issuer in &replicas.both {
        assert!(!issuer.log().contains("ERROR"), "{}", issuer.log());
    }
}

#[test]
fn who_signs_up_at_one_logs_in_at_the_other_and_each_takes_the_tokens_of_both() {
    let replicas = Replicas::start(&SETTINGS);
    let [one, two] = replicas.urls();
    let (email, first) = sign_up(one);
    let second = log_in(two, &email, PASSWORD);
    assert_eq!(second.status, 200);
    for url in [one, two] {
        assert_eq!([me(url, &first), me(url, &second.json())], [200, 200]);
    }
    let again = json!({ "name": "User", "email": email, "password": PASSWORD });
    assert_eq!(Request::post("/api/auth/signup", &again).send(two).status, 409);
}

#[test]
fn refreshes_go_on_from_one_to_the_other_and_a_reuse_at_either_ends_the_session_at_both() {
    let replicas = Replicas::start(&SETTINGS);
    let [one, two] = replicas.urls();
    let (_, mut session) = sign_up(one);
    let first = session.clone();
    for url in [two, one, two, one] {
        let answer = refresh(url, &session);
        assert_eq!(answer.status, 200, "{}", answer.text());
        session = answer.json();
    }
    // At once, spread over both: one rotates, and whoever asks again has the same successor.
    let answers: Vec<Response> = thread::scope(|scope| {
        let ask = |number: usize| {
            let (url, session) = (replicas.urls()[number % 2], &session);
            scope.spawn(move || refresh(url, session))
        };
        let asked: Vec<_> = (0..CROWD).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    let successors: BTreeSet<_> =
        answers.iter().map(|answer| answer.json()["refreshToken"].as_str().unwrap().to_owned()).collect();
    assert_eq!(successors.len(), 1);
    let newest = answers[0].json();
    assert_eq!([me(one, &newest), me(two, &newest)], [200, 200]);
    assert_eq!(refresh(two, &first).status, 401, "a token from long ago is reused");
    assert_eq!([me(one, &newest), me(two, &newest)], [401, 401]);
    assert_eq!([refresh(one, &newest).status, refresh(two, &newest).status], [401, 401]);
}

#[test]
fn what_is_ended_at_one_is_refused_at_the_other_at_once() {
    let replicas = Replicas::start(&SETTINGS);
    let [one, two] = replicas.urls();
    let (email, kept) = sign_up(one);
    let session = log_in(two, &email, PASSWORD).json();
    let log_out = |url: &str, session: &Value, scope: &str| {
        let request = Request::post("/api/auth/logout", &json!({ "scope": scope }));
        assert_eq!(request.bearer(access_token(session)).send(url).status, 204);
    };
    log_out(one, &session, "this");
    assert_eq!((me(two, &session), refresh(two, &session).status, me(two, &kept)), (401, 401, 200));
    let other = log_in(one, &email, PASSWORD).json();
    log_out(two, &kept, "others");
    assert_eq!((me(one, &other), me(one, &kept)), (401, 200));

    let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD });
    let changed = Request::post("/api/auth/password", &change).bearer(access_token(&kept)).send(one);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!((me(two, &kept), refresh(two, &kept).status, me(two, &changed.json())), (401, 401, 200));
    assert_eq!(log_in(two, &email, PASSWORD).status, 401);
    assert_eq!(log_in(two, &email, OTHER_PASSWORD).status, 200);
    log_out(two, &changed.json(), "all");
    assert_eq!(me(one, &changed.json()), 401);
}

#[test]
fn a_new_key_is_published_by_both_before_either_signs_with_it() {
    // One session is refreshed until the new key signs, far more often than any is by its user.
    let more = [("BEARWARD_JWK_SET_MAX_AGE_SECONDS", "1"), ("BEARWARD_REFRESH_LIMIT", "off")];
    let settings = [&SETTINGS[..], &more].concat();
    let replicas = Replicas::start(&settings);
    let [one, two] = replicas.urls();
    let old = kids(one);
    let (_, mut sessions) = sign_up(one);
    assert!(replicas.both[1].says(&["keys", "rotate"]).contains("signs in"));
    eventually("the new key at both", || (kids(one).len() == 2 && kids(one) == kids(two)).then_some(()));
    let mut seen = BTreeSet::new();
    eventually("tokens of the new key from both", || {
        for (signer, verifier) in [(one, two), (two, one)] {
            sessions = refresh(signer, &sessions).json();
            let kid = header(access_token(&sessions))["kid"].as_str().unwrap().to_owned();
            assert!(kids(verifier).contains(&kid), "signed before it was published everywhere");
            assert_eq!(me(verifier, &sessions), 200);
            if !old.contains(&kid) {
                seen.insert(signer);
            }
        }
        (seen.len() == 2).then_some(())
    });
}
