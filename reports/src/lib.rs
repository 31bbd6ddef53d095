//! Conformance results: one model, Autobahn's JSON, one HTML page
