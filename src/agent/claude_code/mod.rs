//! Claude Code: its hook settings.

pub mod settings;
mod spans;
