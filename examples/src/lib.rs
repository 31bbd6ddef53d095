//! Small complete programs: see `src/bin`, and the table in `README.md`.
