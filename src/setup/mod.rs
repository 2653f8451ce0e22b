//! Setup: puts hooks into git and agents, takes them out again, tells what is missing.
