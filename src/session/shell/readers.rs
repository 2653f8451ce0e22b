//! Programs that only read: they print, wait or ask, and change no file.

/// Those that have no option to write a file, and what shells do themselves.
const READERS: &[&str] = &[
    ":",
    "[",
    "[[",
    "ack",
    "ag",
    "arch",
    "b2sum",
    "basename",
    "bat",
    "bc",
    "break",
    "bzcat",
    "cal",
    "cat",
    "cd",
    "cksum",
    "clear",
    "cmp",
    "column",
    "comm",
    "continue",
    "cut",
    "date",
    "declare",
    "df",
    "diff",
    "dig",
    "dir",
    "dirname",
    "dirs",
    "du",
    "echo",
    "egrep",
    "envsubst",
    "exa",
    "exit",
    "expand",
    "export",
    "expr",
    "eza",
    "factor",
    "false",
    "fgrep",
    "fmt",
    "fold",
    "free",
    "getconf",
    "getent",
    "getopts",
    "grep",
    "groups",
    "hash",
    "head",
    "hexdump",
    "host",
    "hostname",
    "id",
    "jobs",
    "join",
    "jq",
    "kill",
    "ldd",
    "let",
    "local",
    "locale",
    "ls",
    "lsblk",
    "lscpu",
    "lsof",
    "man",
    "md5sum",
    "more",
    "netstat",
    "nl",
    "nm",
    "nproc",
    "nslookup",
    "numfmt",
    "objdump",
    "od",
    "paste",
    "pgrep",
    "ping",
    "pkill",
    "popd",
    "pr",
    "printenv",
    "printf",
    "ps",
    "pushd",
    "pwd",
    "read",
    "readelf",
    "readlink",
    "readonly",
    "realpath",
    "return",
    "rev",
    "seq",
    "set",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shasum",
    "shift",
    "shopt",
    "size",
    "sleep",
    "ss",
    "stat",
    "strings",
    "stty",
    "sum",
    "tac",
    "tail",
    "test",
    "times",
    "tput",
    "tr",
    "true",
    "tsort",
    "tty",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "uname",
    "unexpand",
    "unset",
    "uptime",
    "users",
    "w",
    "wait",
    "wc",
    "whatis",
    "whereis",
    "which",
    "who",
    "whoami",
    "xzcat",
    "zcat",
    "zgrep",
    "zstdcat",
];

/// Those that write, or run another program, with one of these options. A letter counts among others, too: `-uo`.
const UNLESS: &[(&str, &[&str])] = &[
    ("base64", &["-o", "--output"]),
    (
        "curl",
        &[
            "-c",
            "-D",
            "-J",
            "-K",
            "-o",
            "-O",
            "--config",
            "--cookie-jar",
            "--dump-header",
            "--etag-save",
            "--hsts",
            "--alt-svc",
            "--libcurl",
            "--output",
            "--output-dir",
            "--remote-name",
            "--remote-name-all",
            "--stderr",
            "--trace",
            "--trace-ascii",
        ],
    ),
    ("fd", &["-x", "-X", "--exec", "--exec-batch"]),
    ("fdfind", &["-x", "-X", "--exec", "--exec-batch"]),
    ("file", &["-C", "--compile"]),
    ("iconv", &["-o", "--output"]),
    ("less", &["-o", "-O", "--log-file", "--LOG-FILE"]),
    ("rg", &["--pre", "--hostname-bin"]),
    ("shuf", &["-o", "--output"]),
    ("sort", &["-o", "--output", "--compress-program"]),
    ("tree", &["-o"]),
    ("yq", &["-i", "-s", "--inplace", "--in-place", "--split-exp"]),
];

/// Whether a program only reads, whatever its arguments are.
pub(super) fn always(program: &str) -> bool {
    READERS.contains(&program)
}

/// Whether a program only reads with these arguments. Of one that is not known nobody can tell.
pub(super) fn only_reads(program: &str, arguments: &[&str]) -> bool {
    match program {
        "awk" | "gawk" | "mawk" | "nawk" => awk(arguments),
        "find" => find(arguments),
        "sed" | "gsed" => sed(arguments),
        // A second file is written.
        "uniq" => arguments.iter().all(|argument| argument.starts_with('-')),
        _ => {
            let unless = UNLESS.iter().find(|(name, _)| *name == program);
            always(program) || unless.is_some_and(|(_, options)| !has_one(arguments, options))
        }
    }
}

fn has_one(arguments: &[&str], options: &[&str]) -> bool {
    let is = |argument: &str, option: &str| match (option.strip_prefix("--"), argument.strip_prefix('-')) {
        (Some(_), _) => argument.strip_prefix(option).is_some_and(|value| value.is_empty() || value.starts_with('=')),
        (None, Some(letters)) => !letters.starts_with('-') && letters.contains(&option[1..]),
        (None, None) => false,
    };
    arguments.iter().any(|argument| options.iter().any(|option| is(argument, option)))
}

/// Its programs write by `>` and `|`, run others by `system`, and may stand in files.
fn awk(arguments: &[&str]) -> bool {
    let writes = |argument: &&str| {
        argument.contains(['>', '|'])
            || argument.contains("system")
            || ["-f", "-i", "-l", "-d", "-o", "-p", "-E", "--"].iter().any(|option| argument.starts_with(option))
    };
    !arguments.iter().any(writes)
}

/// It may delete, write lists, and run others: those that only read, whatever files they are told.
fn find(arguments: &[&str]) -> bool {
    const WRITING: [&str; 7] = ["-delete", "-fls", "-fprint", "-fprint0", "-fprintf", "-ok", "-okdir"];
    let runs_reader = |(i, argument): (usize, &&str)| {
        !matches!(*argument, "-exec" | "-execdir") || arguments.get(i + 1).is_some_and(|program| always(program))
    };
    !arguments.iter().any(|argument| WRITING.contains(argument)) && arguments.iter().enumerate().all(runs_reader)
}

/// It writes in place, and its programs by `w`, also among the flags of `s///`; they run others by `e`.
fn sed(arguments: &[&str]) -> bool {
    let writes = |token: &str| {
        let flags = token.trim_start_matches(|c: char| c.is_ascii_digit() || "gpiImM".contains(c));
        matches!(flags, "w" | "W" | "e")
    };
    let mut scripts = arguments.iter().filter(|argument| **argument != "-e");
    !has_one(arguments, &["-i", "-f", "--in-place", "--file"])
        && !scripts.any(|script| script.split(|c: char| !c.is_alphanumeric()).any(writes))
}
