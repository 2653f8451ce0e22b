//! Running the git program: the one place that starts a process.
#![allow(clippy::disallowed_methods)]

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::host::clock::Deadline;

/// A call of git that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program could not be started or spoken to.
    #[error("cannot run git {command}")]
    Start { command: String, source: io::Error },
    /// The program said no.
    #[error("git {command} failed ({status}): {stderr}")]
    Failed { command: String, status: String, code: Option<i32>, stderr: String },
    /// The program said no to what a person asked of it; its own words say it best.
    #[error("{said}")]
    Refused { said: String },
    /// The program took longer than it was given, and was stopped.
    #[error("git {command} took too long")]
    Timeout { command: String },
}

/// One call of git, being put together.
pub struct Git {
    command: Command,
    shown: Vec<OsString>,
    input: Option<Vec<u8>>,
    within: Option<Duration>,
}

/// What a call of git printed.
pub struct Answer {
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
}

impl Answer {
    /// Standard output as text, without the newline at its end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches(['\n', '\r']).to_owned()
    }
}

impl Git {
    /// Git in a folder, seeing the repository that it finds there and no other.
    pub fn in_dir(dir: &Path) -> Self {
        let mut command = Command::new("git");
        command.current_dir(dir).env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").stdin(Stdio::null());
        // Commits are what they are, whatever `git replace` shows in their place.
        command.env("GIT_NO_REPLACE_OBJECTS", "1");
        Git { command, shown: Vec::new(), input: None, within: None }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(arg.as_ref().to_owned());
        self.command.arg(arg);
        self
    }

    pub fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Git::arg)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Looks for programs in `folder` before all others.
    pub fn first_in_path(self, folder: &Path) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [folder.to_owned()].into_iter().chain(std::env::split_paths(&path));
        match std::env::join_paths(folders) {
            Ok(path) => self.env("PATH", path),
            Err(_) => self,
        }
    }

    /// Takes a variable away that a hook's environment may hold.
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Takes away all that git tells its hooks about the repository they run for: what git finds counts.
    pub fn without_hook_env(self) -> Self {
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"]
            .into_iter()
            .chain(["GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH"])
            .fold(self, Git::without_env)
    }

    /// Stops it when the time is over.
    pub fn within(mut self, deadline: &Deadline) -> Self {
        self.within = Some(deadline.left());
        self
    }

    /// What git reads on its standard input.
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = Some(bytes);
        self
    }

    fn shown(&self) -> String {
        self.shown.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// Runs it; a non-zero exit is an answer too.
    pub fn answer(mut self) -> Result<Answer, GitError> {
        let shown = self.shown();
        let failed = |source| GitError::Start { command: shown.clone(), source };
        if self.input.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        // A thread feeds the input, so that neither side waits for the other with a full pipe.
        let feeder = self.input.take().zip(child.stdin.take()).map(|(bytes, mut stdin)| {
            std::thread::spawn(move || match stdin.write_all(&bytes) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
                _ => Ok(()),
            })
        });
        let output = match self.within {
            None => child.wait_with_output().map_err(failed)?,
            Some(span) => match wait_within(child, span).map_err(failed)? {
                Some(output) => output,
                None => return Err(GitError::Timeout { command: shown }),
            },
        };
        if let Some(feeder) = feeder {
            feeder
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the input could not be written")))
                .map_err(failed)?;
        }
        Ok(Answer {
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            code: output.status.code(),
        })
    }

    /// Runs it; a non-zero exit is an error.
    pub fn run(self) -> Result<Answer, GitError> {
        let command = self.shown();
        let answer = self.answer()?;
        if answer.code == Some(0) {
            return Ok(answer);
        }
        let status = answer.code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
        Err(GitError::Failed { command, status, code: answer.code, stderr: answer.stderr })
    }

    /// Runs it with what a person typed: a non-zero exit is an error in git's own words.
    pub fn relay(self) -> Result<Answer, GitError> {
        let answer = self.answer()?;
        if answer.code == Some(0) {
            return Ok(answer);
        }
        let words = answer.stderr.lines().map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: "));
        Err(GitError::Refused { said: words.collect::<Vec<_>>().join("; ") })
    }
}

/// What a call of git prints, read while it works; [`Stream::finish`] tells how it ended.
pub struct Stream {
    child: Child,
    shown: String,
    feeder: Option<std::thread::JoinHandle<()>>,
    errors: Option<std::thread::JoinHandle<String>>,
}

