//! WebSocket clients and servers on tokio, with TLS, keepalive and back-pressure
