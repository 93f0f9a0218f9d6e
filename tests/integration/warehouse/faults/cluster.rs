//! A PostgreSQL cluster of one test's own, which it may restart.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(super) struct Cluster {
    directory: TempDir,
    binaries: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes one, as PostgreSQL's own user where the tests run as root, whom PostgreSQL does not serve.
    pub(super) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let cluster = Self { directory, binaries: binaries(), port };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(cluster.path()).status().unwrap().success());
        }
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync"]);
        let options = format!("-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off", cluster.path().display());
        cluster.run("pg_ctl", &["-D", &data, "-l", &format!("{data}.log"), "-o", &options, "-w", "start"]);
        cluster
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it as a crash would, and starts it again.
    pub(super) fn restart(&self) {
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-l", &format!("{}.log", self.data()), "-m", "immediate", "-w", "restart"],
        );
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> String {
        self.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let binary = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(binary);
            command
        } else {
            Command::new(binary)
        };
        let status = command.args(arguments).current_dir(self.path()).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// Where Debian keeps the newest server's programs.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("a PostgreSQL server: run scripts/test");
    let directories = versions.map(|entry| entry.unwrap().path().join("bin"));
    directories.filter(|path| path.join("initdb").exists()).max().expect("a PostgreSQL server: run scripts/test")
}
