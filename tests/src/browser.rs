//! A real browser, told what to do by its own debugging protocol over two pipes: pages opened, values asked for, pictures
//! taken. It is a headless Chromium; without one a test fails.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::environment::program;
use crate::process::Program;
use crate::scratch::Scratch;

/// A browser with one tab.
pub struct Browser {
    child: Child,
    commands: File,
    answers: BufReader<File>,
    session: Option<String>,
    number: u64,
    /// What the page's console and the browser complained of.
    complaints: Vec<String>,
    /// What the page asked the network for.
    requests: Vec<String>,
    _scratch: Scratch,
}

impl Browser {
    /// Starts it.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let scratch = Scratch::new();
        let (to, from) = (scratch.path("to"), scratch.path("from"));
        Program::new(program("mkfifo")).arg(&to).arg(&from).run().succeeds();
        // Descriptors 3 and 4 are those of the protocol; a shell opens them.
        let child = Command::new("sh")
            .arg("-c")
            .arg(
                "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --remote-debugging-pipe \
                  --user-data-dir=\"$3\" about:blank 3<\"$1\" 4>\"$2\" 2>\"$3/log\"",
            )
            .arg(program("chromium-headless-shell"))
            .args([&to, &from])
            .arg(scratch.make_folder("profile"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let commands = File::options()
            .write(true)
            .open(&to)
            .expect("the browser takes commands");
        let answers = BufReader::new(File::open(&from).expect("the browser answers"));
        let mut browser = Self {
            child,
            commands,
            answers,
            session: None,
            number: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            _scratch: scratch,
        };
        let tab = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = browser.ask(
            "Target.attachToTarget",
            json!({ "targetId": tab["targetId"], "flatten": true }),
        );
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.ask(domain, json!({}));
        }
        browser
    }

    /// Sends a command and waits for its answer.
    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands
            .write_all(format!("{message}\0").as_bytes())
            .expect("the browser takes commands");
        loop {
            let message = self.next();
            if message["id"] == self.number {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    /// The next message; events are taken note of.
    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.answers.read_until(0, &mut bytes).expect("the browser answers");
        assert_eq!(bytes.pop(), Some(0), "the browser went away");
        let message: Value = serde_json::from_slice(&bytes).expect("the protocol speaks JSON");
        match message["method"].as_str() {
            Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => {
                self.complaints.push(message["params"].to_string());
            }
            Some("Network.requestWillBeSent") => {
                let url = message["params"]["request"]["url"].as_str().unwrap_or_default();
                self.requests.push(url.to_owned());
            }
            _ => {}
        }
        message
    }

    /// Opens a file and waits until it is loaded.
    ///
    /// # Panics
    /// When the browser fails.
    pub fn open(&mut self, file: &Path) {
        self.ask("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        while self.next()["method"] != "Page.loadEventFired" {}
    }

    /// The value of an expression in the page.
    ///
    /// # Panics
    /// When it throws.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self.ask(
            "Runtime.evaluate",
            json!({ "expression": expression, "returnByValue": true }),
        );
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// A picture of the whole page, as base64 of a PNG.
    ///
    /// # Panics
    /// When the browser fails.
    pub fn screenshot(&mut self) -> String {
        let size = json!({ "width": 1280, "height": 1600, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", size);
        let answer = self.ask(
            "Page.captureScreenshot",
            json!({ "format": "png", "captureBeyondViewport": true }),
        );
        answer["data"].as_str().expect("a picture").to_owned()
    }

    /// What the console and the browser complained of so far.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The addresses that pages asked for.
    #[must_use]
    pub fn requests(&self) -> &[String] {
        &self.requests
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
