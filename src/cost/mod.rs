//! Cost: money from tokens and a dated price table; derived on reading, never stored.