impl Git {
    /// Starts it, to be read while it works.
    pub fn stream(mut self) -> Result<Stream, GitError> {
        let shown = self.shown();
        if self.input.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| GitError::Start { command: shown.clone(), source })?;
        let feeder = self.input.take().zip(child.stdin.take());
        // A program that reads no further says itself why.
        let feeder = feeder.map(|(bytes, mut stdin)| std::thread::spawn(move || drop(stdin.write_all(&bytes))));
        let errors = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                drop(stderr.read_to_end(&mut bytes));
                String::from_utf8_lossy(&bytes).trim().to_owned()
            })
        });
        Ok(Stream { child, shown, feeder, errors })
    }
}

impl Stream {
    /// What it prints.
    pub fn output(&mut self) -> Option<impl Read + use<>> {
        self.child.stdout.take()
    }

    /// Waits for its end, once all is read; a non-zero exit is an error.
    pub fn finish(mut self) -> Result<(), GitError> {
        let ended = self.child.wait();
        let status = ended.map_err(|source| GitError::Start { command: self.shown.clone(), source })?;
        drop(self.feeder.take().map(std::thread::JoinHandle::join));
        if status.success() {
            return Ok(());
        }
        let stderr = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        let command = std::mem::take(&mut self.shown);
        Err(GitError::Failed { command, status: status.to_string(), code: status.code(), stderr })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Nobody reads on: it has ended, or it is to.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// All that a child prints and its end, or `None` if that takes longer than `span`; the child is stopped then.
fn wait_within(mut child: Child, span: Duration) -> io::Result<Option<Output>> {
    let (sender, receiver) = mpsc::channel();
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    // The threads outlive us if a grandchild holds the pipes: nobody waits for them then.
    let errors = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr.as_mut().map_or(Ok(0), |pipe| pipe.read_to_end(&mut bytes)).map(|_| bytes)
    });
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.as_mut().map_or(Ok(0), |pipe| pipe.read_to_end(&mut bytes)).map(|_| bytes);
        // Nobody listens any more once the time is over.
        drop(sender.send(read));
    });
    match receiver.recv_timeout(span) {
        Ok(stdout) => {
            let stderr = errors.join().unwrap_or_else(|_| Ok(Vec::new()))?;
            Ok(Some(Output { status: child.wait()?, stdout: stdout?, stderr }))
        }
        Err(_) => {
            child.kill()?;
            child.wait()?;
            Ok(None)
        }
    }
}

/// A pager that shows what is written to it; `wait` when all is written.
pub struct Pager {
    child: Child,
}

impl Pager {
    /// Starts `command` (as git would: through the shell), with less set up to pass colours and leave short output.
    pub fn start(command: &str) -> io::Result<Pager> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).stdin(Stdio::piped());
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if std::env::var_os(name).is_none() {
                shell.env(name, value);
            }
        }
        Ok(Pager { child: shell.spawn()? })
    }

    /// Where to write.
    pub fn input(&mut self) -> Option<Box<dyn Write>> {
        self.child.stdin.take().map(|stdin| Box::new(io::BufWriter::new(stdin)) as Box<dyn Write>)
    }

    pub fn wait(mut self) -> io::Result<()> {
        self.child.wait().map(drop)
    }
}

/// Lets a person edit a file with `editor`, as git would start it; whether it ended well.
pub fn edit(editor: &str, file: &Path) -> io::Result<bool> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(file);
    Ok(shell.status()?.success())
}

/// Runs a line of shell that the user configured, with `arg` as its `$1`, on an input.
pub fn filter(script: &str, arg: &str, input: Vec<u8>, deadline: &Deadline) -> Result<Answer, GitError> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").arg(arg);
    Git { command, shown: vec!["(configured command)".into()], input: Some(input), within: None }
        .within(deadline)
        .answer()
}

/// Where the program `name` is on the path, if anywhere.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_larger_than_a_pipe_goes_through() {
        let bytes = vec![b'a'; 1 << 20];
        let answer = Git::in_dir(Path::new(".")).args(["hash-object", "--stdin"]).input(bytes).run().unwrap();
        assert_eq!(answer.text().len(), 40);
    }

    #[test]
    fn what_takes_too_long_is_stopped() {
        let slow = |span: u64| {
            Git::in_dir(Path::new("."))
                .args(["-c", "alias.slow=!sleep 0.2; echo done", "slow"])
                .within(&Deadline::after(Duration::from_millis(span)))
                .run()
        };
        assert!(matches!(slow(20), Err(GitError::Timeout { .. })));
        assert_eq!(slow(20_000).unwrap().text(), "done");
    }

    #[test]
    fn a_refusal_says_what_was_asked_and_what_git_said() {
        let error = Git::in_dir(Path::new(".")).args(["no-such-command"]).run().err().unwrap().to_string();
        assert!(error.contains("git no-such-command failed (exit 1)"), "{error}");
    }
}
