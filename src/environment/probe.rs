//! Asking a service, from this host, whether it answers. On Linux a host reaches its containers' addresses directly;
//! the containers of an engine on another host it does not.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long one probe may take.
const WITHIN: Duration = Duration::from_secs(5);
/// A status line is no longer than this.
const STATUS_LINE: u64 = 1024;

/// What a service is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// For a connection.
    Tcp,
    /// For a page, by its path.
    Http {
        /// The path.
        path: String,
    },
}

/// Asks once. The error says in words what was answered instead.
pub(super) async fn ask(address: Option<IpAddr>, port: u16, question: &Question) -> Result<(), String> {
    let Some(address) = address else {
        return Err("it has no address that this host could reach; probe it by a command in it".to_owned());
    };
    let address = SocketAddr::new(address, port);
    let asking = async {
        let stream = TcpStream::connect(address).await.map_err(|error| format!("{address}: {error}"))?;
        match question {
            Question::Tcp => Ok(()),
            Question::Http { path } => {
                let status = get(stream, address, path).await;
                match status.map_err(|error| format!("GET http://{address}{path}: {error}"))? {
                    200..=399 => Ok(()),
                    status => Err(format!("GET http://{address}{path} was answered with status {status}")),
                }
            }
        }
    };
    match tokio::time::timeout(WITHIN, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("{address} did not answer within {} s", WITHIN.as_secs())),
    }
}

/// The status with which a `GET` is answered (RFC 9112, section 4).
async fn get(mut stream: TcpStream, host: SocketAddr, path: &str) -> std::io::Result<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: shakedown\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut head = stream.take(STATUS_LINE);
    while !answer.contains(&b'\n') && head.read_buf(&mut answer).await? > 0 {}
    let line = String::from_utf8_lossy(&answer);
    let status = line.strip_prefix("HTTP/").and_then(|rest| rest.split_ascii_whitespace().nth(1)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

    /// A server that answers every connection with this text.
    async fn server(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 512];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    async fn page(answer: &'static str) -> Result<(), String> {
        let port = server(answer).await;
        let question = Question::Http { path: "/up".to_owned() };
        ask(HERE, port, &question).await.map_err(|why| why.replace(&port.to_string(), "PORT"))
    }

    #[tokio::test]
    async fn a_page_counts_by_its_status() {
        assert_eq!(page("HTTP/1.1 200 OK\r\n\r\nup").await, Ok(()));
        assert_eq!(page("HTTP/1.0 302 Found\r\nLocation: /sign-in\r\n\r\n").await, Ok(()));
        let refused = "GET http://127.0.0.1:PORT/up was answered with status 503";
        assert_eq!(page("HTTP/1.1 503 Service Unavailable\r\n\r\n").await, Err(refused.to_owned()));
        let foreign = "GET http://127.0.0.1:PORT/up: the answer is not HTTP";
        for other in ["220 mail.example ESMTP\r\n", ""] {
            assert_eq!(page(other).await, Err(foreign.to_owned()), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_port_counts_when_it_accepts() {
        let port = server("").await;
        assert_eq!(ask(HERE, port, &Question::Tcp).await, Ok(()));
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port").local_addr().expect("bound");
        let why = ask(HERE, closed.port(), &Question::Tcp).await.expect_err("nobody listens");
        assert!(why.starts_with(&format!("{closed}: ")), "{why}");
        assert!(ask(None, port, &Question::Tcp).await.is_err());
    }
}
