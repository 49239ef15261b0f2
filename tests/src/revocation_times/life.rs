use std::time::Duration;

use serde_json::{Value, json};

use super::person::{Person, Session};
use super::{Cause, Moment, Sample, Site, Tell, Workers};

/// Leads a user's life, in which tokens end for every cause that concerns one user, once for each. Every time the tokens that
/// have not ended must pass at every worker: the user's others, one of a login right afterwards, and somebody else's.
///
/// # Panics
/// If something passes or is refused that should not be.
pub fn life(site: &Site, workers: &mut Workers, tell: Tell<'_>) {
    let admin = site.admin();
    let mut priya = Person::sign_up(site);
    let bystander = Person::sign_up(site);
    let mut life =
        Life { site, workers, tell, bystanders: [bystander.session().clone(), admin.session().clone()] };
    let admin = admin.session().clone();

    let kept = priya.session().clone();
    let this = priya.log_in(site);
    let moment = life.does(&this, "POST", "/api/auth/logout", &json!({}));
    let mine = life.felt(Cause::LogoutThis, moment, "token_revoked", &[&this], &[&kept], &priya);

    let moment = life.does(&mine, "POST", "/api/auth/logout", &json!({ "scope": "others" }));
    let other = life.felt(Cause::LogoutOthers, moment, "token_revoked", &[&kept], &[&mine], &priya);

    let moment = life.does(&mine, "DELETE", &format!("/api/auth/sessions/{}", other.sid()), &Value::Null);
    let other = life.felt(Cause::SessionInTheList, moment, "token_revoked", &[&other], &[&mine], &priya);

    let new_password = "anotherpassword1";
    let change = json!({ "currentPassword": priya.password, "newPassword": new_password });
    let (answer, moment) = mine.does(site, "POST", "/api/auth/password", &change);
    let changed = Session::of(&answer);
    priya.password = new_password.to_owned();
    let ended = [&mine, &other];
    let newer = life.felt(Cause::PasswordChange, moment, "token_revoked", &ended, &[&changed], &priya);

    let moment = life.does(&changed, "POST", "/api/auth/logout", &json!({ "scope": "all" }));
    let mine = life.felt(Cause::LogoutAll, moment, "token_revoked", &[&changed, &newer], &[], &priya);

    let path = format!("/api/admin/users/{}", priya.id);
    let roles = json!({ "roles": ["rider"] });
    let moment = life.does(&admin, "PUT", &format!("{path}/roles"), &roles);
    // The session goes on, with the new roles.
    let refreshed = mine.refreshed(site);
    let mine = life.felt(Cause::RoleChange, moment, "token_revoked", &[&mine], &[&refreshed], &priya);

    let moment = life.does(&admin, "POST", &format!("{path}/disable"), &Value::Null);
    life.gone(Cause::Disable, moment, &[&mine, &refreshed], &priya);

    // Nothing more ends: what had ended stays refused all the time, and a new login passes.
    let moment = life.does(&admin, "POST", &format!("{path}/enable"), &Value::Null);
    let ended = [&mine, &refreshed];
    let one = life.felt(Cause::EnableAgain, moment, "subject_gone", &ended, &[], &priya);

    let another = priya.log_in(site);
    let moment = life.revoke(&admin, &json!({ "kind": "session", "id": one.sid() }));
    let third = life.felt(Cause::AdminSession, moment, "token_revoked", &[&one], &[&another], &priya);

    let moment = life.revoke(&admin, &json!({ "kind": "subject", "id": priya.id }));
    let last = life.felt(Cause::AdminSubject, moment, "token_revoked", &[&another, &third], &[], &priya);

    let moment = life.does(&admin, "DELETE", &path, &Value::Null);
    life.gone(Cause::Delete, moment, &[&last], &priya);
}

struct Life<'l> {
    site: &'l Site,
    workers: &'l mut Workers,
    tell: Tell<'l>,
    bystanders: [Session; 2],
}

impl Life<'_> {
    fn does(&self, session: &Session, method: &str, path: &str, body: &Value) -> Moment {
        session.does(self.site, method, path, body).1
    }

    fn revoke(&self, admin: &Session, body: &Value) -> Moment {
        self.does(admin, "POST", "/api/admin/revocations", body)
    }

    /// Waits until the ended tokens are refused, and returns a session of a login right after that.
    fn felt(
        &mut self,
        cause: Cause,
        since: Moment,
        code: &str,
        ended: &[&Session],
        others: &[&Session],
        person: &Person,
    ) -> Session {
        let at_each = self.workers.refused(since, code, ended);
        let new = person.log_in(self.site);
        let others: Vec<&Session> = others.iter().copied().chain([&new]).collect();
        self.check(code, ended, &others);
        self.tell(cause, at_each, Some(new.issued_at() == since.second));
        new
    }

    /// The same where the user is not there any more.
    fn gone(&mut self, cause: Cause, since: Moment, ended: &[&Session], person: &Person) {
        let code = "subject_gone";
        let at_each = self.workers.refused(since, code, ended);
        let login = person.try_to_log_in(self.site).status;
        assert!(matches!(login, 401 | 403), "{login}");
        self.check(code, ended, &[]);
        self.tell(cause, at_each, None);
    }

    fn check(&mut self, code: &str, ended: &[&Session], others: &[&Session]) {
        let others: Vec<&Session> = others.iter().copied().chain(&self.bystanders).collect();
        self.workers.must_take(&others);
        self.workers.must_refuse(&[code], ended);
    }

    fn tell(&self, cause: Cause, at_each: Vec<Duration>, is_same_second: Option<bool>) {
        (self.tell)(Sample { cause, at_each, is_same_second, again_after: None });
    }
}
