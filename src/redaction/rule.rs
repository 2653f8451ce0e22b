//! A rule as data: what a kind of secret looks like, who says so, and examples that hold it to that.

/// What a kind of secret looks like.
pub(super) struct Rule {
    /// Its name in markers and counts.
    pub id: &'static str,
    /// One of these, in any case, is in every such secret or right before it.
    pub keywords: &'static [&'static str],
    /// What matches, from the keyword on; case counts. The first group that matches is the secret where only a part of it is.
    pub pattern: &'static str,
    /// How many bytes before the keyword the match may begin; 0 where it begins with it.
    pub back: usize,
    /// What else must be true of the secret.
    pub check: Check,
    /// Whether its form alone tells, or the words around it.
    pub by_form: bool,
    /// Who says that it looks so. Read by people; the tests demand it.
    #[cfg_attr(not(test), allow(dead_code, reason = "read by people"))]
    pub source: &'static str,
    /// Templates of texts that hold such a secret and are redacted: see `tests::expand`. No text in this repository is one,
    /// so that it does not set off other scanners.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the tests"))]
    pub yes: &'static [&'static str],
    /// Templates of texts that are left alone.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the tests"))]
    pub no: &'static [&'static str],
}

/// What else must be true of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// It is not an obvious example.
    Real,
    /// Letters and digits are mixed as in what machines make.
    Random,
    /// It can be a password.
    Password,
    /// It can be a password, and nobody would write it for a word.
    Chosen,
    /// The same, in a sentence: it is no name with a version either.
    Said,
    /// It can be a password, of words alone too: nothing else can stand there.
    Given,
    /// It is base64 of `user:password`.
    Basic,
}

impl Rule {
    /// A rule for secrets that begin with a keyword and are told by their form.
    pub const fn form(id: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
        let (source, yes, no): (_, &[&str], &[&str]) = ("", &[], &[]);
        Rule { id, keywords, pattern, back: 0, check: Check::Real, by_form: true, source, yes, no }
    }

    /// A rule for secrets that are told by what stands before them.
    pub const fn context(
        id: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
        check: Check,
    ) -> Rule {
        let rule = Rule::form(id, keywords, pattern);
        Rule { check, by_form: false, ..rule }
    }

    pub const fn back(self, back: usize) -> Rule {
        Rule { back, ..self }
    }

    pub const fn check(self, check: Check) -> Rule {
        Rule { check, ..self }
    }

    pub const fn from(self, source: &'static str) -> Rule {
        Rule { source, ..self }
    }

    pub const fn yes(self, yes: &'static [&'static str]) -> Rule {
        Rule { yes, ..self }
    }

    pub const fn no(self, no: &'static [&'static str]) -> Rule {
        Rule { no, ..self }
    }
}
