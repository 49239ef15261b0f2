//! Two replicas of the issuer over one database, with a way to and from each of them that can fail.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::{FEED_CREDENTIAL, Issuer, Proxy, Setup};
use bearward_tests::link::Link;
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;
use xtask::process::Signal;
use xtask::report::Report;
use xtask::stack::Restaurant;

use super::PROMISED;
use super::people::{Person, felt_within, passing};
use super::watch::Watch;

/// From which age on what is known counts as nothing, for tests that wait for it: the least that goes with a question's wait.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(8);
/// How long a question waits for news, and how long the filter waits for its answer, as `envoy.yaml` has it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5 + 2);
/// How soon all is as it was, once the trouble is over, at the latest: a question that is lost is waited for, then comes the longest
/// pause between two (5 s, and half of it, by which proxies differ), and some time on a busy machine.
pub(super) const RECOVERY: Duration = Duration::from_secs(7 + 8 + 5);

/// What is known is stale as early as may be. One question that is lost makes it so.
pub(super) fn soon_stale(setup: Setup) -> Setup {
    setup.change_policy(|policy| {
        let stale_after = &mut policy["issuers"]["bearward"]["revocations"]["stale_after_seconds"];
        *stale_after = json!(STALE_AFTER.as_secs());
    })
}

/// No limits: all come from one address.
const SETTINGS: [(&str, &str); 6] = [
    ("BEARWARD_LOGIN_DEADLINE_MS", "100"),
    ("BEARWARD_LOGIN_LIMIT", "off"),
    ("BEARWARD_LOGIN_ACCOUNT_LIMIT", "off"),
    ("BEARWARD_LOGIN_ADDRESS_LIMIT", "off"),
    ("BEARWARD_SIGNUP_LIMIT", "off"),
    ("BEARWARD_REFRESH_LIMIT", "off"),
];

/// Both replicas, and the upstream. An Envoy is started before them by [`proxy`](Issuers::proxy).
pub(super) struct Issuers {
    // Dropped in this order.
    pub(super) both: [Replica; 2],
    restaurant: Restaurant,
    directory: TemporaryDirectory,
}

/// One of them. Envoy finds it at the same addresses whatever becomes of it.
pub(super) struct Replica {
    issuer: Option<Issuer>,
    settings: Vec<(&'static str, String)>,
    database_url: String,
    /// From Envoy, for logins and keys.
    public: Link,
    /// From Envoy, for the feed.
    pub(super) feed: Link,
    /// To PostgreSQL.
    pub(super) database: Link,
}

impl Issuers {
    pub(super) fn start(database_url: &str) -> Self {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let credential = directory.path().join("feed-credential");
        fs::write(&credential, FEED_CREDENTIAL).unwrap();
        let both = [0, 1].map(|_| Replica::start(database_url, &credential.display().to_string()));
        let restaurant = Restaurant::start(directory.path(), &[], &mut Report::silent()).unwrap();
        Self { both, restaurant, directory }
    }

    /// What ships, with two workers, and the feed of both replicas.
    pub(super) fn setup(&self) -> Setup {
        let [one, two] = &self.both;
        Setup::shipped()
            .workers(2)
            .replicas([one.feed.address(), two.feed.address()], two.public.address())
            .change_policy(|policy| {
                policy["issuers"]["bearward"]["revocations"]["when_stale"] = json!("reject");
            })
    }

    /// An Envoy that knows the revocations at every worker: this session passes.
    pub(super) fn proxy(&self, setup: &Setup, good: &Value) -> Proxy {
        let (issuer, upstream) = self.addresses();
        let proxy = setup.start_envoy(issuer, upstream).unwrap_or_else(|log| panic!("{log}"));
        passing(proxy.url(), "a new Envoy", &[good], Duration::from_secs(30));
        proxy
    }

    /// What a setup is started with: where logins go, and what is guarded.
    pub(super) fn addresses(&self) -> (SocketAddr, SocketAddr) {
        (self.both[0].public.address(), self.restaurant.address())
    }

    /// For logs and files of the test.
    pub(super) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// One of them that the leader waits for an answer of.
    pub(super) fn asked(&self) -> usize {
        eventually("a question that waits for an answer", || self.both.iter().position(|one| one.polls() > 0))
    }
}

impl Replica {
    fn start(database_url: &str, credential: &str) -> Self {
        let database = Link::to(database_url);
        let mut settings: Vec<_> = SETTINGS.map(|(name, value)| (name, value.to_owned())).into();
        settings.push(("BEARWARD_FEED_CREDENTIAL_FILES", credential.to_owned()));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut replica = Self {
            issuer: None,
            settings,
            database_url: database.url(database_url),
            public: Link::to_address(nowhere),
            feed: Link::to_address(nowhere),
            database,
        };
        replica.resume();
        replica
    }

    /// Starts it again.
    pub(super) fn resume(&mut self) {
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let issuer = Issuer::start(&self.database_url, &settings);
        let address = |url: &str| url.trim_start_matches("http://").parse().unwrap();
        self.public.lead_to_address(address(issuer.url()));
        self.feed.lead_to_address(address(issuer.internal_url()));
        self.issuer = Some(issuer);
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        let mut issuer = self.issuer.take().unwrap();
        issuer.signal(Signal::KILL);
        issuer.end();
    }

    /// In order.
    pub(super) fn stop(&mut self) {
        let mut issuer = self.issuer.take().unwrap();
        issuer.signal(Signal::TERM);
        issuer.end();
    }

    pub(super) fn issuer(&self) -> &Issuer {
        self.issuer.as_ref().unwrap()
    }

    /// Past Envoy and every link.
    pub(super) fn url(&self) -> &str {
        self.issuer().url()
    }

    /// Questions of proxies that it has not answered.
    pub(super) fn polls(&self) -> u64 {
        self.metric("bearward_feed_polls")
    }

    pub(super) fn metric(&self, name: &str) -> u64 {
        let Some(issuer) = &self.issuer else { return 0 };
        let Ok(all) = Request::get("/metrics").try_send(issuer.internal_url()) else { return 0 };
        let all = all.text();
        let value = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name}")).parse::<f64>().unwrap() as u64
    }

    /// Somebody logs out here, and until every worker of the proxy knows it: how long that took.
    pub(super) fn logout_is_felt(
        &self,
        proxy: &str,
        watch: &Watch,
        what: &str,
        longest: Duration,
    ) -> Duration {
        let session = self.new_session(proxy);
        self.log_out(&session);
        watch.ended(&session, longest);
        let took = felt_within(proxy, what, "token_revoked", &[&session], &[], longest + PROMISED * 5);
        assert!(took <= longest, "{what}: felt after {took:?}");
        took
    }

    /// A session that passes.
    pub(super) fn new_session(&self, proxy: &str) -> Value {
        let session = Person::sign_up(self.url()).1;
        passing(proxy, "a new session", &[&session], RECOVERY);
        session
    }

    pub(super) fn log_out(&self, session: &Value) {
        let request = Request::post("/api/auth/logout", &json!({}));
        let answer = request.bearer(super::token(session)).send(self.url());
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
}
