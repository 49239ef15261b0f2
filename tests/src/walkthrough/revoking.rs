//! What tokens alone cannot do: end before their time.

use serde_json::json;

use super::Expected::{Challenge, Error, Member, Present, Status};
use super::steps::{LOGIN, PASSWORD, SIGNUP};
use super::{Credentials, Expected, Learns, Step, Target};
use crate::client::Request;

const NEW_PASSWORD: &str = "anotherpassword1";

/// Asha, on her devices, until she is gone.
pub(super) fn steps(target: &Target) -> Vec<Step> {
    let email = format!("asha+{}@example.com", target.run);
    let log_in = |password: &str| Request::post(LOGIN, &json!({ "email": email, "password": password }));
    let on = |name, request, device| {
        Step::new(name, request, [Status(&[200]), Present("/token")]).learns(Learns::Device(device))
    };
    let sign_up = Request::post(SIGNUP, &json!({ "name": "Asha", "email": email, "password": PASSWORD }));
    let change = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    let user = "/api/admin/users/{laptop/user/id}";
    vec![
        Step::new("Asha signs up on the laptop", sign_up, [Status(&[201]), Present("/user/id")])
            .learns(Learns::Device("laptop")),
        on("and logs in on the phone", log_in(PASSWORD), "phone"),
        Step::new(
            "she logs out on the phone",
            Request::post("/api/auth/logout", &json!({})),
            [Status(&[204])],
        )
        .with(Credentials::Device("phone")),
        refused("within a second the phone is refused", "Token revoked", "phone"),
        passes("the laptop is not", "laptop"),
        on("she logs in on the tablet", log_in(PASSWORD), "tablet"),
        on("and changes her password there", Request::post("/api/auth/password", &change), "renewed")
            .with(Credentials::Device("tablet")),
        refused("within a second the laptop is refused", "Token revoked", "laptop"),
        refused("and the tablet's token of before", "Token revoked", "tablet"),
        passes("the one that came with the change passes", "renewed"),
        Step::new(
            "the administrator makes her a rider",
            Request::new("PUT", format!("{user}/roles")).json(&json!({ "roles": ["rider"] })),
            [Status(&[200]), Member("/roles/0", json!("rider"))],
        )
        .with(Credentials::Admin),
        refused("within a second the token without the role is refused", "Token revoked", "renewed"),
        on(
            "a refresh brings the role, and needs no login",
            Request::post("/api/auth/refresh", &json!({ "refreshToken": "{renewed/refreshToken}" })),
            "rider",
        ),
        Step::new(
            "a rider calls an order delivered (404: there is none)",
            Request::new("PATCH", "/api/orders/999999/status").json(&json!({ "status": "delivered" })),
            [Status(&[404])],
        )
        .with(Credentials::Device("rider")),
        Step::new("the administrator deletes her", Request::new("DELETE", user), [Status(&[204])])
            .with(Credentials::Admin),
        refused("within a second she is gone", "User no longer exists", "rider"),
        Step::new("and everybody else is still there", Request::get("/api/orders"), [Status(&[200])])
            .with(Credentials::Customer),
    ]
}

fn refused(name: &'static str, error: &'static str, device: &'static str) -> Step {
    let expected: [Expected; 3] = [Status(&[401]), Error(error), Challenge("invalid_token")];
    Step::new(name, Request::get("/api/orders"), expected).with(Credentials::Device(device)).felt()
}

fn passes(name: &'static str, device: &'static str) -> Step {
    Step::new(name, Request::get("/api/orders"), [Status(&[200])]).with(Credentials::Device(device)).felt()
}
