//! Possession: what a key signs to prove that whoever holds it asks, and what is asked for.
//!
//! The texts begin with words that no record, checkpoint or log entry begins with, and name the server: what one server was given
//! proves nothing to another.

use crate::time::Time;

/// How long a code may be signed after a page showed it, in seconds.
pub const CODE_SECONDS: i64 = 600;
/// How old a request without a code may be, in seconds.
pub const REQUEST_SECONDS: i64 = 300;
/// Letters that are told apart when read aloud, and make no words.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// What is signed to sign somebody in: the browser at `origin` that shows `code`.
pub fn sign_in(origin: &str, code: &str) -> String {
    format!("git-tracevault sign-in\n{origin}\n{code}\n")
}

/// What is signed to end everything that a key was signed in for at `origin`.
pub fn sign_out(origin: &str, time: Time) -> String {
    format!("git-tracevault sign-out\n{origin}\n{time}\n")
}

/// Eight letters from eight random bytes, `BCDF-GHJK`: 20^8 codes.
pub fn code(random: [u8; 8]) -> String {
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    let letters: String = random.iter().map(letter).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// A code as somebody typed it, if it is one: any case, with or without what is between its halves.
pub fn typed(text: &str) -> Option<String> {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let known = |byte: u8| LETTERS.contains(&byte);
    (letters.len() == 8 && letters.bytes().all(known)).then(|| format!("{}-{}", &letters[..4], &letters[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = code([0, 1, 2, 3, 19, 20, 21, 255]);
        assert_eq!(code, "BCDF-ZBCT");
        for text in ["bcdf-zbct", "BCDF ZBCT", " bcdfzbct\n", "BCDF–ZBCT"] {
            assert_eq!(typed(text).as_deref(), Some("BCDF-ZBCT"), "{text}");
        }
        for text in ["", "BCDF-ZBC", "BCDF-ZBCTT", "ACDF-ZBCT", "BCDF-ZBC1"] {
            assert_eq!(typed(text), None, "{text}");
        }
    }

    #[test]
    fn one_servers_proof_is_none_for_another() {
        let one = sign_in("https://audit.example.com", "BCDF-ZBCT");
        assert_eq!(one, "git-tracevault sign-in\nhttps://audit.example.com\nBCDF-ZBCT\n");
        let out = sign_out("https://audit.example.com", Time::from_unix(0));
        assert_eq!(out, "git-tracevault sign-out\nhttps://audit.example.com\n1970-01-01T00:00:00Z\n");
    }
}
