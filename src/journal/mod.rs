//! Journal: a session's events and the file states around them, on this disk only.
