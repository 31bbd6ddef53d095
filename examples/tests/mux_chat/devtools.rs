//! Chromium without a window, remote-controlled: the DevTools protocol is JSON over a WebSocket.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use cloverleaf::{Client, Transport, WebSocket};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// What the program is called: Debian's name first, then those of other systems and of Google's own
/// packages.
const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// A browser that hangs fails the test.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first of them on the path.
pub(crate) fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    if program.is_none() {
        eprintln!("skipped: there is no Chromium on the path");
    }
    program
}

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

struct Process {
    child: Child,
    // Removed when the process is gone.
    _profile: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    pub(crate) async fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(program)
            .args([
                "--headless",
                "--disable-gpu",
                "--disable-quic",
                "--disable-sync",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--no-proxy-server",
                // Without it Chromium does not run as root, which CI machines often are.
                "--no-sandbox",
                "--remote-debugging-port=0",
                "--window-size=1440,1000",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Chromium starts");
        let output = child.stderr.take().expect("it is piped");
        let process = Process {
            child,
            _profile: profile,
        };
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
