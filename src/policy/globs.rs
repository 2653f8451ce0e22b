//! Globs: which paths and which models a rule is about. Compiled once, when the policy is read.

use std::borrow::Cow;

use globset::{Candidate, Glob, GlobBuilder, GlobMatcher, GlobSet};

use super::evidence::Model;
use crate::id::RepoPath;

/// No pattern is longer, in bytes.
const MAX_PATTERN: usize = 512;

/// Paths, as `.gitignore` names them: what names a folder holds all beneath it, what has no `/` is found at any depth.
/// Patterns that begin with `!` take out what the others hold.
#[derive(Debug, Clone)]
pub struct PathGlobs {
    held: GlobSet,
    taken_out: GlobSet,
}

/// The pattern that cannot be used, by its place, and why.
pub type BadPattern = (usize, String);

impl PathGlobs {
    pub fn compile(patterns: &[&str]) -> Result<Self, BadPattern> {
        let (mut held, mut taken_out) = (GlobSet::builder(), GlobSet::builder());
        let mut only_taken_out = true;
        for (at, pattern) in patterns.iter().enumerate() {
            let (set, pattern) = match pattern.strip_prefix('!') {
                Some(rest) => (&mut taken_out, rest),
                None => {
                    only_taken_out = false;
                    (&mut held, *pattern)
                }
            };
            for glob in path_globs(pattern).map_err(|why| (at, why))? {
                set.add(glob);
            }
        }
        if only_taken_out {
            return Err((0, "all patterns begin with !: nothing is left to take them out of".to_owned()));
        }
        let last = patterns.len().saturating_sub(1);
        let build = |set: globset::GlobSetBuilder| set.build().map_err(|error| (last, error.to_string()));
        Ok(PathGlobs { held: build(held)?, taken_out: build(taken_out)? })
    }

    pub fn matches(&self, path: &RepoPath) -> bool {
        // A path that had to be quoted is matched by its bytes.
        let bytes = match path.as_str().starts_with('"') {
            true => Cow::Owned(path.to_bytes()),
            false => Cow::Borrowed(path.as_str().as_bytes()),
        };
        let candidate = Candidate::from_bytes(&bytes);
        self.held.is_match_candidate(&candidate) && !self.taken_out.is_match_candidate(&candidate)
    }
}

/// Whether a pattern could hold a path, by its plain letters alone. `false` is certain, and costs no glob.
pub fn could_hold(pattern: &str, path: &RepoPath) -> bool {
    if pattern.starts_with('!') {
        return false;
    }
    let is_odd = |c: char| matches!(c, '[' | ']' | '{' | '}' | '\\');
    let path = path.as_str();
    path.starts_with('"') || pattern.contains(is_odd) || pattern.split(['*', '?', '/']).all(|part| path.contains(part))
}

/// The globs of one pattern: the path itself, and all beneath it.
fn path_globs(pattern: &str) -> Result<Vec<Glob>, String> {
    let folder = pattern.ends_with('/');
    let rooted = pattern.strip_prefix('/').unwrap_or(pattern);
    let base = rooted.strip_suffix('/').unwrap_or(rooted);
    if base.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("{pattern:?} matches no path: paths are relative, without empty parts, `.` or `..`"));
    }
    if base.split('/').any(|part| part.contains("**") && part != "**") {
        return Err(format!("{pattern:?}: `**` stands alone between slashes, as in src/**/*.rs"));
    }
    let anchored = rooted.contains('/') && rooted.find('/') != Some(rooted.len() - 1) || pattern.starts_with('/');
    let base = if anchored || base == "**" { base.to_owned() } else { format!("**/{base}") };
    let beneath = format!("{base}/**");
    let open_ended = base == "**" || base.ends_with("/**");
    let texts = match (open_ended, folder) {
        (true, _) => vec![base],
        (false, true) => vec![beneath],
        (false, false) => vec![base, beneath],
    };
    texts.iter().map(|text| glob(text, true)).collect()
}

/// Refs, by full names (`refs/tags/v*`), or branches (`main`, `release/*`).
#[derive(Debug, Clone)]
pub struct RefGlobs(GlobSet);

impl RefGlobs {
    pub fn compile(patterns: &[&str]) -> Result<Self, BadPattern> {
        let mut set = GlobSet::builder();
        for (at, pattern) in patterns.iter().enumerate() {
            if pattern.starts_with(['/', '!']) || pattern.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err((at, format!("{pattern:?} matches no branch")));
            }
            let full = match pattern.starts_with("refs/") {
                true => (*pattern).to_owned(),
                false => format!("refs/heads/{pattern}"),
            };
            set.add(glob(&full, true).map_err(|why| (at, why))?);
        }
        let last = patterns.len().saturating_sub(1);
        set.build().map(RefGlobs).map_err(|error| (last, error.to_string()))
    }

    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

