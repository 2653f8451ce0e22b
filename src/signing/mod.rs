//! Signing: this clone's key, minisign format.
