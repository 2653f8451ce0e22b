//! The published schema of Agent Trace, for the tests of what is written.

pub const SCHEMA: &str = include_str!("../../tests/fixtures/agent-trace-0.1.0.schema.json");

/// Demands that a trace is valid by it.
pub fn assert_valid(trace: &str) {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let instance = serde_json::from_str(trace).unwrap();
    let errors: Vec<_> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {trace}");
}
