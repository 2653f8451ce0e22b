//! A PostgreSQL server of a test's own, on a socket in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A server, as long as it is wanted.
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    user: Option<&'static str>,
}

impl Postgres {
    /// Starts one. It will not run as root: there it runs as the user that its package makes.
    pub fn start() -> Postgres {
        let folder = tempfile::Builder::new().prefix("tracevault-pg-").tempdir().unwrap();
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let postgres = Postgres { folder, programs: programs(), user: is_root.then_some("postgres") };
        if let Some(user) = postgres.user {
            let owned = Command::new("chown").arg(user).arg(postgres.folder.path()).status().unwrap();
            assert!(owned.success(), "there is no user {user}");
        }
        let data = postgres.folder.path().join("data");
        let data = data.to_str().unwrap();
        postgres.run("initdb", &["-N", "-A", "trust", "-U", "index", "-E", "UTF8", "--locale=C", "-D", data]);
        let options = format!("-c listen_addresses='' -c fsync=off -c unix_socket_directories='{}'", postgres.socket());
        let log = postgres.folder.path().join("log");
        postgres.run("pg_ctl", &["-s", "-w", "-D", data, "-l", log.to_str().unwrap(), "-o", &options, "start"]);
        postgres
    }

    fn socket(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Where `serve --database` finds it.
    pub fn url(&self) -> String {
        format!("postgres://index@localhost/postgres?host={}", self.socket())
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn run(&self, program: &str, args: &[&str]) {
        let status = self.command(program).args(args).status().unwrap();
        assert!(status.success(), "{program} {args:?}: {status}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        drop(self.command("pg_ctl").args(["-s", "-m", "immediate", "-D"]).arg(data).arg("stop").status());
    }
}

/// Where its programs are: Debian keeps them out of the way.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let has = |folder: &&PathBuf| ["initdb", "pg_ctl"].iter().all(|program| Path::new(folder).join(program).is_file());
    folders.iter().find(has).cloned().expect("PostgreSQL is not installed: tests/run installs it")
}
