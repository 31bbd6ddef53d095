//! Many channels over one connection, with a carrier that is as simple as can be.

mod channels;
mod ends;
mod opening;
mod schedules;
mod toy;
mod turns;
