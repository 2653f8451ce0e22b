//! Records: their canonical form, their bodies, their signatures and the git objects they make.

pub mod body;
