//! Interchange: whose lines are whose in the forms of other tools, written for them and read from them.
//!
//! What is written comes from records. What is read is a [`claim`]: another program's word, never evidence of ours.

pub mod claim;
pub mod git_ai;

/// What is wrong with JSON, without the place: that is told in lines of the whole file.
fn fault(error: &serde_json::Error) -> String {
    let told = error.to_string();
    told.rsplit_once(" at line ").map_or(told.clone(), |(fault, _)| fault.to_owned())
}
