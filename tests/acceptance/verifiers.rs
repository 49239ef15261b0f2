//! Other people's libraries verify our issuer's tokens, from nothing but its name: `examples/verifiers`.

use std::io::{Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{fs, thread};

use bearward_tests::harness::{Setup, is_longer_run};
use bearward_tests::note::note;
use serde_json::Value;
use xtask::workspace;

const PYTHON: [&str; 2] = ["PyJWT==2.15.1", "cryptography==50.0.2"];
const JOSE: &str = "jose@6.2.18";

#[test]
fn pyjwt_and_jose_verify_our_tokens_by_the_metadata_and_refuse_what_is_wrong() {
    if !is_longer_run() {
        note("PyJWT and jose are installed and asked by `cargo xtask test --all` alone");
        return;
    }
    let folder = workspace::target().unwrap().join("verifiers");
    install(&folder);
    let front = Front::start();
    // The policy knows the issuer by another name: nobody waits for a feed of that name.
    let gate = Setup::shipped().without_revocations().issuer("BEARWARD_ISSUER", &front.url()).start();
    front.lead_to(gate.issuer_address());
    let customer = gate.customer();
    let forged = {
        let (signed, signature) = customer.token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        format!("{signed}.{flipped}{}", signature.get(1..).unwrap())
    };
    for verifier in [Verifier::PyJwt, Verifier::Jose] {
        let ask = |issuer: &str, audience, token: &str| verifier.ask(&folder, [issuer, audience], token);
        let claims: Value =
            serde_json::from_str(&ask(&front.url(), "restaurant", &customer.token).unwrap()).unwrap();
        assert_eq!(claims["sub"], customer.id.as_str(), "{verifier:?}");
        assert_eq!(claims["iss"], front.url().as_str(), "{verifier:?}");
        for (audience, token) in [("kitchen", &customer.token), ("restaurant", &forged)] {
            let said = ask(&front.url(), audience, token).unwrap_err();
            assert!(said.contains("refused: "), "{verifier:?}: {said}");
        }
        let other_name = front.url().replace("127.0.0.1", "localhost");
        let said = ask(&other_name, "restaurant", &customer.token).unwrap_err();
        assert!(said.contains("the metadata is that of http://127.0.0.1"), "{verifier:?}: {said}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Verifier {
    PyJwt,
    Jose,
}

impl Verifier {
    /// What it prints of a token that it accepts, or says of one that it refuses.
    fn ask(self, folder: &Path, arguments: [&str; 2], token: &str) -> Result<String, String> {
        let example = |name: &str| workspace::root().join("examples/verifiers").join(name);
        let mut command = match self {
            Self::PyJwt => {
                let mut command = Command::new("python3");
                command.arg(example("verify.py")).env("PYTHONPATH", folder.join("python"));
                command
            }
            Self::Jose => {
                let mut command = Command::new("node");
                command.arg(example("verify.mjs")).env("JOSE_FOLDER", folder.join("node"));
                command
            }
        };
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().expect("its interpreter");
        // One that refuses before it reads says why itself.
        let _ = child.stdin.take().expect("a pipe").write_all(token.as_bytes());
        let output = child.wait_with_output().expect("its end");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// By the ordinary clients, into a folder of our own, once.
fn install(folder: &Path) {
    let run = |done: &Path, command: &mut Command| {
        if !done.exists() {
            let output = command.output().expect("pip and npm");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::write(done, "").expect("a writable folder");
        }
    };
    fs::create_dir_all(folder).expect("a writable folder");
    let (python, node) = (folder.join("python"), folder.join("node"));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(python).args(PYTHON);
    run(&folder.join("python.done"), &mut pip);
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(node).arg(JOSE);
    run(&folder.join("node.done"), &mut npm);
}

/// An address that is known before the issuer is: its name is what its metadata and its tokens say.
struct Front {
    address: SocketAddr,
    issuer: &'static OnceLock<SocketAddr>,
}

impl Front {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let issuer: &'static OnceLock<SocketAddr> = Box::leak(Box::default());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(address) = issuer.get() else { continue };
                let server = TcpStream::connect(address).expect("the issuer");
                let ends = |one: &TcpStream, other: &TcpStream| {
                    (one.try_clone().expect("a clone"), other.try_clone().expect("a clone"))
                };
                for (mut from, mut to) in [ends(&client, &server), ends(&server, &client)] {
                    thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { address, issuer }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lead_to(&self, issuer: SocketAddr) {
        self.issuer.set(issuer).expect("one issuer");
    }
}
