//! Issuer, upstream and Envoy with the filter, as one: what the demo shows and what the acceptance tests drive.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use self::addresses::address_file;
pub use self::configuration::{Addresses, substitute};
pub use self::credential::FEED_VARIABLE;
use self::credential::FeedCredential;
pub use self::envoy::{EnvoyOptions, EnvoyServer};
use self::issuer::IssuerServer;
pub use self::restaurant::Restaurant;
use crate::directory::create_all;
use crate::error::Error;
use crate::report::Report;
use crate::{envoy as provision, workspace};

mod addresses;
mod configuration;
mod credential;
mod envoy;
mod issuer;
mod readiness;
mod restaurant;

/// `iss` of the tokens of the stack's issuer, as `envoy.yaml` names it.
pub const ISSUER: &str = "http://issuer.bearward.local";
/// `aud` of the tokens of the stack's issuer, as `envoy.yaml` names it.
pub const AUDIENCE: &str = "restaurant";

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Gets the logs, the address files and the `envoy.yaml` that Envoy was started with. Made if it is missing.
    pub directory: PathBuf,
    /// A database of the stack's own; the issuer migrates it.
    pub database_url: String,
    /// Envoy's listener on 127.0.0.1; 0 takes any free port.
    pub envoy_port: u16,
    /// The filter.
    pub wasm: PathBuf,
    /// Envoy's configuration with the markers of [`substitute`].
    pub envoy_yaml: PathBuf,
    /// Textual edits of that file, made before the markers are: (what stands there, what shall stand there). An edit
    /// whose first half does not occur is an error.
    pub edits: Vec<(String, String)>,
    /// The upstream behind Envoy; `None` starts the restaurant.
    pub upstream: Option<SocketAddr>,
    /// More environment for the issuer; it wins over what the stack sets.
    pub issuer_env: Vec<(String, String)>,
    /// More environment for Envoy, secrets that the policy names for instance.
    pub envoy_env: Vec<(String, String)>,
    /// Envoy's worker threads, each with a VM of its own.
    pub concurrency: u32,
    /// What to wait for before the stack counts as started.
    pub wait: Wait,
}

/// When a stack counts as started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Every process is ready and the filter can judge tokens: it answers other than 503.
    Filter,
    /// Every process is ready, the filter may lack keys yet.
    Processes,
}

impl StackOptions {
    /// The repository's own `envoy.yaml` and `target/bearward.wasm`, any free port, one worker, the restaurant.
    pub fn new(
        directory: impl Into<PathBuf>,
        database_url: impl Into<String>,
    ) -> Result<StackOptions, Error> {
        Ok(StackOptions {
            directory: directory.into(),
            database_url: database_url.into(),
            envoy_port: 0,
            wasm: workspace::target()?.join("bearward.wasm"),
            envoy_yaml: workspace::root().join("envoy.yaml"),
            edits: Vec::new(),
            upstream: None,
            issuer_env: Vec::new(),
            envoy_env: Vec::new(),
            concurrency: 1,
            wait: Wait::Filter,
        })
    }
}

/// A running stack. Dropping it ends its processes.
#[derive(Debug)]
pub struct Stack {
    // Dropped in this order: who calls ends before who is called.
    envoy: EnvoyServer,
    restaurant: Option<Restaurant>,
    issuer: IssuerServer,
    upstream: SocketAddr,
    directory: PathBuf,
}

impl Stack {
    /// Starts issuer, upstream and Envoy, each as soon as what it needs is ready.
    pub fn start(options: &StackOptions, report: &mut Report) -> Result<Stack, Error> {
        create_all(&options.directory)?;
        let credential = FeedCredential::make(&options.directory)?;
        let issuer = report.step("issuer", |report| IssuerServer::start(options, &credential, report))?;
        let (restaurant, upstream) = match options.upstream {
            Some(address) => (None, address),
            None => {
                let restaurant =
                    report.step("restaurant", |report| Restaurant::start(&options.directory, &[], report))?;
                let address = restaurant.address();
                (Some(restaurant), address)
            }
        };
        let envoy = report.step("envoy", |report| {
            start_envoy(options, &credential, (issuer.public(), issuer.internal()), upstream, report)
        })?;
        let follows = envoy.configuration().contains(FOLLOWS_A_FEED);
        let mut stack = Stack { envoy, restaurant, issuer, upstream, directory: options.directory.clone() };
        if options.wait == Wait::Filter {
            report.step("filter: keys fetched", |report| {
                readiness::filter_judges(&mut stack.envoy, options.concurrency, report)
            })?;
            if follows {
                report.step("filter: revocations known", |report| {
                    readiness::filter_follows(&mut stack.envoy, options.concurrency, report)
                })?;
            }
        }
        Ok(stack)
    }

