//! What texts have to do with each other: the words that they share, rare ones more than common ones.

use std::collections::{BTreeMap, BTreeSet};

/// So much of a text is looked at, in bytes, and so many of its words are kept.
const MAX_TEXT: usize = 64 << 10;
const MAX_WORDS: usize = 4000;

/// Words that say nothing of what a text is about, of English and of programming languages, and what [`stem`] makes of them.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "about", "abov", "above", "add", "added", "adds", "after", "again", "all", "also", "alwai", "always", "and",
    "any", "are", "ask", "asked", "asks", "async", "await", "back", "been", "befor", "before", "being", "between",
    "both", "but", "call", "called", "calls", "can", "chang", "change", "changes", "check", "class", "cod", "code",
    "const", "could", "def", "default", "did", "doe", "does", "don", "done", "each", "els", "else", "everi", "every",
    "export", "fals", "false", "fil", "file", "files", "first", "fix", "for", "from", "func", "function", "get",
    "gets", "giv", "give", "good", "had", "has", "hav", "have", "her", "here", "his", "how", "impl", "implement",
    "import", "int", "into", "its", "just", "know", "let", "lik", "like", "lin", "line", "lines", "look", "mak",
    "make", "makes", "may", "mean", "means", "mod", "mor", "more", "most", "much", "must", "mut", "need", "needs",
    "never", "new", "next", "nil", "non", "none", "not", "now", "null", "off", "okai", "okay", "old", "one", "onli",
    "only", "onto", "other", "our", "out", "over", "own", "pleas", "please", "privat", "private", "pub", "public",
    "put", "real", "really", "return", "right", "run", "sam", "same", "say", "says", "see", "self", "set", "should",
    "show", "som", "some", "static", "still", "str", "string", "struct", "such", "tak", "take", "than", "thank",
    "thanks", "that", "the", "thei", "their", "them", "then", "ther", "there", "thes", "these", "they", "thi",
    "thing", "this", "thos", "those", "through", "too", "tool", "tru", "true", "two", "typ", "type", "until", "use",
    "used", "uses", "using", "var", "veri", "very", "void", "want", "wants", "was", "way", "well", "wer", "were",
    "what", "when", "wher", "where", "which", "whil", "while", "who", "why", "will", "with", "work", "works", "would",
    "writ", "write", "writes", "yes", "yet", "you", "your",
];

/// The words of a text that can tell what it is about: lower case, without their endings, identifiers whole and in parts.
pub fn words(text: &str) -> BTreeSet<String> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    let mut words = BTreeSet::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        let parts = parts(word);
        let whole = parts.concat();
        for word in parts.into_iter().chain([whole]) {
            if words.len() < MAX_WORDS && tells(&word) {
                words.insert(stem(&word));
            }
        }
    }
    words
}

fn tells(word: &str) -> bool {
    let long = if word.is_ascii() { 3 } else { 2 };
    let length = word.chars().count();
    let common = |word: &str| COMMON.binary_search(&word).is_ok();
    (long..=60).contains(&length) && !common(word) && !common(&stem(word))
}

/// `retryCount`, `retry_count` and `RETRY_COUNT` are `retry` and `count`.
fn parts(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in word.split('_') {
        let mut part = String::new();
        let mut before: Option<char> = None;
        for c in piece.chars() {
            let begins = c.is_uppercase() && before.is_some_and(|before| before.is_lowercase());
            if begins {
                parts.push(std::mem::take(&mut part));
            }
            part.extend(c.to_lowercase());
            before = Some(c);
        }
        parts.push(part);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The word without its ending, so that `retries`, `retried` and `retry` are one; of English, and only so far as it helps.
fn stem(word: &str) -> String {
    if !word.is_ascii() || word.len() < 4 || word.ends_with("ss") {
        return word.to_owned();
    }
    let base = ["ies", "ied", "ing", "ed", "es", "s", "ly"].iter().find_map(|ending| {
        let base = word.strip_suffix(ending).filter(|base| base.len() >= 3)?;
        Some(if ending.starts_with("ie") { format!("{base}y") } else { base.to_owned() })
    });
    let mut base = base.unwrap_or_else(|| word.to_owned());
    let bytes = base.as_bytes();
    if let [.., a, b] = bytes
        && a == b
        && !matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'l' | b's' | b'z')
    {
        base.pop();
    }
    if base.len() > 3 && base.ends_with('e') {
        base.pop();
    }
    if base.len() > 3 && base.ends_with('y') {
        base.pop();
        base.push('i');
    }
    base
}

/// How many of some texts have a word: what all of them have tells nothing.
#[derive(Debug, Default)]
pub struct Rarity {
    texts: usize,
    having: BTreeMap<String, usize>,
}

impl Rarity {
    pub fn of<'t>(texts: impl Iterator<Item = &'t BTreeSet<String>>) -> Self {
        let mut rarity = Rarity::default();
        for words in texts {
            rarity.texts += 1;
            for word in words {
                *rarity.having.entry(word.clone()).or_default() += 1;
            }
        }
        rarity
    }

    fn weight(&self, word: &str) -> f64 {
        let having = self.having.get(word).copied().unwrap_or_default().max(1);
        (1.0 + self.texts.max(1) as f64 / having as f64).ln()
    }
}

/// What something is about: words, and how much each of them says.
#[derive(Debug, Default)]
pub struct Topic(BTreeMap<String, f64>);

impl Topic {
    /// Adds a text's words; a word that is there already keeps the larger weight.
    pub fn add(&mut self, text: &str, weight: f64) {
        for word in words(text) {
            let known = self.0.entry(word).or_insert(weight);
            *known = known.max(weight);
        }
    }

    /// How much of it a text is about, from 0 up.
    pub fn score(&self, words: &BTreeSet<String>, rarity: &Rarity) -> f64 {
        words.iter().filter_map(|word| Some(self.0.get(word)? * rarity.weight(word))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Vec<String> {
        words(text).into_iter().collect()
    }

    #[test]
    fn words_are_the_same_in_all_their_forms() {
        assert_eq!(told("retries Retried RETRY retrying"), ["retri"]);
        assert_eq!(told("let maxRetryCount = max_retry_count;"), ["count", "max", "maxretrycount", "retri"]);
        assert_eq!(told("stopped stopping stops"), ["stop"]);
        assert_eq!(told("caches cached caching cache"), ["cach"]);
        assert_eq!(told("What should this do, and why?"), Vec::<String>::new());
        assert_eq!(told("Größe 日本"), ["größe", "日本"]);
        assert!(COMMON.is_sorted(), "it is searched as such: {:?}", COMMON.windows(2).find(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn rare_words_weigh_more_than_common_ones() {
        let texts = ["payment timeout", "payment page", "payment colour"].map(words);
        let rarity = Rarity::of(texts.iter());
        let mut topic = Topic::default();
        topic.add("payment timeout", 1.0);
        let scores = texts.iter().map(|text| topic.score(text, &rarity)).collect::<Vec<_>>();
        assert!(scores[0] > 2.0 * scores[1] && scores[1] == scores[2], "{scores:?}");
        assert_eq!(topic.score(&words("nothing of the kind"), &rarity), 0.0);
    }

    proptest! {
        #[test]
        fn any_text_has_words_without_harm(text: String) {
            prop_assert!(words(&text).len() <= MAX_WORDS);
        }
    }
}
