//! Both ends of a connection that carries channels: two trunks of the engine, or one and octets by
//! hand. What must hold whatever happens, who may send how much, and what a peer does on purpose.

mod ends;
mod fairness;
mod hand;
mod hostile;
mod ledger;
mod memory;
mod pair;
mod schedules;
#[path = "../../src/testing.rs"]
mod testing;
mod wire;
mod world;
