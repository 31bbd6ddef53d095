//! Browsers as clients: programs that open the fuzzing server's [page](crate::native::page).

pub mod chromium;
