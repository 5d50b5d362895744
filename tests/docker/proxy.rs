//! A bad connection to the engine: a socket in between that cuts, delays, stalls and garbles what comes through.

use std::io::{Read, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, RngExt as _};

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    /// It is closed at once.
    Cut,
    /// What comes next from the engine comes so much later.
    Stall(Duration),
    /// In what comes next from the engine, this bit of some byte is flipped.
    Garble(u8),
}

/// A connection that goes through.
struct Connection {
    client: UnixStream,
    engine: UnixStream,
    /// The first line of the last request.
    request: Mutex<String>,
    /// What is to happen to what comes next from the engine.
    next: Mutex<Option<Mischief>>,
}

/// Listens on a socket of its own until it is dropped.
pub(crate) struct Proxy {
    path: PathBuf,
    connections: Arc<Mutex<Vec<Arc<Connection>>>>,
}

impl Proxy {
    /// Stands before the engine at `engine`, and listens at `path`.
    pub(crate) fn new(path: &Path, engine: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let connections: Arc<Mutex<Vec<Arc<Connection>>>> = Arc::default();
        let (all, engine) = (connections.clone(), engine.to_owned());
        std::thread::spawn(move || {
            // It ends with the process; connections to a socket that was removed can't be made.
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(engine) = UnixStream::connect(&engine) else { continue };
                let connection =
                    Arc::new(Connection { client, engine, request: Mutex::default(), next: Mutex::default() });
                let mut all = all.lock().expect("whole");
                all.retain(|connection| Arc::strong_count(connection) > 1);
                all.push(connection.clone());
                let other = connection.clone();
                std::thread::spawn(move || requests(&other));
                std::thread::spawn(move || answers(&connection));
            }
        });
        Self { path: path.to_owned(), connections }
    }

    /// Where it listens, for `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// Does something to a connection whose last request holds `words`; returns that request if there is one.
    pub(crate) fn strike(&self, words: &str, mischief: Mischief, random: &mut impl Rng) -> Option<String> {
        let all = self.connections.lock().expect("whole");
        let open: Vec<&Arc<Connection>> = all
            .iter()
            .filter(|connection| Arc::strong_count(connection) > 1)
            .filter(|connection| connection.request.lock().expect("whole").contains(words))
            .collect();
        if open.is_empty() {
            return None;
        }
        let connection = open[random.random_range(0..open.len())];
        match mischief {
            Mischief::Cut => connection.close(),
            Mischief::Stall(_) | Mischief::Garble(_) => {
                *connection.next.lock().expect("whole") = Some(mischief);
            }
        }
        Some(connection.request.lock().expect("whole").clone())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        for connection in self.connections.lock().expect("whole").iter() {
            connection.close();
        }
    }
}

impl Connection {
    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.engine.shutdown(Shutdown::Both);
    }
}

/// What goes to the engine is left as it is.
fn requests(connection: &Connection) {
    let mut chunk = [0; 16 << 10];
    while let Ok(length @ 1..) = (&connection.client).read(&mut chunk) {
        let first = chunk[..length].split(|byte| *byte == b'\r').next().unwrap_or_default();
        if first.ends_with(b"HTTP/1.1") {
            *connection.request.lock().expect("whole") = String::from_utf8_lossy(first).into_owned();
        }
        if (&connection.engine).write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    let _ = connection.engine.shutdown(Shutdown::Write);
}

fn answers(connection: &Connection) {
    let mut chunk = [0; 16 << 10];
    while let Ok(length @ 1..) = (&connection.engine).read(&mut chunk) {
        match connection.next.lock().expect("whole").take() {
            None | Some(Mischief::Cut) => {}
            Some(Mischief::Stall(span)) => std::thread::sleep(span),
            Some(Mischief::Garble(bit)) => chunk[usize::from(bit) * 31 % length] ^= 1 << (bit % 8),
        }
        if (&connection.client).write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    connection.close();
}