fn glob(text: &str, separator: bool) -> Result<Glob, String> {
    if text.len() > MAX_PATTERN {
        return Err(format!("a pattern of {} bytes; it may have {MAX_PATTERN}", text.len()));
    }
    let mut builder = GlobBuilder::new(text);
    builder.literal_separator(separator).backslash_escape(true).empty_alternates(true);
    builder.build().map_err(|error| error.to_string())
}

/// Models, as `provider/model`.
#[derive(Debug, Clone)]
pub struct ModelGlobs(Vec<ModelGlob>);

#[derive(Debug, Clone)]
struct ModelGlob {
    any_provider: bool,
    provider: NameGlob,
    name: NameGlob,
}

/// A glob of names.
#[derive(Debug, Clone)]
enum NameGlob {
    /// The pieces between stars.
    Stars(Vec<String>),
    /// One with more than stars.
    Other(GlobMatcher),
}

impl NameGlob {
    /// Nearly all have no more than stars, and need no regular expression: an agent waits while it is made.
    fn compile(text: &str) -> Result<Self, String> {
        let glob = glob(text, false)?;
        let only_stars = !text.contains(['?', '[', ']', '{', '}', '\\', '/']) && !text.contains("**");
        Ok(match only_stars {
            true => NameGlob::Stars(text.split('*').map(str::to_owned).collect()),
            false => NameGlob::Other(glob.compile_matcher()),
        })
    }

    fn is_match(&self, name: &str) -> bool {
        let pieces = match self {
            NameGlob::Other(glob) => return glob.is_match(name),
            NameGlob::Stars(pieces) => pieces,
        };
        let [first, middle @ .., last] = &pieces[..] else { return pieces.iter().all(|piece| piece == name) };
        let Some(rest) = name.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        let after = |rest: &str, piece: &String| rest.find(piece.as_str()).map(|at| at + piece.len());
        let gone_through = middle.iter().try_fold(rest, |rest, piece| after(rest, piece).map(|at| &rest[at..]));
        gone_through.is_some()
    }
}

/// Whether a model is among those allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    Yes,
    No,
    /// It would be, of some provider; which one it has is not known.
    Maybe,
}

impl ModelGlobs {
    pub fn compile(patterns: &[&str]) -> Result<Self, BadPattern> {
        let compile = |pattern: &str| {
            let (provider, name) = pattern
                .split_once('/')
                .filter(|(provider, name)| !provider.is_empty() && !name.is_empty())
                .ok_or_else(|| format!("{pattern:?} is not of the form provider/model"))?;
            Ok(ModelGlob {
                any_provider: matches!(provider, "*" | "**"),
                provider: NameGlob::compile(provider)?,
                name: NameGlob::compile(name)?,
            })
        };
        let globs = patterns.iter().enumerate().map(|(at, pattern)| compile(pattern).map_err(|why| (at, why)));
        globs.collect::<Result<_, _>>().map(ModelGlobs)
    }

