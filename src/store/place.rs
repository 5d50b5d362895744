//! Where a history is kept, and who says so.

use std::fmt;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

use super::error::StoreError;

/// The variable that names a PostgreSQL database.
pub const VARIABLE: &str = "DATABASE_URL";

/// Where a history is kept.
#[derive(Clone, Debug)]
pub enum Place {
    /// In an SQLite file.
    File(PathBuf),
    /// In a PostgreSQL database.
    Server(Server),
}

/// A PostgreSQL database. It is shown without its password.
#[derive(Clone)]
pub struct Server {
    pub(super) options: Box<PgConnectOptions>,
    address: String,
    shown: String,
}

impl Place {
    /// Where the history of a run is: what the command line says is above the variable [`VARIABLE`], which is above the
    /// manifest; else it is the file `history.db` in the folder `reports`.
    ///
    /// # Errors
    /// [`StoreError::BadAddress`] where what counts is an address, and no PostgreSQL database's.
    pub fn choose(
        asked: Option<&Path>,
        variable: Option<&str>,
        manifest: Option<&str>,
        reports: &Path,
    ) -> Result<Self, StoreError> {
        if let Some(asked) = asked {
            return Self::parse(asked, "--database");
        }
        match (variable.filter(|value| !value.is_empty()), manifest) {
            (Some(variable), _) => Server::parse(variable, VARIABLE).map(Self::Server),
            (None, Some(manifest)) => Server::parse(manifest, "the manifest").map(Self::Server),
            (None, None) => Ok(Self::File(reports.join("history.db"))),
        }
    }

    /// A path, or a server's address where there is a `://` in it.
    fn parse(text: &Path, whence: &'static str) -> Result<Self, StoreError> {
        match text.to_str() {
            Some(address) if address.contains("://") => Server::parse(address, whence).map(Self::Server),
            Some(_) | None => Ok(Self::File(text.to_owned())),
        }
    }
}

impl Server {
    fn parse(address: &str, whence: &'static str) -> Result<Self, StoreError> {
        // What follows the scheme may hold a password, also where nothing else is right about it.
        let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
        let bad = |why: String| StoreError::BadAddress { whence, why };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(bad(match scheme {
                "" => "it has no scheme".to_owned(),
                _ => format!("{scheme}:// is another kind of database"),
            }));
        }
        let options: PgConnectOptions = address.parse().map_err(|error: sqlx::Error| bad(error.to_string()))?;
        let database = options.get_database().unwrap_or(options.get_username());
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let shown = format!("postgres://{}@{host}:{}/{database}", options.get_username(), options.get_port());
        Ok(Self { options: Box::new(options), address: address.to_owned(), shown })
    }

    /// The address with its password, for a process that is to open the same database.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn database(&self) -> &str {
        self.options.get_database().unwrap_or(self.options.get_username())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(server) => write!(f, "{server}"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(asked: Option<&str>, variable: Option<&str>, manifest: Option<&str>) -> String {
        let chosen = Place::choose(asked.map(Path::new), variable, manifest, Path::new("reports"));
        chosen.map_or_else(|error| error.to_string(), |place| place.to_string())
    }

    #[test]
    fn the_command_line_is_above_the_variable_which_is_above_the_manifest() {
        let [a, b, c] = ["a", "b", "c"].map(|host| format!("postgres://ann@{host}:5432/history"));
        assert_eq!(choose(Some(&a), Some(&b), Some(&c)), a);
        assert_eq!(choose(None, Some(&b), Some(&c)), b);
        assert_eq!(choose(None, Some(""), Some(&c)), c);
        assert_eq!(choose(None, None, None), "reports/history.db");
        assert_eq!(choose(Some("other/h.db"), Some(&b), Some(&c)), "other/h.db");
    }

    #[test]
    fn a_password_is_never_shown() {
        let place = Place::choose(
            None,
            Some("postgresql://ann:s3cret@db.example:6432/history?sslmode=disable"),
            None,
            Path::new(""),
        );
        let place = place.expect("an address");
        assert_eq!(place.to_string(), "postgres://ann@db.example:6432/history");
        assert!(!format!("{place:?}").contains("s3cret"));
        for bad in ["mysql://ann:s3cret@db/x", "postgres://ann:s3cret@db:port/x", "ann:s3cret@db"] {
            let message = choose(None, Some(bad), None);
            assert!(message.starts_with("can't use DATABASE_URL as the history's place: "), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
