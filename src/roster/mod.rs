//! Roster: who may do what, folded from the policy chain.
