//! A connection's way to PostgreSQL or to an HTTP server, with what can happen to it on that way.

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
    /// The same for what clients say alone.
    LostRequests,
    /// The same for what the server says alone.
    LostAnswers,
}

#[derive(Debug)]
struct Way {
    target: Mutex<Target>,
    fault: Mutex<Fault>,
    open: Mutex<Vec<Arc<Open>>>,
}

/// A connection that is being carried.
#[derive(Debug)]
struct Open {
    client: Socket,
    server: Socket,
    /// Whether something was lost of what the client said, and of what the server said.
    lost: [AtomicBool; 2],
    is_reset: AtomicBool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug)]
enum From {
    Client,
    Server,
}

impl Link {
    /// A way to the server of this URL.
    ///
    /// # Panics
    /// If there is no free port, or the URL names no server.
    #[must_use]
    pub fn to(database_url: &str) -> Self {
        Self::to_target(Target::of(database_url))
    }

    /// A way to the server that listens there.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn to_address(address: SocketAddr) -> Self {
        Self::to_target(Target::at(address))
    }

    fn to_target(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let way = Arc::new(Way {
            target: Mutex::new(target),
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

    /// Where it begins.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections lead to the server of this URL from now on; old ones stay.
    ///
    /// # Panics
    /// If the URL names no server.
    pub fn lead_to(&self, database_url: &str) {
        *lock(&self.way.target) = Target::of(database_url);
    }

    /// New connections lead to the server that listens there from now on; old ones stay.
    pub fn lead_to_address(&self, address: SocketAddr) {
        *lock(&self.way.target) = Target::at(address);
    }

    /// From now on this happens.
    pub fn set(&self, fault: Fault) {
        *lock(&self.way.fault) = fault;
    }

    /// How many connections are open that have lost something.
    #[must_use]
    pub fn losses(&self) -> usize {
        lock(&self.way.open).iter().filter(|open| open.has_lost()).count()
    }

    /// Cuts every connection that is open, and says how many there were.
    pub fn cut(&self) -> usize {
        self.end_all(Open::end)
    }

    /// The same, as a router does that has forgotten them: both sides are told by RST.
    pub fn reset(&self) -> usize {
        self.end_all(Open::reset)
    }

    fn end_all(&self, end: impl Fn(&Open)) -> usize {
        let all = std::mem::take(&mut *lock(&self.way.open));
        all.iter().for_each(|open| end(open));
        all.len()
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
        // Not under the lock: it may take a while.
        let target = lock(&self.target).clone();
        let Ok(server) = target.connect() else { return };
        let _ = client.set_nodelay(true);
        let open = Arc::new(Open {
            client: Socket::Tcp(client),
            server,
            lost: Default::default(),
            is_reset: AtomicBool::new(false),
        });
        lock(&self.open).push(Arc::clone(&open));
        thread::scope(|scope| {
            scope.spawn(|| self.pump(&open, From::Client));
            self.pump(&open, From::Server);
        });
        lock(&self.open).retain(|other| !Arc::ptr_eq(other, &open));
    }

    /// Until one of them ends; then the other does, too.
    fn pump(&self, open: &Open, speaker: From) {
        let (mut from, mut to, lost) = match speaker {
            From::Client => (&open.client, &open.server, &open.lost[0]),
            From::Server => (&open.server, &open.client, &open.lost[1]),
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            match (self.fault(), speaker) {
                (Fault::Silence, _) => open.lost.iter().for_each(|lost| lost.store(true, Ordering::SeqCst)),
                (Fault::LostRequests, From::Client) | (Fault::LostAnswers, From::Server) => {
                    lost.store(true, Ordering::SeqCst);
                }
                (Fault::Delay(delay), _) => thread::sleep(delay),
                _ => {}
            }
            if lost.load(Ordering::SeqCst) {
                continue;
            }
            if to.write_all(&chunk[..length]).is_err() {
                break;
            }
        }
        // Nobody is told of an end either.
        if !lost.load(Ordering::SeqCst) && !open.is_reset.load(Ordering::SeqCst) {
            to.shutdown();
        }
    }
}

impl Open {
    fn has_lost(&self) -> bool {
        self.lost.iter().any(|lost| lost.load(Ordering::SeqCst))
    }

    fn end(&self) {
        self.client.shutdown();
        self.server.shutdown();
    }

    /// RST goes out when the last of its threads has let go of it.
    fn reset(&self) {
        self.is_reset.store(true, Ordering::SeqCst);
        self.client.reset_at_close();
        self.server.reset_at_close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a link whose threads do not panic")
}
