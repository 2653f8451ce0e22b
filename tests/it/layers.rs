//! The rules of the house that the compiler does not hold: who may import whom, what the domain may not touch, how
//! files begin and how long they are. The order of the layers is read from `src/lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where logic should be two files.
const LONGEST: usize = 600;
/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[];

/// What the domain and the base may not name: they take values and give values.
const OUTSIDE: &[&str] = &["std::fs", "std::env", "std::process", "std::net"];
const CLOCKS: &[&str] = &["SystemTime", "Instant"];
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

#[test]
fn imports_point_down_only() {
    let order = Order::read();
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(from) = order.place(file.module()) else { continue };
        for (path, line) in paths(&tokens(&file.code)) {
            let Some(name) = path.strip_prefix("crate::") else { continue };
            if order.place(name).is_some_and(|to| to < from) {
                wrong.push(format!("{}:{line}: {} may not import {name}", file.name, file.module()));
            }
        }
    }
    assert!(wrong.is_empty(), "modules import only from those after them in src/lib.rs:\n{}", wrong.join("\n"));
}

#[test]
fn domain_and_base_touch_nothing_outside() {
    let order = Order::read();
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| order.is_pure(file.module())) {
        let tokens = tokens(&without_tests(&file.code));
        for (path, line) in paths(&tokens) {
            if OUTSIDE.contains(&path.as_str()) {
                wrong.push(format!("{}:{line}: {path}", file.name));
            }
        }
        for (token, line) in tokens {
            if CLOCKS.contains(&token.as_str()) {
                wrong.push(format!("{}:{line}: {token}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "values in, values out:\n{}", wrong.join("\n"));
}

#[test]
fn printing_has_one_home() {
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| file.name != "src/host/output.rs") {
        for pair in tokens(&without_tests(&file.code)).windows(2) {
            if PRINTING.contains(&pair[0].0.as_str()) && pair[1].0 == "!" {
                wrong.push(format!("{}:{}: {}!", file.name, pair[0].1, pair[0].0));
            }
        }
    }
    assert!(wrong.is_empty(), "src/host/output.rs prints:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for_and_is_of_a_readable_length() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = rust_files(&root.join("tests"));
    let mut wrong = Vec::new();
    for path in rust_files(&root.join("src")).into_iter().chain(tests) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if !text.starts_with("//! ") {
            wrong.push(format!("{name}: the first line must say what the file is for (//! …)"));
        }
        let lines = text.lines().count();
        if lines > LONGEST && !LONGER.iter().any(|(longer, _)| *longer == name) {
            wrong.push(format!("{name}: {lines} lines; two files, or an entry with its reason in LONGER"));
        }
    }
    for (name, reason) in LONGER {
        assert!(root.join(name).exists() && !reason.is_empty(), "LONGER: {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The modules in the order of `src/lib.rs`, each with the layer whose comment (`// domain: …`) stands above it.
struct Order(Vec<(String, String)>);

impl Order {
    fn read() -> Order {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
        let (mut layer, mut order) = (String::new(), Vec::new());
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("// ") {
                layer = comment.split(':').next().unwrap_or_default().to_owned();
            }
            let declared = line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|l| l.strip_suffix(';'));
            order.extend(declared.map(|name| (name.to_owned(), layer.clone())));
        }
        let layers: Vec<_> = order.iter().map(|(_, layer)| layer.as_str()).collect();
        let distinct = layers.chunk_by(|a, b| a == b).map(|run| run[0]).collect::<Vec<_>>();
        assert_eq!(distinct, ["front", "shell", "domain", "base"], "src/lib.rs names its layers in this order");
        Order(order)
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.0.iter().position(|(name, _)| name == module)
    }

    fn is_pure(&self, module: &str) -> bool {
        self.0.iter().any(|(name, layer)| name == module && matches!(layer.as_str(), "domain" | "base"))
    }
}

struct Source {
    /// Relative to the repository, with slashes.
    name: String,
    /// The text with comments and literals blanked out.
    code: String,
}

impl Source {
    /// The top-level module the file belongs to.
    fn module(&self) -> &str {
        let name = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        name.split('/').next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = rust_files(&root.join("src"))
        .into_iter()
        .map(|path| Source {
            name: path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"),
            code: blanked(&fs::read_to_string(&path).unwrap()),
        })
        .collect();
    assert!(files.len() > 10, "the sources were not found");
    files
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The text with comments, strings and characters blanked out, lines kept.
fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let len = chars.len();
    let is = |i: usize, c: char| chars.get(i) == Some(&c);
    let find = |from: usize, end: &dyn Fn(usize) -> Option<usize>| (from..len).find_map(end).unwrap_or(len);
    if is(at, '/') && is(at + 1, '/') {
        return find(at, &|i| is(i, '\n').then_some(i));
    }
    if is(at, '/') && is(at + 1, '*') {
        let (mut depth, mut i) = (0, at);
        while i < len {
            match (chars[i], chars.get(i + 1)) {
                ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
                ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
                _ => i += 1,
            }
            if depth == 0 {
                return i;
            }
        }
        return len;
    }
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if is(at, 'r') && !in_word || is(at, 'r') && is(at.wrapping_sub(1), 'b') {
        let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
        if is(at + 1 + hashes, '"') {
            let closes = |i: usize| is(i, '"') && (1..=hashes).all(|h| is(i + h, '#'));
            return find(at + 2 + hashes, &|i| closes(i).then_some(i + 1 + hashes));
        }
    }
    let quoted = |quote: char| {
        let mut i = at + 1;
        while i < len && chars[i] != quote {
            i += if chars[i] == '\\' { 2 } else { 1 };
        }
        (i + 1).min(len)
    };
    if is(at, '"') {
        return quoted('"');
    }
    // 'x' and '\n' are characters, 'x is a lifetime.
    if is(at, '\'') && (is(at + 1, '\\') || is(at + 2, '\'')) {
        return quoted('\'');
    }
    at
}

/// The code without what stands under `#[cfg(test)]`; lines kept.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let body = &out[start..];
        let mut depth = 0;
        let end = body.char_indices().find_map(|(i, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (depth == 0 && matches!(c, '}' | ';')).then_some(i + 1)
        });
        let end = start + end.unwrap_or(body.len());
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// Words and signs with their lines; `::` is one sign.
fn tokens(code: &str) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let len = if word > 0 {
                word
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                found.push((rest[..len].to_owned(), number + 1));
            }
            rest = &rest[len..];
        }
    }
    found
}

/// The first two steps of every path that begins with `crate` or `std`, also out of groups: `use crate::{a, b::c};`
/// gives `crate::a` and `crate::b`.
fn paths(tokens: &[(String, usize)]) -> Vec<(String, usize)> {
    let text = |i: usize| tokens.get(i).map_or("", |(token, _)| token.as_str());
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        let root = text(start);
        if !matches!(root, "crate" | "std") || text(start + 1) != "::" {
            continue;
        }
        let mut add = |i: usize| found.push((format!("{root}::{}", text(i)), tokens[i].1));
        if text(start + 2) != "{" {
            add(start + 2);
            continue;
        }
        let mut depth = 0;
        for i in start + 2..tokens.len() {
            match text(i) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ if depth == 1 && matches!(text(i - 1), "{" | ",") => add(i),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[test]
fn this_reader_of_rust_sees_what_it_should() {
    let code = blanked(concat!(
        "use crate::{cli, git::{command, x}, id::Y};\n// crate::comment\n/* std::fs /* std::net */ */\n",
        "let s = \"std::env \\\" crate::no\"; let r = r#\"std::fs \" \"#; let c = '\"'; fn f<'a>(x: &'a str) {}\n",
        "use std::{io, fs};\n#[cfg(test)]\nmod tests { use std::net; }\ncrate::time::Time::default();\n",
    ));
    let seen = |code: &str| {
        let mut by_line = BTreeMap::<usize, Vec<String>>::new();
        for (path, line) in paths(&tokens(code)) {
            by_line.entry(line).or_default().push(path);
        }
        by_line.into_iter().map(|(line, paths)| format!("{line}: {}", paths.join(" "))).collect::<Vec<_>>()
    };
    assert_eq!(
        seen(&code),
        ["1: crate::cli crate::git crate::id", "5: std::io std::fs", "7: std::net", "8: crate::time"]
    );
    assert_eq!(
        seen(&without_tests(&code)),
        ["1: crate::cli crate::git crate::id", "5: std::io std::fs", "8: crate::time"]
    );
}
