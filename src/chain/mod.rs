//! Chain: the rules that a writer's records in order must keep.
