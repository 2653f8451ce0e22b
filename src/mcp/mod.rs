//! MCP: the ledger as tools and resources for agents, over standard input and output ([docs/mcp.md](../../docs/mcp.md)).
//!
//! Everything is read, as the user who starts it may read it. What was said in sessions goes out redacted again, bounded, and as
//! data in quotes: an agent that asks why must not take orders from an old transcript.

mod budget;
mod conversation;
mod desk;
mod journal;
mod outgoing;
mod policy_check;
mod refusal;
mod resources;
mod search;
mod server;
mod similar_error;
mod story;
mod tools;
mod verify;
mod why;

pub use server::serve;
