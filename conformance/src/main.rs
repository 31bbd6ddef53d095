//! The `cloverleaf` command.
fn main() {}
