//! Files that nobody would write: whatever the bytes, scopes lie within the file and within each other, and the work is
//! bounded.

use proptest::prelude::*;

use super::language::Language;
use super::samples::sample;
use super::walk::{self, scopes};
use super::{Outcome, Scopes};

/// Says what is wrong with the scopes of a file.
fn fault(scopes: &Scopes) -> Option<String> {
    for (at, scope) in scopes.list.iter().enumerate() {
        if scope.first < 1 || scope.first > scope.last || scope.last > scopes.lines {
            return Some(format!("outside of the file's {} lines: {scope:?}", scopes.lines));
        }
        if scope.name.is_empty() || scope.qualified.len() > 260 {
            return Some(format!("name: {scope:?}"));
        }
        let parent = scope.parent.map(|parent| &scopes.list[parent]);
        if scope.parent.is_some_and(|parent| parent >= at) || scope.depth != parent.map_or(0, |p| p.depth + 1) {
            return Some(format!("depth: {scope:?}"));
        }
        if parent.is_some_and(|parent| scope.first < parent.first || scope.last > parent.last) {
            return Some(format!("outside of its parent {parent:?}: {scope:?}"));
        }
        let before = scopes.list[..at].iter().rfind(|before| before.parent == scope.parent);
        if before.is_some_and(|before| before.last > scope.first) {
            return Some(format!("{before:?} reaches into {scope:?}"));
        }
    }
    let innermost = scopes.innermost();
    let covers = |(line, at): (usize, &Option<usize>)| {
        at.is_none_or(|at| (scopes.list[at].first..=scopes.list[at].last).contains(&(line as u32 + 1)))
    };
    (innermost.len() != scopes.lines as usize || !innermost.iter().enumerate().all(covers))
        .then(|| format!("innermost: {innermost:?}"))
}

fn check(language: Language, source: &[u8]) -> Result<(), String> {
    match scopes(language, source) {
        Outcome::Found(scopes) => fault(&scopes).map_or(Ok(()), Err),
        Outcome::TooLong | Outcome::TooHard => Err("given up".to_owned()),
    }
}

fn languages() -> impl Strategy<Value = Language> {
    proptest::sample::select(Language::ALL.to_vec())
}

proptest! {
    #[test]
    fn any_bytes_have_sound_scopes(language in languages(), source in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(check(language, &source), Ok(()));
    }

    /// Words of the language's own sample in any order, some lines of it whole.
    #[test]
    fn any_words_have_sound_scopes(
        language in languages(),
        pick in proptest::collection::vec((any::<proptest::sample::Index>(), 0_usize..4), 0..120),
    ) {
        let text = sample(language);
        let words: Vec<&str> = text.split_inclusive([' ', '\n', '(', '{', '}', ')', ';', ':']).collect();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let source: String = pick.iter().map(|(at, of)| *at.get(if *of == 0 { &words } else { &lines })).collect();
        prop_assert_eq!(check(language, source.as_bytes()), Ok(()));
    }

    /// A sample with a stretch taken out.
    #[test]
    fn what_is_left_of_a_file_has_sound_scopes(
        language in languages(),
        cut in any::<[proptest::sample::Index; 2]>(),
    ) {
        let mut source = sample(language).as_bytes().to_vec();
        let [a, b] = cut.map(|at| at.index(source.len()));
        source.drain(a.min(b)..a.max(b));
        prop_assert_eq!(check(language, &source), Ok(()));
    }
}

#[test]
fn long_files_are_told_not_parsed() {
    let long = vec![b'\n'; walk::LONGEST + 1];
    assert_eq!(scopes(Language::Rust, &long), Outcome::TooLong);
    assert!(matches!(scopes(Language::Rust, &long[1..]), Outcome::Found(found) if found.lines == 1 << 20));
}

#[test]
fn an_empty_file_has_no_scopes() {
    for language in Language::ALL {
        for source in ["", "\n", "\u{feff}", " "] {
            assert!(matches!(scopes(language, source.as_bytes()), Outcome::Found(found) if found.list.is_empty()));
        }
    }
}

#[test]
fn text_that_is_no_code_is_given_up() {
    let text = "x ? ".repeat(walk::LONGEST / 4);
    assert_eq!(scopes(Language::Kotlin, text.as_bytes()), Outcome::TooHard);
}

#[test]
fn scopes_nested_without_end_do_not_overflow() {
    for (language, word) in [(Language::Rust, "mod a { "), (Language::JavaScript, "function a() { ")] {
        let Outcome::Found(found) = scopes(language, word.repeat(10_000).as_bytes()) else { panic!("{language:?}") };
        assert_eq!(fault(&found), None);
        assert!(found.errors && found.list.len() <= 64);
    }
    let nested = format!("{}{}", "mod a { ".repeat(20_000), "}".repeat(20_000));
    let Outcome::Found(found) = scopes(Language::Rust, nested.as_bytes()) else { panic!() };
    assert_eq!((fault(&found), found.errors, found.list.len()), (None, false, 64));
    let deepest = &found.list[63];
    assert_eq!((deepest.depth, deepest.qualified.len()), (63, 190));
}
