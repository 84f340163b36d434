//! What must hold of the repository as a whole.

#![expect(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod dependency_direction;
