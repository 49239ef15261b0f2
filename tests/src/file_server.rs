//! A web server of one file, as plain as web servers are.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Hands the file out at every path, as it is when it is asked for. It ends with the process.
#[derive(Debug)]
pub struct FileServer {
    address: SocketAddr,
    is_away: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    /// Listens on a free port of 127.0.0.1.
    #[must_use]
    pub fn start(file: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let (is_away, answered, seen): (Arc<AtomicBool>, Arc<AtomicUsize>, Arc<Mutex<Vec<String>>>) =
            Default::default();
        let (away, counted, heads) = (Arc::clone(&is_away), Arc::clone(&answered), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if away.load(Ordering::SeqCst) {
                    continue;
                }
                let (file, counted, heads) = (file.clone(), Arc::clone(&counted), Arc::clone(&heads));
                thread::spawn(move || serve(stream, &file, &counted, &heads));
            }
        });
        Self { address, is_away, answered, seen }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it closes every connection without an answer.
    pub fn go_away(&self) {
        self.is_away.store(true, Ordering::SeqCst);
    }

    /// It answers again.
    pub fn come_back(&self) {
        self.is_away.store(false, Ordering::SeqCst);
    }

    /// How often the file was handed out.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// The head of the last request, in lines.
    ///
    /// # Panics
    /// If a thread of the server has panicked.
    #[must_use]
    pub fn last_head(&self) -> Vec<String> {
        self.seen.lock().expect("the head of a request").clone()
    }
}

fn serve(mut stream: TcpStream, file: &PathBuf, answered: &AtomicUsize, seen: &Mutex<Vec<String>>) {
    let Ok(requests) = stream.try_clone() else { return };
    let mut lines = BufReader::new(requests).lines().map_while(Result::ok);
    let head: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    if head.is_empty() {
        return;
    }
    *seen.lock().expect("the head of a request") = head;
    let (status, body) = fs::read(file).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // A proxy that has gone needs no answer.
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_ok() {
        answered.fetch_add(1, Ordering::SeqCst);
    }
}
