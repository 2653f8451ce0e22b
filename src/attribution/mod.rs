//! Attribution: whose each line of a commit is, from the known states of its files.
