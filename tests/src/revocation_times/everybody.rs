use std::collections::BTreeSet;

use serde_json::json;

use super::person::{Person, Session};
use super::{Cause, Moment, Sample, Site, Tell, Workers};
use crate::deadline::eventually;

/// Revokes the key that signs, and then everything, so many times each. Everybody is hurt by design: whoever has a session
/// refreshes after the first, and logs in again after the second, and passes at every worker.
///
/// # Panics
/// If something passes or is refused that should not be.
pub fn everybody(site: &Site, count: usize, tell: Tell<'_>) {
    let mut admin = site.admin();
    let mut priya = Person::sign_up(site);
    let mut workers = Workers::connect(site);
    let mut kids = BTreeSet::new();
    for _ in 0..count {
        let kid = priya.session().kid();
        assert!(kids.insert(kid.clone()), "a key that was revoked signs again");
        let moment = revoke(site, &admin, &json!({ "kind": "key", "id": kid }));
        let ended = [priya.session().clone(), admin.session().clone()];
        let at_each = refused(&mut workers, moment, &ended);
        priya.refreshed(site);
        admin.refreshed(site);
        let new = priya.log_in(site);
        assert!(
            [priya.session(), admin.session(), &new].iter().all(|session| !kids.contains(&session.kid()))
        );
        pass(&mut workers, &[priya.session(), admin.session(), &new]);
        let again_after = Some(moment.at.elapsed());
        // A worker that has fetched the keys since then does not know this one any more.
        workers.must_refuse(&["token_revoked", "key_unknown"], &ended.each_ref());
        let is_same_second = Some(new.issued_at() == moment.second);
        tell(Sample { cause: Cause::AdminKey, at_each, is_same_second, again_after });
    }
    for _ in 0..count {
        let moment = revoke(site, &admin, &json!({ "kind": "all" }));
        let ended = [priya.session().clone(), admin.session().clone()];
        let at_each = refused(&mut workers, moment, &ended);
        priya = priya.logged_in_anew(site);
        admin = admin.logged_in_anew(site);
        workers.must_take(&[priya.session(), admin.session()]);
        workers.must_refuse(&["token_revoked"], &ended.each_ref());
        let is_same_second = Some(priya.session().issued_at() == moment.second);
        tell(Sample { cause: Cause::AdminAll, at_each, is_same_second, again_after: None });
    }
}

fn revoke(site: &Site, admin: &Person, body: &serde_json::Value) -> Moment {
    admin.session().does(site, "POST", "/api/admin/revocations", body).1
}

fn refused(workers: &mut Workers, since: Moment, ended: &[Session; 2]) -> Vec<std::time::Duration> {
    workers.refused(since, "token_revoked", &ended.each_ref())
}

/// Until they pass at every worker: each fetches the new key by itself.
fn pass(workers: &mut Workers, sessions: &[&Session]) {
    eventually("tokens of the new key that pass", || workers.take(sessions).then_some(()));
}
