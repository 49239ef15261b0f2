//! A TCP connection's way to PostgreSQL, with what can happen to it on that way.

mod socket;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use self::socket::{Socket, Target};

/// The most bytes that are passed on at once: what a delay is for each of.
const CHUNK_BYTES: usize = 16 * 1024;

/// Listens on loopback and passes on to a server. It ends with the process.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    way: Arc<Way>,
}

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// A new connection is closed at once; old ones stay.
    Refuse,
    /// Every chunk, in both directions, takes so much longer.
    Delay(Duration),
    /// Whatever is sent is lost, and nobody is told. A connection that lost something stays silent for ever, also when
    /// this is over, as behind a firewall that has forgotten it.
    Silence,
}

#[derive(Debug)]
struct Way {
    target: Target,
    fault: Mutex<Fault>,
    open: Mutex<Vec<[Socket; 2]>>,
}

impl Link {
    /// A way to the server of this URL.
    ///
    /// # Panics
    /// If there is no free port, or the URL names no server.
    #[must_use]
    pub fn to(database_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let way = Arc::new(Way {
            target: Target::of(database_url),
            fault: Mutex::new(Fault::None),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&way);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let way = Arc::clone(&accepting);
                thread::spawn(move || way.carry(stream));
            }
        });
        Self { address, way }
    }

    /// The database of this URL by way of this.
    ///
    /// # Panics
    /// If it is no URL of a database.
    #[must_use]
    pub fn url(&self, database_url: &str) -> String {
        let rest = database_url.split_once("://").expect("a URL").1;
        let (authority, path) = rest.split_once('/').expect("a URL with a database");
        let user = authority.rsplit_once('@').map_or("postgres", |(user, _)| user);
        let name = path.split('?').next().unwrap_or_default();
        format!("postgres://{user}@{}/{name}?sslmode=disable", self.address)
    }

    /// From now on this happens.
    pub fn set(&self, fault: Fault) {
        *lock(&self.way.fault) = fault;
    }

    /// Cuts every connection that is open, and says how many there were.
    pub fn cut(&self) -> usize {
        let cut = std::mem::take(&mut *lock(&self.way.open));
        cut.iter().flatten().for_each(Socket::shutdown);
        cut.len()
    }
}

impl Way {
    fn fault(&self) -> Fault {
        *lock(&self.fault)
    }

    fn carry(&self, client: TcpStream) {
        if self.fault() == Fault::Refuse {
            return;
        }
        let Ok(server) = self.target.connect() else { return };
        let _ = client.set_nodelay(true);
        let client = Socket::Tcp(client);
        let (Ok(here), Ok(there)) = (client.duplicate(), server.duplicate()) else { return };
        lock(&self.open).push([here, there]);
        let (Ok(from_client), Ok(from_server)) = (client.duplicate(), server.duplicate()) else { return };
        let is_lost = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| self.pump(from_client, &server, &is_lost));
            self.pump(from_server, &client, &is_lost);
        });
    }

    /// Until one of them ends; then the other does, too.
    fn pump(&self, mut from: Socket, to: &Socket, is_lost: &AtomicBool) {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            match self.fault() {
                Fault::Silence => is_lost.store(true, Ordering::SeqCst),
                Fault::Delay(delay) => thread::sleep(delay),
                Fault::None | Fault::Refuse => {}
            }
            if is_lost.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(mut to) = to.duplicate() else { break };
            if to.write_all(&chunk[..length]).is_err() {
                break;
            }
        }
        // Nobody is told of an end either.
        if !is_lost.load(Ordering::SeqCst) {
            to.shutdown();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a link whose threads do not panic")
}
