//! Extensions with one thing wrong each, by the law that catches it.

mod budget;
mod claims;
mod composition;
mod garbage;
mod identity;
mod isolation;
mod offers;
mod opcodes;
mod parameters;
mod unchanged;