    /// `http://127.0.0.1:PORT`, Envoy's listener: what clients talk to.
    pub fn url(&self) -> &str {
        self.envoy.url()
    }

    /// `http://127.0.0.1:PORT`, Envoy's admin interface.
    pub fn admin_url(&self) -> &str {
        self.envoy.admin_url()
    }

    /// `http://127.0.0.1:PORT`, the issuer's public port, past Envoy.
    pub fn issuer_url(&self) -> String {
        format!("http://{}", self.issuer.public())
    }

    /// `http://127.0.0.1:PORT`, the issuer's internal port.
    pub fn issuer_internal_url(&self) -> String {
        format!("http://{}", self.issuer.internal())
    }

    /// The upstream, past Envoy.
    pub fn upstream_address(&self) -> SocketAddr {
        self.upstream
    }

    /// Everything that Envoy has logged so far.
    pub fn envoy_log(&self) -> String {
        self.envoy.log()
    }

    /// Everything that the issuer has logged so far.
    pub fn issuer_log(&self) -> String {
        self.issuer.log()
    }

    /// The folder with the logs and the substituted `envoy.yaml`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes an administrator as an operator does: `bearward-issuer admin create`.
    pub fn create_admin(&self, email: &str, password: &str) -> Result<(), Error> {
        self.issuer.create_admin(email, password)
    }

    /// What `bearward-issuer VERB ARGUMENTS` prints with the settings of the running issuer.
    pub fn issuer_says(&self, verb: &str, arguments: &[&str]) -> Result<String, Error> {
        self.issuer.run(verb, arguments)
    }

    /// Stops the issuer; Envoy and its keys stay.
    pub fn stop_issuer(&mut self) {
        self.issuer.stop();
    }

    /// Starts the issuer again on the addresses that it had.
    pub fn start_issuer(&mut self, report: &mut Report) -> Result<(), Error> {
        self.issuer.resume(report)
    }

    /// An error with the last lines of its log if one of the processes has ended.
    pub fn check(&mut self) -> Result<(), Error> {
        self.envoy.check()?;
        self.restaurant.as_mut().map_or(Ok(()), Restaurant::check)?;
        self.issuer.check()
    }

    /// Ends all processes in order; dropping does the same.
    pub fn stop(self) {
        drop(self);
    }
}

/// Where this stands in a configuration of Envoy, some issuer of the policy has a feed.
const FOLLOWS_A_FEED: &str = "credential_env";

fn start_envoy(
    options: &StackOptions,
    credential: &FeedCredential,
    (issuer, internal): (SocketAddr, SocketAddr),
    upstream: SocketAddr,
    report: &mut Report,
) -> Result<EnvoyServer, Error> {
    if !options.wasm.is_file() {
        return Err(Error::unusable(
            format!("{} does not exist", options.wasm.display()),
            "run `cargo xtask build`",
        ));
    }
    let listen = SocketAddr::from(([127, 0, 0, 1], options.envoy_port));
    let text = configuration::edited(&options.envoy_yaml, &options.edits)?;
    let addresses = Addresses { listen, issuer, internal, upstream, module: &options.wasm };
    let envoy = EnvoyOptions {
        binary: provision::provide(report)?,
        configuration: substitute(&text, &addresses)?,
        directory: options.directory.clone(),
        env: [credential.for_envoy()].into_iter().chain(options.envoy_env.iter().cloned()).collect(),
        concurrency: options.concurrency,
    };
    EnvoyServer::start(&envoy, report)
}
