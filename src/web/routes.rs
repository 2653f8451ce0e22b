//! Every path there is, as `/openapi.json` and the help tell it: what it answers, and what may be asked of it.

/// A path, and what it answers.
pub struct Route {
    /// As the router has it.
    pub path: &'static str,
    pub about: &'static str,
    /// The names of what its query may have.
    pub query: &'static [&'static str],
    pub answers: Answers,
}

/// In which form a path answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// A page; what of it is data, [`TABLES`] says.
    Page,
    /// Something of this media type.
    Other(&'static str),
    /// It is told something (`POST`), and answers nothing.
    Told,
}

use Answers::{Other, Page, Told};

const LIST: &[&str] = &["repository", "member", "agent", "model", "since", "until", "asof", "after"];
const COMMITS: &[&str] = &["repository", "author", "since", "until", "asof", "after"];
const CHARTS: &[&str] = &["repository", "member", "author", "agent", "model", "since", "until", "asof"];
const CODE: &[&str] = &["rev", "from", "form"];
const AUDIT: &[&str] = &["action", "actor", "resource", "since", "until", "after"];
const HABITS: &[&str] = &["repository", "since", "until", "after"];
const THEN: &[&str] = &["repository", "asof"];

const fn page(path: &'static str, about: &'static str, query: &'static [&'static str]) -> Route {
    Route { path, about, query, answers: Page }
}

pub const ROUTES: &[Route] = &[
    page("/", "Whether every ledger holds, the repositories, the latest sessions and commits", &[]),
    page("/overview", "The same", &[]),
    page("/sessions", "Sessions, the latest first", LIST),
    page("/r/{repository}/sessions/{session}", "A session, turn by turn", &["from"]),
    page(
        "/r/{repository}/sessions/{session}/story",
        "How what a session did came to be, each sentence with its sources",
        &[],
    ),
    page(
        "/r/{repository}/story/{*path}",
        "How a line of a file came to be, each sentence with its sources",
        &["rev", "line"],
    ),
    page("/commits", "Commits and the state of their records, the latest first", COMMITS),
    page("/r/{repository}/commits/{sha}", "A commit, file by file", &[]),
    page("/r/{repository}/code", "The code: the uppermost folder", CODE),
    page("/r/{repository}/code/", "The same", CODE),
    page("/r/{repository}/code/{*path}", "A folder, or a file with whose each of its lines is", CODE),
    page("/analytics", "The questions that there are charts for", &[]),
    page("/analytics/{question}", "A chart, and the same numbers as a table", CHARTS),
    page("/suggestions", "What teams use and where it pays: what to try, to mend, and where caches are lost", HABITS),
    page("/suggestions/{part}", "The numbers behind: skills and MCP servers, teams, members", HABITS),
    page("/integrity", "What verifying found, and every chain", &["repository"]),
    page("/alerts", "What somebody should look at, and since when it is known", &["repository", "after"]),
    Route {
        path: "/alerts.atom",
        about: "The same as a feed (RFC 4287)",
        query: &["repository"],
        answers: Other("application/atom+xml"),
    },
    page("/members", "Members, their roles and keys, past and present", &["repository", "asof", "after"]),
    page("/policies", "The rules in force, every change of them, and what they said lately", THEN),
    page(
        "/compliance",
        "What frameworks ask for, what there is of it, and what no ledger can tell",
        &["repository", "framework", "asof"],
    ),
    page("/retention", "How long payloads are kept, holds, and what was pruned", &["repository", "asof", "after"]),
    page("/retention/{part}", "All holds, and all that was pruned", &["repository", "asof", "after"]),
    page("/exceptions", "Decisions about findings", &["repository", "asof", "after"]),
    page("/exceptions/{part}", "Approvals, corrections, and what the rules said", &["repository", "asof", "after"]),
    page("/r/{repository}/chains/{chain}", "A chain's records", &["after"]),
    page("/records/{record}", "A record as it is signed, its seal, and how to check both", &[]),
    Route {
        path: "/records/{record}/proof",
        about: "The proof that a witness has sealed it (c2sp.org/tlog-proof)",
        query: &[],
        answers: Other("text/plain"),
    },
    page("/keys", "Every key there is and was", &["repository", "asof", "after"]),
    Route {
        path: "/keys/{file}",
        about: "CHAIN.pub: a key that signs or signed, as minisign reads it",
        query: &[],
        answers: Other("text/plain"),
    },
    page(
        "/search",
        "Commits, sessions, records, members and what was said",
        &["q", "repository", "member", "agent", "since", "until"],
    ),
    page("/audit", "What was done with this server", AUDIT),
    Route { path: "/audit/log", about: "The audit log itself", query: &[], answers: Other("text/plain") },
    Route {
        path: "/audit/key.pub",
        about: "The key that signs the audit log, as minisign reads it",
        query: &[],
        answers: Other("text/plain"),
    },
    page("/help", "Keys, words and filters", &[]),
    Route { path: "/healthz", about: "Whether the index answers", query: &[], answers: Other("text/plain") },
    Route { path: "/metrics", about: "Figures for monitors (Prometheus)", query: &[], answers: Other("text/plain") },
    Route { path: "/openapi.json", about: "This description", query: &[], answers: Other("application/json") },
    Route {
        path: "/hooks/update",
        about: "Forges tell here that a repository has something new, with a signature of the secret they share",
        query: &["repository"],
        answers: Told,
    },
];

