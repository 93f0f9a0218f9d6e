//! The `explore` command: arguments, tracing, one call, error to exit code.

fn main() {}
