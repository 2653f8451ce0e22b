//! The tables as records are written to them; `schema/tables.sql` says what each column is.

use crate::index::rows::Meets::{Agrees, Greatest, Key, Least, New, Stays, Sum};
use crate::index::rows::Table;

pub static RECORD: Table = Table {
    name: "record",
    columns: &[
        ("repository", Key),
        ("chain", Key),
        ("seq", Key),
        ("record", Stays),
        ("held", Stays),
        ("kind", Stays),
        ("time", Stays),
        ("good", Stays),
        ("about", Stays),
    ],
};

pub static CHAIN: Table = Table {
    name: "chain",
    columns: &[
        ("repository", Key),
        ("chain", Key),
        ("kind", Stays),
        ("member", New),
        ("device", Stays),
        ("pending", New),
        ("records", New),
        ("sealed", Stays),
        ("first", Stays),
        ("last", New),
    ],
};

pub static SESSION: Table = Table {
    name: "session",
    columns: &[
        ("repository", Key),
        ("session", Key),
        ("chain", Stays),
        ("member", Agrees),
        ("agent", New),
        ("version", New),
        ("title", Stays),
        ("started", Least),
        ("ended", Greatest),
        ("active_seconds", Sum),
        ("prompts", Sum),
        ("turns", Sum),
        ("plans", Sum),
        ("compactions", Sum),
        ("subagents", Sum),
        ("requests", Sum),
        ("tokens", Sum),
        ("output", Sum),
        ("cost", Sum),
        ("unknown", Sum),
        ("calls", Sum),
        ("failed", Sum),
        ("added", Sum),
        ("removed", Sum),
        ("redactions", Sum),
        ("gaps", Sum),
        ("segments", Sum),
        ("payloads", Sum),
        ("read", Stays),
        ("first", Least),
        ("last", Greatest),
    ],
};

pub static SEGMENT: Table = Table {
    name: "segment",
    columns: &[
        ("repository", Key),
        ("chain", Key),
        ("seq", Key),
        ("session", Stays),
        ("time", Stays),
        ("started", Stays),
        ("ended", Stays),
        ("active_seconds", Stays),
        ("prompts", Stays),
        ("turns", Stays),
        ("plans", Stays),
        ("compactions", Stays),
        ("subagents", Stays),
        ("requests", Stays),
        ("tokens", Stays),
        ("output", Stays),
        ("cost", Stays),
        ("unknown", Stays),
        ("calls", Stays),
        ("failed", Stays),
        ("added", Stays),
        ("removed", Stays),
        ("redactions", Stays),
        ("gaps", Stays),
        ("payloads", Stays),
    ],
};

pub static OUTLINE: Table =
    Table { name: "outline", columns: &[("repository", Key), ("chain", Key), ("seq", Key), ("text", New)] };

pub static USAGE: Table = Table {
    name: "usage",
    columns: &[
        ("repository", Key),
        ("session", Key),
        ("day", Key),
        ("model", Key),
        ("requests", Sum),
        ("input", Sum),
        ("output", Sum),
        ("cache_read", Sum),
        ("cache_write", Sum),
        ("cost", Sum),
        ("unknown", Sum),
        ("saved", Sum),
    ],
};

pub static DAILY_USAGE: Table = Table {
    name: "daily_usage",
    columns: &[
        ("repository", Key),
        ("day", Key),
        ("member", Key),
        ("agent", Key),
        ("model", Key),
        ("requests", Sum),
        ("input", Sum),
        ("output", Sum),
        ("cache_read", Sum),
        ("cache_write", Sum),
        ("cost", Sum),
        ("unknown", Sum),
        ("saved", Sum),
    ],
};

pub static DAILY_WORK: Table = Table {
    name: "daily_work",
    columns: &[
        ("repository", Key),
        ("day", Key),
        ("member", Key),
        ("agent", Key),
        ("segments", Sum),
        ("prompts", Sum),
        ("active_seconds", Sum),
    ],
};

pub static TOOL: Table = Table {
    name: "tool",
    columns: &[("repository", Key), ("session", Key), ("kind", Key), ("name", Key), ("calls", Sum), ("failed", Sum)],
};

pub static DAILY_TOOL: Table = Table {
    name: "daily_tool",
    columns: &[
        ("repository", Key),
        ("day", Key),
        ("member", Key),
        ("agent", Key),
        ("kind", Key),
        ("name", Key),
        ("calls", Sum),
        ("failed", Sum),
    ],
};

pub static SESSION_FILE: Table = Table {
    name: "session_file",
    columns: &[("repository", Key), ("session", Key), ("path", Key), ("edits", Sum), ("added", Sum), ("removed", Sum)],
};

pub static LINK: Table =
    Table { name: "link", columns: &[("repository", Key), ("sha", Key), ("old", Key), ("level", Greatest)] };

pub static COVERED: Table = Table {
    name: "covered",
    columns: &[
        ("repository", Key),
        ("witness", Key),
        ("leaf", Key),
        ("n", Stays),
        ("chain", Stays),
        ("seq", Stays),
        ("length", Stays),
    ],
};

pub static BLOCKS: Table =
    Table { name: "block", columns: &[("repository", Key), ("witness", Key), ("number", Key), ("root", Stays)] };

pub static CODE: Table = Table {
    name: "code",
    columns: &[
        ("repository", Key),
        ("sha", Key),
        ("author", Stays),
        ("email", Stays),
        ("time", Stays),
        ("subject", Stays),
    ],
};

pub static FINDING: Table = Table {
    name: "finding",
    columns: &[
        ("repository", Key),
        ("place", Key),
        ("severity", New),
        ("code", New),
        ("chain", New),
        ("seq", New),
        ("record", New),
        ("message", New),
        ("decided", New),
    ],
};

pub static MEMBER: Table = Table {
    name: "member",
    columns: &[
        ("repository", Key),
        ("member", Key),
        ("place", Key),
        ("name", New),
        ("roles", New),
        ("chain", New),
        ("public_key", New),
        ("from_seq", New),
        ("closed", New),
    ],
};

pub static DECISION: Table = Table {
    name: "decision",
    columns: &[("repository", Key), ("n", Key), ("time", New), ("signers", New), ("text", New)],
};

pub static SAID: Table = Table {
    name: "said",
    columns: &[
        ("repository", Key),
        ("chain", Key),
        ("seq", Key),
        ("record", Stays),
        ("kind", Stays),
        ("time", Stays),
        ("about", Stays),
        ("body", Stays),
    ],
};

pub static SEALED: Table = Table {
    name: "sealed",
    columns: &[
        ("repository", Key),
        ("witness", Key),
        ("n", Key),
        ("chain", Key),
        ("seq", Stays),
        ("record", Stays),
        ("time", Stays),
    ],
};

pub static COUNTED: Table =
    Table { name: "counted", columns: &[("repository", Key), ("chain", Key), ("kind", Key), ("records", Sum)] };

pub static HOURLY_COUNT: Table =
    Table { name: "hourly_count", columns: &[("repository", Key), ("hour", Key), ("kind", Key), ("records", Sum)] };

pub static SHELF: Table = Table {
    name: "shelf",
    columns: &[("repository", Key), ("chain", Key), ("class", Key), ("month", Key), ("pieces", Sum), ("bytes", Sum)],
};

pub static AUDIT_ENTRY: Table = Table {
    name: "audit_entry",
    columns: &[
        ("log", Key),
        ("seq", Key),
        ("time", Stays),
        ("action", Stays),
        ("actor", Stays),
        ("proof", Stays),
        ("peer", Stays),
        ("repository", Stays),
        ("resource", Stays),
        ("detail", Stays),
    ],
};
