//! Redaction: takes secrets out of text and JSON before anything is stored.