    pub fn allows(&self, model: &Model) -> Allowed {
        let mut answer = Allowed::No;
        for glob in self.0.iter().filter(|glob| glob.name.is_match(&model.name)) {
            match &model.provider {
                _ if glob.any_provider => return Allowed::Yes,
                Some(provider) if glob.provider.is_match(provider) => return Allowed::Yes,
                Some(_) => {}
                None => answer = Allowed::Maybe,
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(patterns: &[&str], path: &str) -> bool {
        PathGlobs::compile(patterns).unwrap().matches(&RepoPath::from_bytes(path.as_bytes()).unwrap())
    }

    #[test]
    fn paths_are_named_as_in_gitignore() {
        for (pattern, held, not_held) in [
            ("**", &["a", "a/b", ".x/y"][..], &[][..]),
            ("*", &["a", "a/b"], &[]),
            ("/*", &["a", "a/b"], &[]),
            ("src/**", &["src/a", "src/a/b.rs"], &["src", "lib/src/a", "srcs/a"]),
            ("src/", &["src/a", "x/src/a/b"], &["src", "a/src"]),
            ("/src/", &["src/a"], &["src", "x/src/a"]),
            ("src/payments", &["src/payments", "src/payments/a.rs", "src/payments/a/b"], &["x/src/payments", "src/p"]),
            ("src/*.rs", &["src/a.rs", "src/.rs"], &["src/a/b.rs", "src/a.rsx", "a.rs"]),
            ("src/**/*.rs", &["src/a.rs", "src/a/b/c.rs"], &["src/a.py", "x/a.rs"]),
            ("**/*.pem", &["a.pem", "x/y/a.pem"], &["a.pem.md"]),
            ("*.pem", &["a.pem", "x/y/a.pem", "keys.pem/x"], &["a.pem.md"]),
            ("/*.pem", &["a.pem"], &["x/a.pem"]),
            ("Dockerfile", &["Dockerfile", "a/Dockerfile"], &["dockerfile", "Dockerfile.x"]),
            ("a?c", &["abc", "x/abc"], &["a/c", "ac", "abbc"]),
            ("src/{a,b}/*.rs", &["src/a/x.rs", "src/b/x.rs"], &["src/c/x.rs"]),
            ("{src,lib}/x", &["src/x", "lib/x"], &["y/src/x"]),
            ("a{,.txt}", &["a", "a.txt"], &["a.md"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b/c"], &["ab", "a/xb"]),
            ("a[0-9]", &["a1"], &["ab"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("ü/日本*", &["ü/日本語"], &["ü/本"]),
        ] {
            for path in held {
                assert!(holds(&[pattern], path), "{pattern} should hold {path}");
                assert!(could_hold(pattern, &RepoPath::from_bytes(path.as_bytes()).unwrap()), "{pattern} {path}");
            }
            for path in not_held {
                assert!(!holds(&[pattern], path), "{pattern} should not hold {path}");
            }
        }
    }

    #[test]
    fn what_lacks_a_patterns_letters_is_not_held() {
        let could = |pattern: &str| could_hold(pattern, &"src/a.rs".parse().unwrap());
        for pattern in ["lib/**", "src/*.py", "b.rs", "/crypto", "!src/**"] {
            assert!(!could(pattern), "{pattern}");
        }
        for pattern in ["src/**", "*.rs", "a/src", "{lib,src}/x", "lib/[a]"] {
            assert!(could(pattern), "{pattern}");
        }
    }

    #[test]
    fn exclamation_marks_take_out_wherever_they_stand() {
        for patterns in [["src/**", "!src/gen/**"], ["!src/gen/**", "src/**"]] {
            assert!(holds(&patterns, "src/a.rs"));
            assert!(!holds(&patterns, "src/gen/a.rs"));
        }
        assert!(!holds(&["**", "!*.md"], "docs/a.md"));
    }

    #[test]
    fn quoted_paths_are_matched_by_their_bytes() {
        let path = RepoPath::from_bytes(b"caf\xe9/x.pem").unwrap();
        assert!(path.as_str().starts_with('"'));
        assert!(PathGlobs::compile(&["*.pem"]).unwrap().matches(&path));
        assert!(!PathGlobs::compile(&["*.pem\""]).unwrap().matches(&path));
    }

    #[test]
    fn patterns_that_could_hold_nothing_are_refused() {
        let deep = "{".repeat(300);
        let long = "a".repeat(600);
        for bad in
            ["", "/", "!", "./src", "../x", "a//b", "a/./b", "src/**.rs", "**a", "a[", "a{b", "!x", "a}", &deep, &long]
        {
            assert!(PathGlobs::compile(&[bad]).is_err(), "{bad}");
        }
        assert_eq!(PathGlobs::compile(&["ok", "a["]).unwrap_err().0, 1);
    }

    proptest::proptest! {
        #[test]
        fn stars_mean_what_they_mean_in_globs(pattern in "[ab*-]{0,6}", name in "[ab-]{0,8}") {
            let other = NameGlob::Other(glob(&pattern, false).unwrap().compile_matcher());
            let it = NameGlob::compile(&pattern).unwrap();
            proptest::prop_assert_eq!(it.is_match(&name), other.is_match(&name), "{} {}", pattern, name);
        }
    }

    #[test]
    fn models_are_allowed_by_provider_and_name() {
        let allows =
            |patterns: &[&str], model: &str| ModelGlobs::compile(patterns).unwrap().allows(&Model::named(model));
        use Allowed::*;
        for (patterns, model, expected) in [
            (&["anthropic/*"][..], "anthropic/claude-opus-5-5", Yes),
            (&["anthropic/*"], "openai/gpt-6", No),
            (&["anthropic/*"], "claude-opus-5-5", Maybe),
            (&["anthropic/claude-*"], "gpt-6", No),
            (&["anthropic/claude-{opus,sonnet}-*"], "anthropic/claude-haiku-5", No),
            (&["anthropic/claude-{opus,sonnet}-*"], "anthropic/claude-sonnet-5-5", Yes),
            (&["*/claude-*"], "claude-opus-5-5", Yes),
            (&["*/claude-*"], "bedrock/claude-opus-5-5", Yes),
            (&["*/claude-*"], "openai/gpt", No),
            (&["openai/*", "*/claude-opus-5-5"], "claude-opus-5-5", Yes),
            (&["hub/*"], "hub/meta/llama", Yes),
            (&["anthropic/claude-opus-5-5"], "anthropic/claude-opus-5", No),
        ] {
            assert_eq!(allows(patterns, model), expected, "{patterns:?} {model}");
        }
        for bad in ["", "claude-*", "/x", "x/", "a/[", "{/x"] {
            assert!(ModelGlobs::compile(&[bad]).is_err(), "{bad}");
        }
    }
}
