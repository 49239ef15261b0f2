use std::fs;
use std::net::SocketAddr;

use serde_json::{Value, json};
use xtask::directory::{TemporaryDirectory, random_hex};
use xtask::report::Report;
use xtask::stack::{AUDIENCE, ISSUER, Restaurant};

use super::person::Person;
use crate::client::Request;
use crate::deadline::eventually;
use crate::harness::database::TestDatabase;
use crate::harness::{FEED_CREDENTIAL, Issuer, Proxy, Setup, database_server};

/// An Envoy of two workers before two replicas of the issuer, on one database.
#[derive(Debug)]
pub struct Site {
    // Dropped in this order.
    proxy: Proxy,
    _restaurant: Restaurant,
    replicas: [Issuer; 2],
    database: TestDatabase,
    _directory: TemporaryDirectory,
}

/// Envoy's workers.
pub(super) const WORKERS: u32 = 2;

/// What lets few addresses and few users do what many do: no limits, and answers to logins that wait for nothing but the hash.
const SETTINGS: [(&str, &str); 9] = [
    ("BEARWARD_ISSUER", ISSUER),
    ("BEARWARD_AUDIENCE", AUDIENCE),
    ("BEARWARD_TRUSTED_PROXIES", "127.0.0.1"),
    ("BEARWARD_LOGIN_DEADLINE_MS", "30"),
    ("BEARWARD_LOGIN_LIMIT", "off"),
    ("BEARWARD_LOGIN_ACCOUNT_LIMIT", "off"),
    ("BEARWARD_LOGIN_ADDRESS_LIMIT", "off"),
    ("BEARWARD_SIGNUP_LIMIT", "off"),
    ("BEARWARD_REFRESH_LIMIT", "off"),
];

impl Site {
    /// Starts it, with the module that ships and the repository's own `envoy.yaml`, and waits until tokens pass.
    ///
    /// # Panics
    /// If something does not start.
    #[must_use]
    pub fn start() -> Self {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").expect("a directory");
        let database = TestDatabase::create(&database_server());
        let credential = directory.path().join("feed-credential");
        fs::write(&credential, FEED_CREDENTIAL).expect("a writable directory");
        let credential = credential.display().to_string();
        let more =
            [("BEARWARD_FEED_CREDENTIAL_FILES", credential.as_str()), ("BEARWARD_HASH_SHARE_PERCENT", "100")];
        let settings = [&SETTINGS[..], &more].concat();
        let replicas = [(); 2].map(|()| Issuer::start(&database.url(), &settings));
        let restaurant =
            Restaurant::start(directory.path(), &[], &mut Report::silent()).expect("the restaurant");
        let public = replicas.each_ref().map(|replica| address(replica.url()));
        let internal = replicas.each_ref().map(|replica| address(replica.internal_url()));
        let proxy = Setup::shipped().workers(WORKERS).start_changed(restaurant.address(), |configuration| {
            set_endpoints(configuration, "issuer", &public);
            set_endpoints(configuration, "issuer_internal", &internal);
        });
        let site = Self { proxy, _restaurant: restaurant, replicas, database, _directory: directory };
        // Before the keys and the revocations are there it is 503.
        let probe = Person::sign_up(&site);
        let mut passed = 0;
        eventually("an Envoy that judges", || {
            let status = Request::get("/api/orders").bearer(probe.first()).send(site.url()).status;
            passed = if status == 200 { passed + 1 } else { 0 };
            (passed >= 16).then_some(())
        });
        site
    }

    /// `http://127.0.0.1:PORT` of Envoy.
    #[must_use]
    pub fn url(&self) -> &str {
        self.proxy.url()
    }

    /// Envoy's admin interface.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        self.proxy.admin_url()
    }

    /// Where the replicas keep everything.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// The replicas.
    #[must_use]
    pub fn replicas(&self) -> &[Issuer; 2] {
        &self.replicas
    }

    /// A new administrator, who has just logged in.
    pub(super) fn admin(&self) -> Person {
        let email = format!("admin-{}@example.com", random_hex(8).expect("random numbers"));
        let person = Person::sign_up_as(self, &email);
        let _ = self.replicas[0].says(&["user", "roles", &email, "admin"]);
        person.logged_in_anew(self)
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

fn set_endpoints(configuration: &mut Value, name: &str, addresses: &[SocketAddr]) {
    let endpoint = |address: &SocketAddr| {
        json!({ "endpoint": { "address": { "socket_address":
            { "address": address.ip().to_string(), "port_value": address.port() } } } })
    };
    let clusters = configuration["static_resources"]["clusters"].as_array_mut().expect("clusters");
    let cluster = clusters.iter_mut().find(|cluster| cluster["name"] == name).expect("the cluster");
    let endpoints: Vec<Value> = addresses.iter().map(endpoint).collect();
    cluster["load_assignment"]["endpoints"] = json!([{ "lb_endpoints": endpoints }]);
}
