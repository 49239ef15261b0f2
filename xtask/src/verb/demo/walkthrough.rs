use super::running::Running;

/// What to try, as lines for a shell that has curl and sed.
pub(super) fn text(running: &Running) -> String {
    let Running { url, admin_email, admin_password, .. } = running;
    format!(
        r#"
ready: {url}
admin: {admin_email} {admin_password}

Paste these into another terminal; Ctrl-C here ends everything.

# sign up: a token and the user, no password
curl -i {url}/api/auth/signup -H 'content-type: application/json' -d '{{"name":"Priya","email":"priya@example.com","password":"mypassword123"}}'

# log in, and keep the token
TOKEN=$(curl -s {url}/api/auth/login -H 'content-type: application/json' -d '{{"email":"priya@example.com","password":"mypassword123"}}' | sed -n 's/.*"token":"\([^"]*\)".*/\1/p'); echo "$TOKEN"

# the menu is public: 200
curl -i {url}/api/menu

# orders are not: 401 No token provided
curl -i {url}/api/orders

# with the token: 200, whoever the client says that it is
curl -i {url}/api/orders -H "authorization: Bearer $TOKEN" -H 'x-user-id: someone-else'

# with a made-up one: 401 Invalid token
curl -i {url}/api/orders -H 'authorization: Bearer this.is.fake'

# a customer deletes nothing from the menu: 403 Not authorized
curl -i -X DELETE {url}/api/menu/1 -H "authorization: Bearer $TOKEN"

# an administrator does: 200
ADMIN=$(curl -s {url}/api/auth/login -H 'content-type: application/json' -d '{{"email":"{admin_email}","password":"{admin_password}"}}' | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
curl -i -X DELETE {url}/api/menu/1 -H "authorization: Bearer $ADMIN"

# what no rule names nobody gets: 403
curl -i {url}/api/payments -H "authorization: Bearer $ADMIN"

# log out, and within a second the token is worth nothing: 401 Token revoked
curl -i -X POST {url}/api/auth/logout -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{{}}'; sleep 1
curl -i {url}/api/orders -H "authorization: Bearer $TOKEN"

"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_through_names_this_runs_address_and_administrator() {
        let text = text(&Running {
            url: "http://127.0.0.1:4242".to_owned(),
            pid: 1,
            admin_email: "admin@example.com".to_owned(),
            admin_password: "secret".to_owned(),
            database_url: String::new(),
            issuer_url: String::new(),
        });
        assert!(text.contains("\nready: http://127.0.0.1:4242\n"), "{text}");
        assert!(text.contains("\nadmin: admin@example.com secret\n"), "{text}");
        assert!(text.contains(r#"'{"email":"admin@example.com","password":"secret"}'"#), "{text}");
    }
}
