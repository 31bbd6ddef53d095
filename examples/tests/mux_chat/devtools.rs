//! Chromium without a window, remote-controlled: the DevTools protocol is JSON over a WebSocket.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use cloverleaf::{Client, Transport, WebSocket};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::chromium::{PATIENCE, Process};

/// Chromium with one page, killed at the end of the test.
pub(crate) struct Browser {
    // Killed with it.
    _process: Process,
    socket: WebSocket<Transport>,
    /// The page, in every message to and from it.
    session: Value,
    calls: u64,
    complaints: Vec<String>,
}

impl Browser {
    pub(crate) async fn start(program: &Path) -> Self {
        let window = ["--window-size=1440,1000"];
        let mut process = Process::start(program, &window, Stdio::piped());
        let output = process.child.stderr.take().expect("it is piped");
        let (found, url) = oneshot::channel();
        thread::spawn(move || {
            let mut found = Some(found);
            // To the end, or the pipe fills up.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let url = line.strip_prefix("DevTools listening on ");
                if let Some(url) = url
                    && let Some(found) = found.take()
                {
                    let _ = found.send(url.to_owned());
                }
            }
        });
        let url = tokio::time::timeout(PATIENCE, url).await;
        let url = url.expect("in time").expect("it says where it listens");
        let mut config = cloverleaf::config();
        // A picture of the page is one message.
        config.limits.max_message_size = 64 << 20;
        config.limits.max_frame_size = 64 << 20;
        let socket = Client::new(config).connect(&url).await;
        let mut browser = Self {
            _process: process,
            socket: socket.expect("it lets us in"),
            session: Value::Null,
            calls: 0,
            complaints: Vec::new(),
        };
        let target = json!({ "url": "about:blank" });
        let target = browser.call("Target.createTarget", target).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].clone();
        for domain in ["Page.enable", "Log.enable", "Runtime.enable"] {
            browser.call(domain, json!({})).await;
        }
        browser
    }

    /// Goes to a page, and waits until it and its modules have been loaded.
    pub(crate) async fn open(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        while self.next().await["method"] != "Page.loadEventFired" {}
    }

    /// Runs a script in the page: what it comes to, or what its promise does.
    pub(crate) async fn run(&mut self, script: &str) -> Value {
        let params = json!({
            "expression": script,
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What the browser has complained of so far, above all: of what the page's policy forbids. That
    /// there is no icon is not meant.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.clone()
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": params });
        if !self.session.is_null() {
            call["sessionId"] = self.session.clone();
        }
        self.socket
            .send(call.to_string())
            .await
            .expect("it is there");
        loop {
            let answer = self.next().await;
            if answer["id"] == self.calls {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    async fn next(&mut self) -> Value {
        let message = tokio::time::timeout(PATIENCE, self.socket.recv()).await;
        let message = message.expect("in time").expect("no error");
        let message = message.expect("it is there");
        let message: Value = serde_json::from_slice(message.payload()).expect("JSON");
        let entry = &message["params"]["entry"];
        if message["method"] == "Log.entryAdded"
            && !entry["url"]
                .as_str()
                .unwrap_or_default()
                .ends_with("/favicon.ico")
        {
            self.complaints.push(entry.to_string());
        }
        if message["method"] == "Runtime.exceptionThrown" {
            self.complaints.push(message["params"].to_string());
        }
        message
    }
}
