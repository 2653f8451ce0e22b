//! Configuration: the committed file, git config, the user's file and the environment; later wins.