/// The tables of pages, which are there as CSV and JSON, too: the first by its path, others with the name of their heading behind a
/// `#`; their columns, those of numbers with a `#` behind.
pub const TABLES: &[(&str, &str)] = &[
    ("/overview", "repository verdict branch records# verified fully_verified doing trouble ledger"),
    ("/sessions", SESSIONS),
    (
        "/r/{repository}/sessions/{session}",
        "model requests# input# output# cache_read# cache_write# cost_usd# cache_saved_usd#",
    ),
    ("/r/{repository}/sessions/{session}#tools", "kind name calls# failed#"),
    ("/r/{repository}/sessions/{session}#files", "path edits# added# removed#"),
    ("/r/{repository}/sessions/{session}#commits", "recorded commit subject added# agent#"),
    ("/commits", "time commit subject author repository state added# agent_share#"),
    ("/r/{repository}/commits/{sha}", "path added# agent# human# unattributed# agent_share#"),
    ("/r/{repository}/commits/{sha}#sessions", SESSIONS),
    ("/analytics/tokens", USAGE),
    ("/analytics/models", USAGE),
    ("/analytics/cost", USAGE),
    ("/analytics/caches", USAGE),
    ("/analytics/agents-share", LINES),
    ("/analytics/authors", LINES),
    ("/analytics/tools", "kind name calls# failed# failed_share#"),
    ("/analytics/time", "member segments# prompts# active_seconds#"),
    ("/suggestions", "repository what about why"),
    ("/suggestions/uses", "repository kind name sessions# without# calls# failed_share# cost_usd# without_usd#"),
    ("/suggestions/teams", TEAMS),
    ("/suggestions/members", TEAMS),
    ("/integrity", "severity code message repository chain seq# decided"),
    ("/integrity#chains", "chain member device kind repository records# sealed# first last"),
    ("/alerts", "since severity code message repository chain seq# gone"),
    ("/members", "member name roles repository key public_key from_seq# state"),
    ("/members#together", "repository owners# witnesses#"),
    ("/keys", "key member repository since by until file"),
    ("/policies", "time repository signers n# record"),
    ("/compliance", "framework control asks repository evidence records# state left"),
    ("/retention", "month class member chain repository pieces# bytes# state expires"),
    ("/retention/holds", "case repository since by why shelves# released released_by record"),
    ("/retention/pruned", "time repository by shelves# months pieces# record"),
    ("/exceptions", "time decision code chain seq# right by repository until covers record"),
    ("/exceptions/approvals", "time commit member repository state record"),
    ("/exceptions/corrections", "time corrects reason right member repository state record"),
    ("/exceptions/checks", "time verdict last commits# broken member repository policy# record"),
    ("/audit", "time action actor proof resource repository detail peer seq#"),
    ("/r/{repository}/chains/{chain}", "seq# record type time state about"),
];

