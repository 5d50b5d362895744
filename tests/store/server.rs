//! A PostgreSQL of the tests' own: its data in a temporary folder, on a free port of this host. A shell stands over it
//! that stops it and removes the folder once the test process is gone, however that ended.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// How long the server may take to be made and to answer.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// Makes a cluster in the folder $1 with the programs of $2, serves it on the port $3, and says when it may be
/// connected to. Ends with its standard input. Whatever it runs is run by $4…, which gives up being root.
const KEEPER: &str = r#"
folder=$1 programs=$2 port=$3; shift 3
pid=
trap 'if [ -n "$pid" ]; then kill -QUIT "$pid"; wait "$pid"; fi; rm -rf "$folder"' EXIT
cd "$folder" || exit
"$@" "$programs/initdb" --pgdata "$folder/data" --username owner --auth trust --encoding UTF8 --no-sync \
    --locale C.UTF-8 --wal-segsize 1 >"$folder/log" 2>&1 || { cat "$folder/log"; exit; }
{
    echo 'host all locked 127.0.0.1/32 scram-sha-256'
    echo 'host all all 127.0.0.1/32 trust'
} >"$folder/data/pg_hba.conf"
"$@" "$programs/postgres" -D "$folder/data" -h 127.0.0.1 -p "$port" -k '' -c fsync=off -c max_connections=200 \
    -c shared_buffers=16MB -c log_min_messages=warning </dev/null >>"$folder/log" 2>&1 &
pid=$!
echo started
cat >/dev/null
"#;

/// A server that runs.
pub(crate) struct Server {
    port: u16,
    made: AtomicU32,
    folder: PathBuf,
    keeper: Child,
    _lifeline: ChildStdin,
}

impl Server {
    /// The one of this process. It ends with the process.
    pub(crate) fn of_tests() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// One of its own, for a test that stops it.
    pub(crate) fn start() -> Self {
        // Another program may take the port before the server does.
        (0..5)
            .find_map(|_| Self::try_start().ok())
            .unwrap_or_else(|| Self::try_start().unwrap_or_else(|why| panic!("no PostgreSQL: {why}")))
    }

    fn try_start() -> Result<Self, String> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("shakedown-postgres-").tempdir().expect("a folder").keep();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(&folder).arg(programs).arg(port.to_string());
        if std::fs::metadata(&folder).expect("is there").uid() == 0 {
            // The server refuses to run as root.
            let given = Command::new("chown").arg("postgres:").arg(&folder).status().expect("runs");
            assert!(given.success(), "there is no user postgres");
            command.args(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        } else {
            command.arg("env");
        }
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = piped.spawn().map_err(|error| error.to_string())?;
        let lifeline = keeper.stdin.take().expect("piped");
        let mut said = String::new();
        let mut lines = BufReader::new(keeper.stdout.take().expect("piped"));
        lines.read_line(&mut said).expect("reads");
        if said != "started\n" {
            return Err(format!("initdb says: {said}"));
        }
        let server = Self { port, made: AtomicU32::new(0), folder, keeper, _lifeline: lifeline };
        let deadline = Instant::now() + UP_WITHIN;
        while !server.answers() {
            if Instant::now() > deadline || server.failed() {
                return Err(format!("the server does not come up:\n{}", server.log()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Whether a query is answered: a port that accepts is not enough while it starts.
    fn answers(&self) -> bool {
        let url = self.url("owner", "postgres");
        let asked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async { PgConnection::connect(&url).await.is_ok() })
        });
        asked.join().expect("no panic")
    }

    /// Whether it gave up, such as where another program has the port.
    fn failed(&self) -> bool {
        self.log().contains("database system is shut down") || self.log().contains("could not create any TCP/IP")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// A new and empty database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("history_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await;
        name
    }

    /// Runs statements as the owner of everything.
    pub(crate) async fn execute(&self, database: &str, statements: &str) {
        let mut connection = PgConnection::connect(&self.url("owner", database)).await.expect("connects");
        let run = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await;
        run.unwrap_or_else(|error| panic!("{statements}: {error}"));
        connection.close().await.expect("closes");
    }

    /// Stops it at once, and waits until nothing of it is left.
    pub(crate) fn stop(self) {
        let Self { mut keeper, folder, _lifeline: lifeline, .. } = self;
        drop(lifeline);
        keeper.wait().expect("ends");
        assert!(!folder.exists(), "{} is left behind", folder.display());
    }
}

/// The folder with the newest version's programs, where Debian has them or where they are in the path.
fn programs() -> Result<PathBuf, String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin")).max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = debian.into_iter().chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").exists());
    found.ok_or_else(|| "initdb is not installed (on Debian: postgresql-15); scripts/test does it".to_owned())
}
