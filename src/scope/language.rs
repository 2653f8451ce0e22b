//! What a file is written in, by its name and its first line.

/// A language whose scopes we find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    Rust,
    Python,
    JavaScript,
    TypeScript,
    Tsx,
    Java,
    Kotlin,
    Go,
    C,
    Cpp,
    CSharp,
    Ruby,
    Php,
    Scala,
    Swift,
    Shell,
    Sql,
}

impl Language {
    /// How many there are.
    pub(super) const COUNT: usize = Language::Sql as usize + 1;

    #[cfg(test)]
    pub(super) const ALL: [Language; Language::COUNT] = [
        Language::Rust,
        Language::Python,
        Language::JavaScript,
        Language::TypeScript,
        Language::Tsx,
        Language::Java,
        Language::Kotlin,
        Language::Go,
        Language::C,
        Language::Cpp,
        Language::CSharp,
        Language::Ruby,
        Language::Php,
        Language::Scala,
        Language::Swift,
        Language::Shell,
        Language::Sql,
    ];

    /// The language of the file at `path` (with slashes). The first line counts where the name tells nothing: in a
    /// script it names the interpreter.
    pub fn of(path: &str, first_line: &[u8]) -> Option<Language> {
        let name = path.rsplit('/').next().unwrap_or(path);
        by_name(name).or_else(|| by_interpreter(first_line))
    }
}

fn by_name(name: &str) -> Option<Language> {
    if matches!(name, "Rakefile" | "Gemfile" | "Vagrantfile" | "Podfile") {
        return Some(Language::Ruby);
    }
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "rs" => Language::Rust,
        "py" | "pyi" | "pyw" => Language::Python,
        "js" | "mjs" | "cjs" | "jsx" => Language::JavaScript,
        "ts" | "mts" | "cts" => Language::TypeScript,
        "tsx" => Language::Tsx,
        "java" => Language::Java,
        "kt" | "kts" => Language::Kotlin,
        "go" => Language::Go,
        "c" => Language::C,
        // A header may be of either; the grammar of C++ reads those of C too.
        "h" | "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "h++" | "ipp" | "inl" | "tpp" => Language::Cpp,
        "cs" => Language::CSharp,
        "rb" | "rake" | "gemspec" => Language::Ruby,
        "php" | "phtml" => Language::Php,
        "scala" | "sc" | "sbt" => Language::Scala,
        "swift" => Language::Swift,
        "sh" | "bash" | "ksh" | "zsh" => Language::Shell,
        "sql" | "psql" | "pgsql" | "ddl" => Language::Sql,
        _ => return None,
    })
}

/// By `#!/usr/bin/python3 -u`, `#!/usr/bin/env -S LANG=C ruby -w` and the like.
fn by_interpreter(first_line: &[u8]) -> Option<Language> {
    let command = std::str::from_utf8(first_line.strip_prefix(b"#!")?).ok()?;
    let mut programs = command.split_ascii_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut program = programs.next()?;
    if program == "env" {
        program = programs.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    Some(match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "python" | "pypy" => Language::Python,
        "node" | "nodejs" => Language::JavaScript,
        "deno" | "bun" | "ts-node" | "tsx" => Language::TypeScript,
        "kotlin" | "kotlinc" => Language::Kotlin,
        "ruby" | "jruby" => Language::Ruby,
        "php" => Language::Php,
        "scala" => Language::Scala,
        "swift" => Language::Swift,
        "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" => Language::Shell,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_first_line_tells_the_language() {
        let cases: &[(&str, &str, Option<Language>)] = &[
            ("src/main.rs", "", Some(Language::Rust)),
            ("a/b.PY", "#!/bin/sh", Some(Language::Python)),
            ("web/app.jsx", "", Some(Language::JavaScript)),
            ("web/app.d.ts", "", Some(Language::TypeScript)),
            ("web/App.tsx", "", Some(Language::Tsx)),
            ("include/x.h", "", Some(Language::Cpp)),
            ("x.c", "", Some(Language::C)),
            ("Gemfile", "", Some(Language::Ruby)),
            ("dir.py/README", "", None),
            ("notes.txt", "#!/usr/bin/env bash\n", Some(Language::Shell)),
            ("bin/run", "#!/bin/sh -e\r\n", Some(Language::Shell)),
            ("bin/run", "#! /usr/local/bin/python3.12 -u", Some(Language::Python)),
            ("bin/run", "#!/usr/bin/env -S LANG=C ruby -w", Some(Language::Ruby)),
            ("bin/run", "#!/usr/bin/env", None),
            ("bin/run", "#!", None),
            ("bin/run", "#!/usr/bin/awk -f", None),
            ("bin/run", "python", None),
            ("", "", None),
        ];
        for (path, first_line, expected) in cases {
            assert_eq!(Language::of(path, first_line.as_bytes()), *expected, "{path} {first_line}");
        }
        assert_eq!(Language::of("x", b"#!\xff\xfe"), None);
    }
}
