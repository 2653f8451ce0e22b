//! The machine: clock, environment, terminal, files.
