//! Access: who may read what. A route says which right it needs, a role which rights it has; all else follows from the two.

mod admit;
mod browsers;
mod oidc;
mod origin;
mod peer;
mod rates;
mod reader;
mod sign_in;

use serde::{Deserialize, Serialize};

use crate::index::{Membership, Reach};

pub use admit::{Door, Gate, Hidden, Visitor, admit, known};
pub use browsers::Browsers;
pub use oidc::Provider;
pub use origin::Origins;
pub use peer::Peers;
pub use rates::Rates;
pub use reader::Reader;
pub use sign_in::routes as sign_in_routes;

/// What a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Nothing of any ledger: signing in, help, whether the server is well.
    Open,
    /// Sessions, commits and their records, and the numbers made from them.
    Traces,
    /// Files and whose their lines are.
    Code,
    /// Rules, and what was decided by them.
    Policies,
    /// Chains, seals and findings.
    Integrity,
    /// Controls, retention, holds.
    Compliance,
    /// Members, their roles and keys.
    Members,
    /// What was done with this server.
    AuditLog,
}

/// How far a role's right goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Nothing,
    Own,
    Whole,
}

/// The rights of a role, by its name. Default is deny: machines' roles read nothing here.
fn extent(role: &str, right: Right) -> Extent {
    use Right::{AuditLog, Code, Compliance, Integrity, Members, Open, Policies, Traces};
    match (role, right) {
        ("owner" | "admin" | "auditor", _) => Extent::Whole,
        ("policy-admin", Open | Traces | Code | Policies | Integrity | Compliance | AuditLog) => Extent::Whole,
        ("policy-admin", Members) => Extent::Nothing,
        ("developer", Traces) => Extent::Own,
        ("developer", Open | Code) => Extent::Whole,
        _ => Extent::Nothing,
    }
}

/// Whom a browser was signed in as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The public keys that signed for it, each with when it did, in seconds since 1970.
    pub keys: Vec<(String, i64)>,
    /// The address that an identity provider vouches for, and since when.
    pub email: Option<(String, i64)>,
}

/// How long one stays signed in, in seconds.
pub const STAYS: i64 = 12 * 3600;

impl SignedIn {
    /// What of it was proven less than [`STAYS`] ago.
    pub fn at(mut self, now: i64) -> Self {
        let holds = |since: i64| (0..STAYS).contains(&(now - since));
        self.keys.retain(|(_, since)| holds(*since));
        self.email = self.email.filter(|(_, since)| holds(*since));
        self
    }

    /// The same, and what is proven now; what was proven before keeps its time.
    pub fn and(mut self, more: SignedIn) -> Self {
        self.keys.retain(|(key, _)| !more.keys.iter().any(|(new, _)| new == key));
        self.keys.extend(more.keys);
        self.email = more.email.or(self.email);
        self
    }
}

/// Somebody who asks for a page.
#[derive(Debug, Clone, Default)]
pub struct Viewer {
    /// Everybody may read everything here.
    pub public: bool,
    pub signed_in: Option<SignedIn>,
    /// The members they proved to be, as the ledgers have it now.
    pub memberships: Vec<Membership>,
}

impl Viewer {
    /// How far a right goes in all the repositories.
    pub fn reach(&self, right: Right) -> Reach {
        if right == Right::Open || (self.public && right != Right::AuditLog) {
            return Reach::All;
        }
        let (mut whole, mut own) = (Vec::new(), Vec::new());
        for membership in &self.memberships {
            let extents: Vec<Extent> = membership.roles.split(", ").map(|role| extent(role, right)).collect();
            if extents.contains(&Extent::Whole) {
                whole.push(membership.repository);
            } else if extents.contains(&Extent::Own) {
                own.push((membership.repository, membership.member.clone()));
            }
        }
        Reach::Some { whole, own }
    }

    /// Whether the right goes anywhere.
    pub fn may(&self, right: Right) -> bool {
        self.reach(right) != Reach::default()
    }

    /// Who they are, by all names that ledgers have for them.
    pub fn actor(&self) -> Option<String> {
        self.actor_in(None)
    }

    /// Whom the audit log names where it tells of a repository: the member of that one, if they are any. What another ledger calls
    /// them is that ledger's word.
    pub fn actor_in(&self, repository: Option<&str>) -> Option<String> {
        let names = told(self.known_in(repository), |membership| &membership.member);
        match (names.is_empty(), self.public, &self.signed_in) {
            (false, ..) => Some(names),
            (true, _, Some(SignedIn { email: Some((email, _)), .. })) => Some(email.clone()),
            (true, true, _) => Some("anyone".to_owned()),
            _ => None,
        }
    }

    /// Whoever is signed in, as nobody else is: whom no ledger knows, by what they signed in with.
    pub fn person(&self) -> Option<String> {
        let signed_in = self.signed_in.as_ref()?;
        if !self.memberships.is_empty() {
            return self.actor();
        }
        let email = signed_in.email.as_ref().map(|(email, _)| email);
        email.or_else(|| signed_in.keys.first().map(|(key, _)| key)).cloned()
    }

    /// What they proved to be that.
    pub fn proof_in(&self, repository: Option<&str>) -> Option<String> {
        Some(told(self.known_in(repository), |membership| &membership.proof)).filter(|proofs| !proofs.is_empty())
    }

