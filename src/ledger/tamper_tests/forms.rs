//! Records and signatures in other forms than the one that is theirs, though signed by a key that may sign.
#![cfg(test)]

use super::{fail, tiny};
use crate::record::canonical::MAX_BYTES;

/// What is found when the developer signs its newest record changed so.
fn signed(change: impl Fn(&str) -> Vec<u8>) -> super::Answer {
    let fixture = tiny();
    let developer = &fixture.people.developer;
    fixture.tamper(developer.chain(), |raws| {
        let bytes = change(&raws[1].text());
        assert_ne!(bytes, raws[1].record());
        raws[1].set_record(bytes);
        raws[1].sign(developer);
    });
    fixture.ask()
}

fn replaced(from: &str, to: &str) -> super::Answer {
    signed(|text| text.replacen(from, to, 1).into_bytes())
}

#[test]
fn spaces_and_bytes_around_are_not_canonical() {
    assert_eq!(replaced(":", ": "), fail(&["E-CANON"]));
    assert_eq!(signed(|text| format!("{text}\n").into_bytes()), fail(&["E-CANON"]));
    assert_eq!(signed(|text| format!(" {text}").into_bytes()), fail(&["E-CANON"]));
    assert_eq!(signed(|text| format!("\u{feff}{text}").into_bytes()), fail(&["E-CANON"]));
    assert_eq!(signed(|text| format!("{text}{{}}").into_bytes()), fail(&["E-CANON"]));
}

#[test]
fn unsorted_and_doubled_keys_are_not_canonical() {
    let swapped = "\"found_by\":\"amend\",\"level\":1";
    assert_eq!(replaced(swapped, "\"level\":1,\"found_by\":\"amend\""), fail(&["E-CANON"]));
    assert_eq!(replaced("\"level\":1", "\"level\":1,\"level\":1"), fail(&["E-CANON"]));
    assert_eq!(replaced("\"level\":1", "\"Level\":1"), fail(&["E-CANON"]));
}

#[test]
fn other_numbers_are_not_canonical() {
    for number in ["1.0", "1e0", "-0", "01", "9007199254740992", "1.5", "null", "99999999999999999999999"] {
        assert_eq!(replaced("\"level\":1", &format!("\"level\":{number}")), fail(&["E-CANON"]), "{number}");
    }
}

#[test]
fn other_escapes_are_not_canonical() {
    for text in [r"\u0061mend", r"am\/end", r"\u000aamend", r"\u001F", r"\ud800", "\x7f\\u007f"] {
        assert_eq!(replaced("amend", text), fail(&["E-CANON"]), "{text}");
    }
    assert_eq!(signed(|text| text.replacen("amend", "am\0end", 1).into_bytes()), fail(&["E-CANON"]));
    let latin = |text: &str| {
        let at = text.find("amend").unwrap();
        [&text.as_bytes()[..at], b"\xff", &text.as_bytes()[at..]].concat()
    };
    assert_eq!(signed(latin), fail(&["E-CANON"]));
}

#[test]
fn upper_case_hex_and_other_spellings_of_fields_are_not_canonical() {
    assert_eq!(signed(|text| text.replace("\"prev\":\"", "\"prev\":\"A").into_bytes()), fail(&["E-CANON"]));
    let upper = |text: &str| {
        let at = text.find("\"prev\":\"").unwrap() + 8;
        format!("{}{}{}", &text[..at], text[at..at + 64].to_uppercase(), &text[at + 64..]).into_bytes()
    };
    assert_eq!(signed(upper), fail(&["E-CANON"]));
    assert_eq!(replaced("00:01:00Z", "00:01:00.0Z"), fail(&["E-CANON"]));
    assert_eq!(replaced("00:01:00Z", "00:01:00+00:00"), fail(&["E-CANON"]));
    assert_eq!(replaced("\"seq\":1,", ""), fail(&["E-CANON"]));
    assert_eq!(replaced("\"seq\":1,", "\"seq\":1,\"sez\":1,"), fail(&["E-CANON"]));
    assert_eq!(replaced("\"level\":1", "\"level\":1,\"more\":1"), fail(&["E-CANON"]));
}

