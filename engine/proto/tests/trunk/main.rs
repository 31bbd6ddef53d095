//! Many channels over one connection, with a carrier that is as simple as can be.

mod channels;
mod dropped;
mod ends;
mod opening;
mod schedules;
mod subprotocol;
mod toy;
mod turns;