    /// What they are in a repository; what they are anywhere, where they are nothing there.
    fn known_in(&self, repository: Option<&str>) -> Vec<&Membership> {
        let there: Vec<&Membership> =
            self.memberships.iter().filter(|membership| Some(membership.name.as_str()) == repository).collect();
        if there.is_empty() { self.memberships.iter().collect() } else { there }
    }
}

/// Something of memberships, each once, with a comma between.
fn told(memberships: Vec<&Membership>, what: impl Fn(&Membership) -> &String) -> String {
    let all: std::collections::BTreeSet<&str> = memberships.iter().map(|one| what(one).as_str()).collect();
    all.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHTS: [Right; 8] = [
        Right::Open,
        Right::Traces,
        Right::Code,
        Right::Policies,
        Right::Integrity,
        Right::Compliance,
        Right::Members,
        Right::AuditLog,
    ];

    fn member(roles: &str) -> Viewer {
        Viewer { memberships: vec![membership(1, "shop", "ada", roles)], ..Viewer::default() }
    }

    fn membership(repository: i64, name: &str, member: &str, roles: &str) -> Membership {
        let (name, member, roles) = (name.to_owned(), member.to_owned(), roles.to_owned());
        Membership { proof: format!("key {repository}"), repository, name, member, roles }
    }

    fn has(viewer: &Viewer) -> String {
        let letter = |right: &Right| match viewer.reach(*right) {
            Reach::All => 'a',
            Reach::Some { whole, .. } if !whole.is_empty() => 'w',
            Reach::Some { own, .. } if !own.is_empty() => 'o',
            Reach::Some { .. } => '-',
        };
        RIGHTS.iter().map(letter).collect()
    }

    #[test]
    fn the_rights_of_every_role() {
        // open traces code policies integrity compliance members audit-log
        for (roles, rights) in [
            ("owner", "awwwwwww"),
            ("admin", "awwwwwww"),
            ("auditor", "awwwwwww"),
            ("policy-admin", "awwwww-w"),
            ("developer", "aow-----"),
            ("ci", "a-------"),
            ("witness", "a-------"),
            ("somebody", "a-------"),
            ("", "a-------"),
            ("developer, auditor", "awwwwwww"),
            ("developer, ci", "aow-----"),
        ] {
            assert_eq!(has(&member(roles)), rights, "{roles}");
        }
        assert_eq!(has(&Viewer::default()), "a-------");
        assert_eq!(has(&Viewer { public: true, ..Viewer::default() }), "aaaaaaa-", "the audit log is nobody's");
        assert_eq!(has(&Viewer { public: true, ..member("auditor") }), "aaaaaaaw");
    }

    #[test]
    fn what_was_proven_ends_by_itself_and_is_not_renewed_by_other_proofs() {
        let key = |name: &str, since| SignedIn { keys: vec![(name.to_owned(), since)], email: None };
        let both = key("a", 100).and(key("b", 200)).and(key("b", 300));
        assert_eq!(both.keys, [("a".to_owned(), 100), ("b".to_owned(), 300)]);
        assert_eq!(both.clone().at(100 + STAYS).keys, [("b".to_owned(), 300)]);
        assert_eq!(both.clone().at(99).keys, [], "nothing is proven in the future");
        let email = SignedIn { email: Some(("ada@example.com".to_owned(), 100)), ..SignedIn::default() };
        assert_eq!(both.and(email).at(100 + STAYS).email, None);
    }

    #[test]
    fn everybody_who_is_signed_in_is_one_person() {
        let key = |name: &str| SignedIn { keys: vec![(name.to_owned(), 1)], email: None };
        let email = SignedIn { email: Some(("eve@example.com".to_owned(), 1)), ..SignedIn::default() };
        let person = |signed_in: Option<SignedIn>, memberships: Vec<Membership>| {
            Viewer { public: true, signed_in, memberships }.person()
        };
        assert_eq!(person(Some(key("a")), Vec::new()).as_deref(), Some("a"), "whom no ledger knows");
        assert_ne!(person(Some(key("a")), Vec::new()), person(Some(key("b")), Vec::new()));
        assert_eq!(person(Some(email), Vec::new()).as_deref(), Some("eve@example.com"));
        assert_eq!(person(Some(key("a")), member("auditor").memberships).as_deref(), Some("ada"));
        assert_eq!(person(None, Vec::new()), None);
    }

    #[test]
    fn rights_of_one_repository_are_none_in_another() {
        let mut viewer = member("developer");
        viewer.memberships.push(membership(2, "pay", "ada", "auditor"));
        assert_eq!(viewer.reach(Right::Traces), Reach::Some { whole: vec![2], own: vec![(1, "ada".to_owned())] });
        assert_eq!(viewer.reach(Right::Members), Reach::Some { whole: vec![2], own: Vec::new() });
        assert_eq!(viewer.actor().as_deref(), Some("ada"));
    }

    #[test]
    fn a_name_that_one_ledger_gives_is_none_in_another() {
        let mut eve = member("owner");
        eve.memberships[0].member = "bob".into();
        eve.memberships.push(membership(2, "pay", "eve", "developer"));
        let told = |repository| (eve.actor_in(repository).unwrap(), eve.proof_in(repository).unwrap());
        assert_eq!(told(Some("shop")), ("bob".into(), "key 1".into()));
        assert_eq!(told(Some("pay")), ("eve".into(), "key 2".into()));
        for elsewhere in [None, Some("bank")] {
            assert_eq!(told(elsewhere), ("bob, eve".into(), "key 1, key 2".into()));
        }
        assert_eq!(Viewer { public: true, ..Viewer::default() }.proof_in(None), None);
    }
}
