//! The program `git-tracevault`: all of it is in the library.

fn main() -> std::process::ExitCode {
    git_tracevault::main()
}
