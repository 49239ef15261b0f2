//! Nothing that a process writes holds a secret, a token or a password: not its log, not the database.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bearward_tests::client::{Request, Response};
use bearward_tests::harness::{Gate, Setup, database};
use serde_json::{Value, json};
use xtask::directory::random_hex;

/// What must be found nowhere, each with what it is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn password(&mut self) -> String {
        let password = format!("pw-{}", random_hex(12).unwrap());
        self.0.push(("a password", password.clone()));
        password
    }

    /// All parts of the tokens in an answer, and the bytes of a refresh token in the forms in which PostgreSQL and logs
    /// would show them.
    fn tokens(&mut self, answer: &Response) -> Value {
        let body = answer.json();
        let text = |member: &str| body[member].as_str().map(str::to_owned);
        for token in [text("token"), text("accessToken")].into_iter().flatten() {
            let parts = token.split('.').map(|part| ("part of an access token", part.to_owned()));
            // The header is the same for all, and says nothing.
            self.0.extend(parts.skip(1));
        }
        if let Some(token) = text("refreshToken") {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.0.push(("a refresh token in hexadecimal", hex));
            self.0.push(("a refresh token", token));
        }
        body
    }

    fn assert_absent(&self, place: &str, text: &str) {
        assert!(self.0.len() > 30, "{}", self.0.len());
        for (kind, secret) in &self.0 {
            assert!(!text.contains(secret), "{kind} is in {place}");
        }
    }
}

#[test]
fn nothing_that_any_process_writes_holds_a_secret_a_token_or_a_password() {
    let mut secrets = Secrets::default();
    let folder = tempfolder();
    let kek = random_key();
    let kek_file = folder.path().join("kek");
    fs::write(&kek_file, &kek).unwrap();
    secrets.0.push(("the key that encrypts keys", kek));
    let gate = Setup::shipped()
        .issuer("BEARWARD_KEY_ENCRYPTION_KEY_FILES", kek_file.to_str().unwrap())
        .issuer("BEARWARD_LOG", "trace")
        .start();
    everything(&gate, &mut secrets);
    for arguments in [["list", "--json"].as_slice(), &["rotate"]] {
        secrets.assert_absent("what `keys` prints", &gate.issuer_says("keys", arguments));
    }
    let rows = database::dump(&gate.database_url()).unwrap();
    assert!(rows.contains("password_change"), "the trail is part of it");
    secrets.assert_absent("the database", &rows);
    let (files, _gate) = files(gate);
    for name in ["issuer.log", "envoy.log"] {
        assert!(files.iter().any(|(path, text)| path.ends_with(name) && text.len() > 1000), "{name}");
    }
    assert!(files.iter().any(|(_, text)| text.contains(r#""event":"refresh","outcome":"refused""#)));
    for (path, text) in files {
        secrets.assert_absent(&path, &text);
    }
}

/// All that a client can do with a secret, right and wrong.
fn everything(gate: &Gate, secrets: &mut Secrets) {
    let post = |path: &str, body: &Value| Request::post(path, body).send(gate.url());
    let (email, password, new) = ("priya@example.com", secrets.password(), secrets.password());
    let login = |password: &str| post("/api/auth/login", &json!({ "email": email, "password": password }));
    let refresh = |of: &Value| post("/api/auth/refresh", &json!({ "refreshToken": of["refreshToken"] }));
    let signup = json!({ "name": "Priya", "email": email, "password": password });
    let first = secrets.tokens(&post("/api/auth/signup", &signup));
    assert_eq!(post("/api/auth/signup", &signup).status, 409);
    let second = secrets.tokens(&refresh(&first));
    secrets.tokens(&refresh(&second));
    assert_eq!(refresh(&first).status, 401, "used before");
    let session = secrets.tokens(&login(&password));
    assert_eq!(login(&secrets.password()).status, 401);
    let bearer = |of: &Value| of["accessToken"].as_str().unwrap().to_owned();
    let change = json!({ "currentPassword": password, "newPassword": new });
    let changed = Request::post("/api/auth/password", &change).bearer(&bearer(&session)).send(gate.url());
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = secrets.tokens(&changed);
    for path in ["/api/auth/me", "/api/orders", "/api/nothing"] {
        for token in [bearer(&session), bearer(&changed), format!("{}x", bearer(&changed))] {
            let answer = Request::new("GET", path).bearer(&token).send(gate.url());
            secrets.assert_absent_in_answer(&answer);
        }
    }
    // What is wrong in form, with a secret where it may stand and where not.
    let secret = secrets.password();
    for body in [
        json!({ "email": email, "password": [secret] }),
        json!({ "email": secret, "password": secret }),
        json!({ "email": email, "password": secret, "role": secret }),
        json!({ "refreshToken": secret }),
    ] {
        for path in ["/api/auth/login", "/api/auth/signup", "/api/auth/refresh"] {
            secrets.assert_absent_in_answer(&post(path, &body));
        }
    }
    let (_, admin) = gate.create_admin();
    secrets.0.push(("the administrator's password", admin.clone()));
    secrets.tokens(&post("/api/auth/login", &json!({ "email": "admin@example.com", "password": admin })));
    let logout = Request::post("/api/auth/logout", &json!({})).bearer(&bearer(&changed)).send(gate.url());
    assert_eq!(logout.status, 204);
}

impl Secrets {
    /// An error repeats nothing of what was sent.
    fn assert_absent_in_answer(&self, answer: &Response) {
        if answer.status >= 400 {
            for (kind, secret) in &self.0 {
                assert!(!answer.text().contains(secret), "{kind} is in {}", answer.text());
            }
        }
    }
}

/// Every file that the processes have written.
fn files(mut gate: Gate) -> (Vec<(String, String)>, Gate) {
    let mut found = Vec::new();
    read_below(gate.stack().directory(), &mut found);
    (found, gate)
}

fn read_below(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_below(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

fn tempfolder() -> xtask::directory::TemporaryDirectory {
    xtask::directory::TemporaryDirectory::new(&std::env::temp_dir(), "bearward-secrets").unwrap()
}

/// 32 bytes, in base64.
fn random_key() -> String {
    BASE64_STANDARD.encode(random_hex(16).unwrap())
}
