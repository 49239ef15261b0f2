//! What can be set, from the command line or the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

/// The demo upstream of Bearward: a menu and orders, in memory.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct Settings {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, env = "RESTAURANT_LISTEN", default_value = "127.0.0.1:8082")]
    pub(crate) listen: SocketAddr,

    /// File that gets the line `public=IP:PORT` as soon as connections are accepted.
    #[arg(long, env = "RESTAURANT_ADDRESS_FILE")]
    pub(crate) address_file: Option<PathBuf>,

    /// Ask the server that listens on this address whether it is well, and exit with 0 or 1.
    #[arg(long)]
    pub(crate) healthcheck: bool,
}
