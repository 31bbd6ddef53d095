//! Runs WebSocket conformance suites against servers and clients
