//! A real git server on loopback: git's own `http-backend` behind the smallest HTTP that it needs, and ssh as git sees it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::World;

/// A way to a repository over the network.
pub struct Way {
    pub url: String,
    /// What ssh is for those who come here.
    pub ssh: Option<PathBuf>,
}

impl Way {
    /// Serves the world's folder over smart HTTP, as `server`, until the tests end.
    pub fn http(server: &World, repository: &Path) -> Way {
        let root = server.path("");
        server.git(repository, ["config", "http.receivepack", "true"]).ok();
        let folder = server.git(&root, ["--exec-path"]).ok();
        let backend = Path::new(&folder).join("git-http-backend");
        assert!(backend.is_file(), "{} is not there: smart HTTP cannot be tested", backend.display());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let environment = environment(server);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut command = Command::new(&backend);
                command.env_clear().envs(environment.iter().cloned());
                command.env("GIT_PROJECT_ROOT", &root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_ADDR", "127.0.0.1");
                std::thread::spawn(move || answer(stream.unwrap(), command));
            }
        });
        let name = repository.file_name().unwrap().to_str().unwrap();
        Way { url: format!("http://{address}/{name}"), ssh: None }
    }

    /// What `ssh` does once the server's sshd has let somebody in: a shell of `server`'s runs git's command, with nothing of
    /// the environment of who came. Git tests its own ssh so; a real sshd would ask for more than a test may have.
    pub fn ssh(server: &World, repository: &Path) -> Way {
        let set: String = environment(server).iter().map(|(name, value)| format!(" {name}='{value}'")).collect();
        let text = format!("#!/bin/sh\nfor command; do :; done\nexec env -i{set} sh -c \"$command\"\n");
        let program = server.write(&server.home(), "ssh", &text);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Way { url: format!("ssh://git@server.example{}", repository.display()), ssh: Some(program) }
    }

    /// Git for somebody who comes this way.
    pub fn git(&self, world: &World, dir: &Path, args: &[&str]) -> crate::support::Output {
        let mut command = world.command("git", dir);
        if let Some(ssh) = &self.ssh {
            command.env("GIT_SSH_COMMAND", ssh).env("GIT_SSH_VARIANT", "ssh");
        }
        crate::support::finish(command.args(args), b"")
    }
}

/// What a program of this person's is started with.
fn environment(world: &World) -> Vec<(String, String)> {
    let text = |value: &std::ffi::OsStr| value.to_str().unwrap().to_owned();
    let command = world.command("git", &world.path(""));
    command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect()
}

/// One request, handed to the CGI program; its answer, handed back. The connection ends with it.
fn answer(stream: TcpStream, mut backend: Command) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let request = line();
    let mut words = request.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    backend.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    let mut length = 0;
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => drop(backend.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(backend.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(backend.env("HTTP_GIT_PROTOCOL", value)),
            "transfer-encoding" => panic!("a push of over a megabyte is more than this server knows"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    backend.env("CONTENT_LENGTH", length.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = backend.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    // A CGI program says its status in a header.
    let status = output.strip_prefix(b"Status: ").and_then(|rest| rest.split(|byte| *byte == b'\r').next());
    let status = status.map_or("200 OK".into(), |status| String::from_utf8_lossy(status).into_owned());
    let mut stream = stream;
    // Who asked may have gone.
    drop(write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n").and_then(|()| stream.write_all(&output)));
}
