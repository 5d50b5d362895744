//! Where the engine is, and how it is spoken to: as Docker's own client finds it, or as the command line says.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Where an engine is when nobody says anything.
const LOCAL: &str = "unix:///var/run/docker.sock";
/// The ports on which engines listen by convention, without TLS and with it.
const PORTS: (u16, u16) = (2375, 2376);

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The engine's address.
    pub address: Option<String>,
    /// The certificate of the authority that the engine's certificate comes from.
    pub ca: Option<PathBuf>,
    /// The certificate to show to the engine.
    pub cert: Option<PathBuf>,
    /// The key to it.
    pub key: Option<PathBuf>,
}

/// Where the engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `unix:///PATH` or `tcp://HOST:PORT`.
    pub address: String,
    /// The files with which both sides prove who they are; only with `tcp://`.
    pub tls: Option<Tls>,
}

/// Files in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The client's certificate.
    pub cert: PathBuf,
    /// The client's key.
    pub key: PathBuf,
}

impl Connection {
    /// Chooses by this process' environment variables.
    pub fn find(asked: &Asked) -> Result<Self, String> {
        Self::choose(asked, &|name| std::env::var(name).ok())
    }

    /// What is asked for comes first, then `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`, then
    /// `DOCKER_CONTEXT` or the current context of `~/.docker/config.json`, then the local socket. The error says what is
    /// wrong, and what to do.
    pub fn choose(asked: &Asked, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let folder = set("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| set("HOME").map(|home| Path::new(&home).join(".docker")));
        let named = asked.address.clone().or_else(|| set("DOCKER_HOST"));
        let (address, of_context) = match (named, &folder) {
            (Some(address), _) => (address, None),
            (None, Some(folder)) => context(folder, set("DOCKER_CONTEXT"))?,
            (None, None) => (LOCAL.to_owned(), None),
        };
        let tls = match (&asked.ca, &asked.cert, &asked.key) {
            (Some(ca), Some(cert), Some(key)) => Some(Tls { ca: ca.clone(), cert: cert.clone(), key: key.clone() }),
            (None, None, None) if set("DOCKER_TLS_VERIFY").is_some() => {
                let certificates = set("DOCKER_CERT_PATH").map(PathBuf::from).or(folder);
                let certificates = certificates.ok_or(
                    "DOCKER_TLS_VERIFY is set, but not DOCKER_CERT_PATH: set it to the folder with \
                                        ca.pem, cert.pem and key.pem",
                )?;
                Some(Tls::in_folder(&certificates))
            }
            (None, None, None) => of_context,
            _ => return Err("--tls-ca, --tls-cert and --tls-key are needed together".to_owned()),
        };
        Self::new(&address, tls)
    }

    fn new(address: &str, tls: Option<Tls>) -> Result<Self, String> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self { address: address.to_owned(), tls: None }),
            "tcp" | "http" | "https" if !rest.is_empty() => {
                if scheme == "https" && tls.is_none() {
                    return Err(format!(
                        "{address} needs --tls-ca, --tls-cert and --tls-key, or DOCKER_CERT_PATH with \
                                        DOCKER_TLS_VERIFY=1"
                    ));
                }
                let rest = rest.trim_end_matches('/');
                let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
                let port = if tls.is_some() { PORTS.1 } else { PORTS.0 };
                let address = if has_port { format!("tcp://{rest}") } else { format!("tcp://{rest}:{port}") };
                if let Some(tls) = &tls {
                    tls.check()?;
                }
                Ok(Self { address, tls })
            }
            "ssh" => Err(format!(
                "{address}: ssh:// is not spoken here\n    forward the engine's socket, `ssh -N -L \
                 /tmp/engine.sock:/var/run/docker.sock {rest}`, and use --engine unix:///tmp/engine.sock"
            )),
            _ => Err(format!("{address} is no address of an engine: give unix:///PATH or tcp://HOST:PORT")),
        }
    }

    /// What does not work over this connection, in words; `None` for an engine on this machine.
    pub fn warning(&self) -> Option<String> {
        let host = self.address.strip_prefix("tcp://")?.rsplit_once(':')?.0.trim_matches(['[', ']']);
        if host == "localhost" || host == "::1" || host.starts_with("127.") {
            return None;
        }
        Some(format!(
            "the engine is at {}: bind mounts mean folders of that machine, and containers' addresses can't be reached \
             from here, so that a service which stops listening without ending is found by its health check only",
            self.address
        ))
    }
}

impl Tls {
    fn in_folder(folder: &Path) -> Self {
        Self { ca: folder.join("ca.pem"), cert: folder.join("cert.pem"), key: folder.join("key.pem") }
    }

