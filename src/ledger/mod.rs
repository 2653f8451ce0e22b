//! Ledger: chains of records in a repository's refs: appended, fetched, pushed, read, verified.
