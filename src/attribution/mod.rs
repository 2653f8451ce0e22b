//! Attribution: whose each line of a commit is, from the known states of its files.
//!
//! Bottom up: [`lines`] splits bytes as git does, [`labels`] are the origins of a file's lines, [`carry`] takes them
//! from one state of the file to the next, [`timeline`] does so along all known states, [`commit`] reads off the lines
//! a commit adds, [`trace`] writes them down as `agent-trace.json`, [`interchange`] speaks of them in others' forms.
//!
//! What other evidence than a timeline there may be (the same lines in another commit) enters as labels too: it is
//! carried by the same functions.

pub mod ancestry;
pub mod interchange;
pub mod commit;
pub mod trace;
pub mod content;
pub mod timeline;
pub mod carry;
mod recall;
pub mod doubt;
pub mod likeness;
mod reformat;
pub mod labels;
pub mod lines;
pub mod unified;

#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod schema;
