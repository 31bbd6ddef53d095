//! Subjects with a fault: without one they pass every case, with one some case finds them out.

mod matrix;
mod run;
