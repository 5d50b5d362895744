//! The `shakedown` program.

fn main() {}
