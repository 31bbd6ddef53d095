//! What keeps the laws passes, and what breaks one is caught by that one.

mod broken;
mod sound;
mod toy;
