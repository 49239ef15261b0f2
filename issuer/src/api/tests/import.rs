//! Users who were imported.

use super::*;
use crate::command::user::testing::import;

/// The tutorial's users, their hashes by bcryptjs 3.0.3 at cost 10, 12 and 4; the passwords are `mypassword123`, the same,
/// and 100 times `x`, of which bcrypt reads 72.
const USERS: &str = r#"
{"name":"Priya","email":"priya@example.com","password":"$2b$10$vrPai1MX7l4oAb7upYY0Ce0u71Lo9vScTdxndwVOVgb8IMmfr26OK","role":"customer"}
{"name":"Chef","email":"chef@example.com","password":"$2b$12$A2ObO.lwqunmP0ChS1PuSup3.5zEGA5HzZN/TTh1i3tDY8dFTp1nK","role":"admin"}
{"name":"Long","email":"long@example.com","password":"$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i","role":"rider"}
"#;

#[tokio::test]
async fn imported_users_log_in_with_the_password_that_they_had_and_have_argon2id_then() {
    let issuing = issuing().await;
    assert_eq!(import(&issuing.app.store, false, USERS).await.len(), 3);
    let long = "x".repeat(100);
    for (email, password, role) in [
        ("priya@example.com", "mypassword123", "customer"),
        ("chef@example.com", "mypassword123", "admin"),
        ("long@example.com", long.as_str(), "rider"),
    ] {
        let wrong = issuing.post("/api/auth/login", login(email, "mypassword124")).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        for _ in 0..2 {
            let answer = issuing.post("/api/auth/login", login(email, password)).await;
            assert_eq!(
                (answer.status, &answer.body["user"]["role"]),
                (StatusCode::OK, &json!(role)),
                "{email}"
            );
        }
        let credentials = issuing.app.store.credentials(email).await.unwrap().unwrap();
        assert!(credentials.password_hash.is_current(), "{email}");
    }
    // The new hash is of all of the password, not of its first 72 bytes.
    let cut = issuing.post("/api/auth/login", login("long@example.com", &"x".repeat(99))).await;
    assert_eq!(cut.status, StatusCode::UNAUTHORIZED);
}