#[test]
fn facts_of_other_programs_are_kept_and_not_read() {
    assert_eq!(replaced("\"ledger\":", "\"ext\":{\"other\":{\"n\":1}},\"ledger\":"), super::pass(&[]));
    assert_eq!(replaced("\"ledger\":", "\"ext\":1,\"ledger\":"), fail(&["E-CANON"]));
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let deep = |depth: usize| format!("\"ext\":{{\"a\":{}{}}},\"ledger\":", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(replaced("\"ledger\":", &deep(14)), super::pass(&[]));
    assert_eq!(replaced("\"ledger\":", &deep(15)), fail(&["E-LIMIT"]));
    assert_eq!(replaced("\"ledger\":", &deep(64)), fail(&["E-LIMIT"]));
    let fill = |text: &str, size: usize| {
        let fixed = text.len() + "\"ext\":{\"a\":\"\"},".len();
        text.replacen("\"ledger\":", &format!("\"ext\":{{\"a\":\"{}\"}},\"ledger\":", "x".repeat(size - fixed)), 1)
    };
    assert_eq!(signed(|text| fill(text, MAX_BYTES).into_bytes()), super::pass(&[]));
    assert_eq!(signed(|text| fill(text, MAX_BYTES + 1).into_bytes()), fail(&["E-LIMIT"]));
    assert_eq!(signed(|_| vec![b'['; 20_000_000]), fail(&["E-LIMIT"]));
}

#[test]
fn versions_and_types_that_nobody_knows_are_not_skipped() {
    assert_eq!(replaced("\"v\":1", "\"v\":2"), fail(&["E-VERSION"]));
    assert_eq!(replaced("\"type\":\"link\"", "\"type\":\"lonk\""), fail(&["E-VERSION"]));
    // Of a type that is known, the body of another.
    assert_eq!(replaced("\"type\":\"link\"", "\"type\":\"access\""), fail(&["E-CANON"]));
}

#[test]
fn signature_files_in_another_form_are_refused() {
    type Change = fn(&str) -> String;
    let cases: &[(&str, Change)] = &[
        ("legacy algorithm", |file| {
            let line = file.lines().nth(1).unwrap();
            file.replace(line, &line.replacen("RU", "RW", 1))
        }),
        ("unknown algorithm", |file| {
            let line = file.lines().nth(1).unwrap();
            file.replace(line, &line.replacen("RU", "Rk", 1))
        }),
        ("truncated base64", |file| {
            let line = file.lines().nth(1).unwrap();
            file.replace(line, &line[..line.len() - 4])
        }),
        ("unpadded base64", |file| {
            let line = file.lines().nth(1).unwrap();
            file.replace(line, line.trim_end_matches('='))
        }),
        ("bits after the end", |file| {
            let line = file.lines().nth(3).unwrap();
            let (start, last) = (&line[..85], &line[85..86]);
            let next = match last {
                "A" => "B",
                "Q" => "R",
                "g" => "h",
                _ => "x",
            };
            file.replace(line, &format!("{start}{next}=="))
        }),
        ("carriage returns", |file| file.replace('\n', "\r\n")),
        ("no last newline", |file| file.trim_end().to_owned()),
        ("a line more", |file| format!("{file}more\n")),
        ("no trusted comment", |file| file.lines().take(2).map(|line| format!("{line}\n")).collect()),
        ("other untrusted comment", |file| file.replacen("untrusted comment: tracevault", "untrusted comment: x", 1)),
        ("nothing", |_| String::new()),
        ("a lot", |file| file.repeat(100)),
    ];
    for (name, change) in cases {
        let fixture = tiny();
        fixture.tamper(fixture.people.developer.chain(), |raws| {
            let text = String::from_utf8(raws[1].signature().clone()).unwrap();
            *raws[1].signature() = change(&text).into_bytes();
            assert_ne!(*raws[1].signature(), text.as_bytes(), "{name}");
        });
        let code = if *name == "a lot" { "E-LIMIT" } else { "E-FORMAT" };
        assert_eq!(fixture.ask(), fail(&[code]), "{name}");
    }
}

#[test]
fn the_trusted_comment_is_that_of_this_record() {
    let fixture = tiny();
    let chain = fixture.people.developer.chain();
    fixture.tamper(chain, |raws| {
        let text = String::from_utf8(raws[1].signature().clone()).unwrap();
        *raws[1].signature() = text.replacen("seq=1", "seq=2", 1).into_bytes();
    });
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));

    // Signed by the right key, over the right bytes, with the comment of another record.
    let fixture = tiny();
    let developer = &fixture.people.developer;
    fixture.tamper(chain, |raws| {
        let comment = raws[0].comment();
        let signed = developer.sign(raws[1].record(), &comment);
        *raws[1].signature() = signed;
    });
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));

    // The right comment, its signature over another.
    let fixture = tiny();
    fixture.tamper(chain, |raws| {
        let other = developer.sign(raws[1].record(), "another");
        let other = String::from_utf8(other).unwrap();
        let mine = String::from_utf8(raws[1].signature().clone()).unwrap();
        let mine = mine.replace(mine.lines().nth(3).unwrap(), other.lines().nth(3).unwrap());
        *raws[1].signature() = mine.into_bytes();
    });
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
}

#[test]
fn a_weak_key_opens_no_chain() {
    use base64::Engine as _;
    let fixture = tiny();
    let developer = &fixture.people.developer;
    let weak = [b"Ed", &[3; 8][..], &[1], &[0; 31][..]].concat();
    let weak = base64::engine::general_purpose::STANDARD.encode(weak);
    let good_key = developer.public().to_string();
    fixture.tamper(developer.chain(), |raws| {
        raws.truncate(1);
        raws[0].replace(&good_key, &weak);
        raws[0].sign(developer);
    });
    assert_eq!(fixture.ask(), fail(&["E-CANON"]));
}
