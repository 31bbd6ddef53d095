//! A headless Chromium and its DevTools protocol, spoken over our own client.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;

use cloverleaf::{Client, Message, Transport, WebSocket};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Debian's name for the program, and others.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The longest message either way: scripts and what they return.
const MOST: usize = 64 << 20;

/// A browser with one open page.
pub(crate) struct Browser {
    socket: WebSocket<Transport>,
    session: Option<String>,
    next_id: u64,
    events: VecDeque<Value>,
    // Both are there to be dropped: the process is killed, and then its profile is removed.
    _process: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium. `None`, having said so, if there is none.
    pub(crate) async fn start() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&path)
            .flat_map(|folder| NAMES.map(|name| folder.join(name)))
            .find(|program| program.is_file());
        let Some(program) = program else {
            eprintln!("skipped: there is no Chromium on the path");
            return None;
        };
        let profile = tempfile::tempdir().expect("temporary folder");
        let mut process = Command::new(program)
            .args([
                "--headless",
                "--remote-debugging-port=0",
                "--disable-gpu",
                "--disable-quic",
                "--disable-sync",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                // Without it Chromium does not run as root, which CI machines often are.
                "--no-sandbox",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Chromium starts");
        let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        let url = loop {
            let line = lines.next_line().await.expect("readable");
            let line = line.expect("Chromium says where it listens before it ends");
            if let Some(url) = line.strip_prefix("DevTools listening on ") {
                break url.trim().to_owned();
            }
        };
        // What it prints later goes nowhere, but it must be able to print it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });

        let mut config = cloverleaf::config();
        config.limits.max_message_size = MOST;
        config.limits.max_frame_size = MOST;
        // Chromium's DevTools do not understand fragments.
        config.limits.out_fragment = MOST;
        let socket = Client::new(config).connect(&url).await.expect("a socket");
        let mut browser = Self {
            socket,
            session: None,
            next_id: 0,
            events: VecDeque::new(),
            _process: process,
            _profile: profile,
        };
        let target = browser
            .call("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attached).await;
        browser.session = attached["sessionId"].as_str().map(ToOwned::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        Some(browser)
    }

    /// Calls a method, and waits for its answer; events are kept for later.
    pub(crate) async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut request = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        self.socket
            .send(request.to_string())
            .await
            .expect("Chromium listens");
        loop {
            let mut message = self.message().await;
            if message["id"] == json!(id) {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push_back(message);
        }
    }

    async fn message(&mut self) -> Value {
        let message = self.socket.recv().await.expect("no error");
        match message.expect("Chromium goes on") {
            Message::Text(text) => serde_json::from_str(text.as_str()).expect("JSON"),
            other => panic!("not text: {other:?}"),
        }
    }

    /// The next event of this name.
    async fn event(&mut self, method: &str) -> Value {
        if let Some(at) = self
            .events
            .iter()
            .position(|event| event["method"] == method)
        {
            return self.events.remove(at).expect("it is there");
        }
        loop {
            let message = self.message().await;
            if message["method"] == method {
                return message;
            }
            self.events.push_back(message);
        }
    }

    /// All events of this name so far.
    pub(crate) fn events(&self, method: &str) -> Vec<&Value> {
        self.events
            .iter()
            .filter(|event| event["method"] == method)
            .collect()
    }

    /// Opens a file at a place in it, and waits until it is there. Earlier events are forgotten.
    pub(crate) async fn open(&mut self, file: &Path, fragment: &str) {
        // Away first: another place in the same page would not load it anew.
        self.call("Page.navigate", json!({ "url": "about:blank" }))
            .await;
        self.event("Page.loadEventFired").await;
        self.events.clear();
        let url = format!("file://{}{fragment}", file.display());
        self.call("Page.navigate", json!({ "url": url })).await;
        self.event("Page.loadEventFired").await;
    }

    /// The value of an expression, promises awaited.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut result = self.call("Runtime.evaluate", parameters).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// How the page is looked at: width in pixels, dark or light.
    pub(crate) async fn look(&mut self, width: u32, dark: bool) {
        let size = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    /// Switches the page's scripts on or off, from the next page on.
    pub(crate) async fn scripts(&mut self, on: bool) {
        let value = json!({ "value": !on });
        self.call("Emulation.setScriptExecutionDisabled", value)
            .await;
    }
}