const SESSIONS: &str = "ended title session member repository agent turns# tokens# cost_usd# added#";
const USAGE: &str =
    "of requests# input# output# cache_read# cache_write# tokens# cost_usd# unknown_requests# cache_saved_usd#";
const TEAMS: &str = "of sessions# calls# failed_share# cost_usd# sent# cached_share# cache_saved_usd#";
const LINES: &str = "of commits# added# agent# human# unattributed# agent_share#";

/// What a path or a query may name.
pub const PARAMETERS: &[(&str, &str)] = &[
    ("repository", "A repository's name"),
    ("member", "A member, by its id: its e-mail address, or a machine's name"),
    ("author", "The e-mail address of commits' author"),
    ("agent", "What runs models: claude-code"),
    ("model", "A model's name"),
    ("since", "The first day, 2026-01-31"),
    ("until", "The last day, which is within"),
    (
        "asof",
        "As things were known then: at the end of a day (2026-01-31), at a time (2026-01-31T14:05:09Z), or by a record (its id)",
    ),
    ("action", "start, settings, sign-in, sign-out, refused, read, export, verify or mend"),
    ("actor", "The member who did it"),
    ("resource", "The path that it was done to, or its beginning"),
    ("after", "Where the rows begin: what the link to the next rows, or next in their JSON, names"),
    ("framework", "sox, pci-dss, sr-11-7 or custom"),
    ("q", "The beginning of a name, or words"),
    ("from", "The turn to begin with, counted from 0; of a file the line, counted from 1"),
    ("line", "A line of the file, counted from 1"),
    ("rev", "A branch, or a commit that a branch has"),
    ("form", "csv or json: the table as data"),
    ("table", "Another table of the page, by the name of its heading"),
    ("path", "A path in the repository"),
    ("session", "A session's id"),
    ("sha", "A commit's id, or its first 4 characters or more"),
    ("record", "A record's id, or its first 4 characters or more"),
    ("chain", "A chain's name: policy, or 32 hex digits"),
    ("question", "tokens, models, cost, caches, agents-share, authors, tools or time"),
    ("part", "holds or pruned; approvals, corrections or checks; uses, teams or members"),
    ("file", "A chain's name with .pub behind"),
];

/// The names in a path that stand for something.
pub fn names(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    parts.map(|(name, _)| name.trim_start_matches('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the router is told, as its source says.
    const ROUTER: &str = include_str!("pages/mod.rs");

    #[test]
    fn every_path_is_described_and_no_other() {
        let code: String = ROUTER.split_whitespace().collect();
        let named =
            |word: &str| -> Vec<&str> { code.split(word).skip(1).filter_map(|rest| rest.split('"').next()).collect() };
        let mut routed = [named("route(\""), named("transcript(\""), named("file(\"")].concat();
        let mut described: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
        routed.sort_unstable();
        described.sort_unstable();
        assert_eq!(routed, described);
    }

    #[test]
    fn all_that_may_be_asked_is_explained_and_every_table_has_its_page() {
        let known = |name: &str| PARAMETERS.iter().any(|(known, _)| *known == name);
        for route in ROUTES {
            for name in route.query.iter().copied().chain(names(route.path)) {
                assert!(known(name), "{name} of {}", route.path);
            }
        }
        let pattern = |path: &str| path.replace("{question}", "").replace("{part}", "");
        for (table, _) in TABLES {
            let table = table.split('#').next().unwrap_or_default();
            let fits = |route: &Route| {
                let open = pattern(route.path);
                route.path == table || (open != route.path && table.starts_with(&open))
            };
            assert!(ROUTES.iter().any(fits), "{table}");
        }
    }
}
