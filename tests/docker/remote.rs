//! An engine that is spoken to over TCP and TLS, and addresses at which there is none that can be used.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::guard::assert_gone_soon;
use crate::program::Finished;
use crate::stage::{Stage, TINY, write};

/// A certificate authority, a server and a client, as Docker's documentation makes them.
fn make_certificates(folder: &Path) {
    let run = |arguments: &str| {
        let status = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("openssl can be started").success(), "openssl {arguments}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    run(&format!("req -x509 {key} -keyout ca-key.pem -out ca.pem -days 2 -subj /CN=authority"));
    for (name, usage) in [("server", "serverAuth"), ("client", "clientAuth"), ("stranger", "clientAuth")] {
        run(&format!("req {key} -keyout {name}-key.pem -out {name}.csr -subj /CN={name}"));
        let extensions = format!("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage={usage}\n");
        write(&folder.join("extensions"), extensions);
        let by = if name == "stranger" {
            run(&format!("req -x509 {key} -keyout other-key.pem -out other.pem -days 2 -subj /CN=other"));
            "-CA other.pem -CAkey other-key.pem"
        } else {
            "-CA ca.pem -CAkey ca-key.pem"
        };
        run(&format!("x509 -req -in {name}.csr {by} -CAcreateserial -out {name}.pem -days 2 -extfile extensions"));
    }
}

fn said_of(finished: &Finished) -> &str {
    finished.said.split_once("error: ").map_or("", |(_, said)| said)
}

/// Stands before the local engine, and lets in whoever shows a certificate of the authority; returns the address.
fn listen_with_tls(certificates: &Path) -> String {
    let pem = |name: &str| certificates.join(name);
    let chain = |name: &str| {
        let certificates = CertificateDer::pem_file_iter(pem(name)).expect("certificates");
        certificates.collect::<Result<Vec<_>, _>>().expect("certificates")
    };
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(chain("ca.pem"));
    let verifier = WebPkiClientVerifier::builder(Arc::new(authorities)).build().expect("a verifier");
    let key = PrivateKeyDer::from_pem_file(pem("server-key.pem")).expect("a key");
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    let config = config.with_single_cert(chain("server.pem"), key).expect("a certificate and its key");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be");
    let address = format!("tcp://{}", listener.local_addr().expect("it has one"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let Ok(mut engine) = tokio::net::UnixStream::connect("/var/run/docker.sock").await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
                });
            }
        });
    });
    address
}

#[test]
fn an_engine_behind_tls_is_used_with_a_certificate_and_not_without() {
    let stage = Stage::new("an_engine_behind_tls_is_used_with_a_certificate_and_not_without");
    let certificates = stage.folder().join("certificates");
    std::fs::create_dir(&certificates).expect("a folder");
    make_certificates(&certificates);
    let address = listen_with_tls(&certificates);
    let file = |name: &str| certificates.join(name).display().to_string();
    let with = |ca: &str, who: &str| {
        let tls = format!("--tls-ca {} --tls-cert {who}.pem --tls-key {who}-key.pem", file(ca), who = file(who));
        stage.tiny().with(&format!("--engine {address} {tls}"))
    };
    let finished = with("ca.pem", "client").run().expect_code(0);
    assert_eq!(finished.record().json.counts.passed, 25, "{}", finished.said);

    // As Docker's own client finds it.
    for (name, place) in [("client.pem", "cert.pem"), ("client-key.pem", "key.pem")] {
        std::fs::copy(certificates.join(name), certificates.join(place)).expect("copied");
    }
    let folder = certificates.display().to_string();
    let by_variables = stage.tiny_part(&["spec/value_spec.rb"]).env("DOCKER_HOST", &address);
    by_variables.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", &folder).run().expect_code(0);

    // The guard of a killed run finds the engine, too.
    let mut running = with("ca.pem", "client").faults("slow").start();
    running.until(" PASSED [");
    running.signal(Signal::SIGKILL);
    assert_gone_soon(&running.finish().run_id().expect("it began"));

    for (why, refused) in [
        ("a stranger's certificate", with("ca.pem", "stranger")),
        ("another authority", with("other.pem", "client")),
        ("no certificate", stage.tiny().with(&format!("--engine {address}"))),
    ] {
        let finished = refused.run().expect_code(3);
        let expected = format!("no Docker engine answers at {address}: ");
        assert!(said_of(&finished).starts_with(&expected), "{why}: {}", finished.said);
    }
}

/// Something that answers every request as an engine of this API version would answer `/version`.
fn engine_that_speaks(version: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("it has one"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let _ = client.read(&mut request);
            let body = format!("{{\"ApiVersion\":\"{version}\",\"MinAPIVersion\":\"1.12\",\"Version\":\"19.03\"}}");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let _ = write!(client, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

#[test]
fn an_engine_that_can_not_be_used_is_said_with_what_to_do() {
    let stage = Stage::new("an_engine_that_can_not_be_used_is_said_with_what_to_do");
    let refused = |address: &str, code: i32| {
        let finished = stage.shakedown(TINY).with(&format!("--engine {address}")).run().expect_code(code);
        said_of(&finished).to_owned()
    };
    let address = engine_that_speaks("1.40");
    let said = refused(&address, 3);
    let expected = format!(
        "the engine at {address} is too old: it speaks API 1.40 at most, and 1.41 is needed: Docker 20.10 or newer"
    );
    assert_eq!(said.trim(), expected);
    let said = refused("ssh://me@build-3", 2);
    assert!(said.contains("ssh -N -L /tmp/engine.sock:/var/run/docker.sock me@build-3"), "{said}");
    let said = refused("build-3:2375", 2);
    assert!(
        said.starts_with("build-3:2375 is no address of an engine: give unix:///PATH or tcp://HOST:PORT"),
        "{said}"
    );
    let said = refused("tcp://127.0.0.1:1", 3);
    assert!(said.starts_with("no Docker engine answers at tcp://127.0.0.1:1: "), "{said}");
}