    fn check(&self) -> Result<(), String> {
        for (file, what) in
            [(&self.ca, "authority's certificate"), (&self.cert, "client's certificate"), (&self.key, "client's key")]
        {
            std::fs::metadata(file)
                .map_err(|error| format!("the {what} can't be read: {}: {error}", file.display()))?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct ClientConfig {
    #[serde(rename = "currentContext", default)]
    current_context: String,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Endpoint,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: String,
}

/// The address of a context of Docker's client, and its certificates where it has any.
fn context(folder: &Path, named: Option<String>) -> Result<(String, Option<Tls>), String> {
    let current = || {
        let text = std::fs::read(folder.join("config.json")).ok()?;
        serde_json::from_slice::<ClientConfig>(&text).ok().map(|config| config.current_context)
    };
    let name = named.or_else(current).unwrap_or_default();
    if name.is_empty() || name == "default" {
        return Ok((LOCAL.to_owned(), None));
    }
    // Docker's client files contexts under a hash of their name.
    let hash: String = Sha256::digest(&name).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join("contexts/meta").join(&hash).join("meta.json");
    let unreadable = |why: String| {
        format!("the Docker context {name} can't be read: {}: {why}\n    or use --engine", file.display())
    };
    let text = std::fs::read(&file).map_err(|error| unreadable(error.to_string()))?;
    let context: Context = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    let tls = folder.join("contexts/tls").join(&hash).join("docker");
    Ok((context.endpoints.docker.host, tls.join("ca.pem").is_file().then(|| Tls::in_folder(&tls))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn choose(address: Option<&str>, variables: &[(&str, &str)]) -> Result<Connection, String> {
        let asked = Asked { address: address.map(str::to_owned), ..Asked::default() };
        let variable =
            |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        Connection::choose(&asked, &variable)
    }

    fn certificates() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let path = folder.path().to_str().unwrap().to_owned();
        (folder, path)
    }

    #[test]
    fn the_command_line_outranks_the_variable_which_outranks_the_local_socket() {
        assert_eq!(choose(None, &[]).unwrap().address, LOCAL);
        let variable = [("DOCKER_HOST", "tcp://there:1234")];
        assert_eq!(choose(None, &variable).unwrap().address, "tcp://there:1234");
        assert_eq!(choose(Some("unix:///run/x.sock"), &variable).unwrap().address, "unix:///run/x.sock");
        assert_eq!(choose(None, &[("DOCKER_HOST", "")]).unwrap().address, LOCAL);
    }

    #[test]
    fn a_missing_port_is_the_usual_one() {
        let (_folder, path) = certificates();
        assert_eq!(choose(Some("tcp://there"), &[]).unwrap().address, "tcp://there:2375");
        let tls = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path.as_str())];
        assert_eq!(choose(Some("tcp://there/"), &tls).unwrap().address, "tcp://there:2376");
    }

    #[test]
    fn certificates_are_found_as_dockers_client_finds_them() {
        let (_folder, path) = certificates();
        let tls = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path.as_str())];
        let found = choose(Some("tcp://there:2376"), &tls).unwrap();
        assert_eq!(found.tls, Some(Tls::in_folder(Path::new(&path))));
        assert_eq!(choose(None, &tls).unwrap().tls, None, "not over a socket");
        let missing = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/nonexistent")];
        let error = choose(Some("tcp://there:2376"), &missing).unwrap_err();
        assert!(error.contains("the authority's certificate can't be read: /nonexistent/ca.pem"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_said_with_what_to_do() {
        let error = choose(Some("ssh://me@there"), &[]).unwrap_err();
        assert!(error.contains("ssh -N -L /tmp/engine.sock:/var/run/docker.sock me@there"), "{error}");
        let error = choose(Some("there:2375"), &[]).unwrap_err();
        assert_eq!(error, "there:2375 is no address of an engine: give unix:///PATH or tcp://HOST:PORT");
        assert!(choose(Some("https://there"), &[]).unwrap_err().contains("--tls-ca"));
        let half = Asked { ca: Some("ca.pem".into()), ..Asked::default() };
        assert!(Connection::choose(&half, &|_| None).unwrap_err().contains("needed together"));
    }

    #[test]
    fn the_current_context_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let variables = [("DOCKER_CONFIG", home)];
        fs::write(folder.path().join("config.json"), r#"{"currentContext": "far"}"#).unwrap();
        let error = choose(None, &variables).unwrap_err();
        assert!(error.starts_with("the Docker context far can't be read: "), "{error}");
        let asked_for = error.split_once(": ").unwrap().1.split_once("/meta.json").unwrap().0.to_owned();
        fs::create_dir_all(&asked_for).unwrap();
        let meta =
            r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://far:2375","SkipTLSVerify":false}}}"#;
        fs::write(Path::new(&asked_for).join("meta.json"), meta).unwrap();
        assert_eq!(choose(None, &variables).unwrap().address, "tcp://far:2375");
        assert_eq!(choose(Some(LOCAL), &variables).unwrap().address, LOCAL);
        assert_eq!(choose(None, &[variables[0], ("DOCKER_CONTEXT", "default")]).unwrap().address, LOCAL);
    }

    #[test]
    fn only_an_engine_elsewhere_is_warned_of() {
        let warned = |address| choose(Some(address), &[]).unwrap().warning().is_some();
        assert!(
            !warned(LOCAL) && !warned("tcp://127.0.0.1:2375") && !warned("tcp://localhost") && !warned("tcp://[::1]:1")
        );
        assert!(warned("tcp://build-3:2375"));
    }
}
