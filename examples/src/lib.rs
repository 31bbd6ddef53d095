//! Small complete programs, each also a test
