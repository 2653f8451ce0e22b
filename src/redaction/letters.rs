//! Letters: whether a row of them reads as words, or was drawn by a machine.

use std::sync::OnceLock;

use super::seed::WORDS;

/// Shorter rows tell too little.
pub(super) const MIN: usize = 8;

/// Which letters stand before which in words, a bit for each second letter.
static PAIRS: OnceLock<[u32; 26]> = OnceLock::new();

/// The pairs that the two thousand English words of BIP39 have: some 390 of the 676.
fn pairs() -> &'static [u32; 26] {
    PAIRS.get_or_init(|| {
        let mut pairs = [0; 26];
        for pair in WORDS.lines().flat_map(|word| word.as_bytes().windows(2)) {
            pairs[letter(pair[0])] |= 1 << letter(pair[1]);
        }
        pairs
    })
}

/// The number of a letter of either case.
fn letter(b: u8) -> usize {
    usize::from((b | 32) - b'a')
}

/// Whether no one wrote these letters: one pair in four and three at least are in no word, in either case. Of rows of sixteen
/// letters drawn by a machine that is true of 95 in a hundred, of names in programs of one or two. Constants in capitals
/// (`SIOCGIFMTU`) are no words either, and are never drawn.
pub(super) fn drawn(row: &[u8]) -> bool {
    if row.len() < MIN || !row.iter().all(u8::is_ascii_alphabetic) || !row.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    let pairs = pairs();
    let unheard = |pair: &&[u8]| pairs[letter(pair[0])] >> letter(pair[1]) & 1 == 0;
    let count = row.windows(2).filter(unheard).count();
    let run = row.windows(3).filter(|w| w[1] == w[0] + 1 && w[2] == w[1] + 1).count();
    count >= 3 && count * 4 >= row.len() - 1 && run * 3 < row.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names_are_not_drawn() {
        for word in [
            "understanding",
            "getUserNameById",
            "parseJSONFromURL",
            "XMLHttpRequest",
            "mysqlconnection",
            "Donaudampfschiff",
            "SIOCGIFNETMASK",
            "abcdefghijklmnop",
            "ClientJsonRpcMessage",
            "contrasenaSegura",
            "kubeconfigpath",
            "short",
            "keyPasswordHash",
            "deploymentsecretname",
            "nextpagetoken",
        ] {
            assert!(!drawn(word.as_bytes()), "{word}");
        }
        for row in
            ["WzKayRWudTecBcvA", "qkzjvhbnxmwpdf", "hWqLpXvTzRmKcBnd", "xkcdqjvwzpfhbgtm", "zgiBkMmDxQeTbNvYcRwPlKjU"]
        {
            assert!(drawn(row.as_bytes()), "{row}");
        }
    }
}
