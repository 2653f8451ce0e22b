//! Agents: one file a kind of agent, turning its payloads and transcripts into our words.

pub mod claude_code;
