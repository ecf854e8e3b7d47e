//! Chromium, driven through chromedriver as a person drives it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::ChromeCapabilities;
use thirtyfour::TypingData;
use thirtyfour::prelude::*;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{TestServer, skip};

/// Browsers at once: each takes a processor for itself.
static TURNS: Semaphore = Semaphore::const_new(1);

/// How high the window is.
const HEIGHT: u32 = 900;

/// How long a page may take to show what is expected.
const PATIENCE: Duration = Duration::from_secs(10);

/// A browser of its own, which ends when it is dropped.
pub struct Browser {
    pub driver: WebDriver,
    base: String,
    process: Child,
    port: u16,
    _profile: TempDir,
    _turn: SemaphorePermit<'static>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session. The driver's own way to end one would wait for this very thread.
        let session = self.driver.session_id().to_string();
        let _ = self.driver.clone().leak();
        let _ = end_session(self.port, &session);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn end_session(port: u16, session: &str) -> std::io::Result<()> {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    stream.read(&mut [0; 1024]).map(drop)
}

fn installed(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

impl Browser {
    /// Starts a browser on a server's pages; `None`, said aloud, where there is none on this machine.
    pub async fn start(test: &str, server: &TestServer) -> Option<Browser> {
        Browser::start_with(test, server, true).await
    }

    /// The same with JavaScript off.
    pub async fn start_without_script(test: &str, server: &TestServer) -> Option<Browser> {
        Browser::start_with(test, server, false).await
    }

    async fn start_with(test: &str, server: &TestServer, script: bool) -> Option<Browser> {
        let Some(chromedriver) = installed(&["chromedriver"]) else {
            skip(test, "chromedriver (Debian: chromium-driver)");
            return None;
        };
        let Some(chromium) = installed(&["chromium", "google-chrome"]) else {
            skip(test, "chromium");
            return None;
        };
        let turn = TURNS.acquire().await.expect("the turns never end");
        let profile = TempDir::new().expect("a folder for the profile");
        let mut process = Command::new(chromedriver)
            .arg("--port=0")
            .env("HOME", profile.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let port = tokio::task::spawn_blocking(move || {
            let mut lines = output.lines().map_while(Result::ok);
            let port = lines.find_map(|line| {
                let (_, rest) = line.split_once("successfully on port ")?;
                rest.trim_end_matches('.').parse::<u16>().ok()
            });
            // Nobody may be blocked by a pipe that is full.
            std::thread::spawn(move || lines.for_each(drop));
            port
        });
        let port = port.await.expect("a thread").expect("chromedriver tells its port");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities(&chromium, &profile, script));
        let driver = driver.await.expect("Chromium starts");
        let base = format!("http://{}", server.address);
        let browser = Browser { driver, base, process, port, _profile: profile, _turn: turn };
        browser.look(1280, "light").await;
        Some(browser)
    }

    /// Sets width and colours.
    pub async fn look(&self, width: u32, colours: &str) {
        self.resize(width, HEIGHT).await;
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": colours },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// Sets the time zone of the reader.
    pub async fn zone(&self, zone: &str) {
        self.cdp("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    }

    async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    async fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(command, parameters).await.expect("the browser does so")
    }

    /// Opens a page of the server.
    pub async fn open(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.expect("the page opens");
    }

    /// The path and query of the present page.
    pub async fn path(&self) -> String {
        let url = self.driver.current_url().await.expect("an address");
        url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// The element that a selector finds, as soon as it is there.
    #[track_caller]
    pub fn find(&self, css: &str) -> impl Future<Output = WebElement> {
        let (css, caller) = (css.to_owned(), std::panic::Location::caller());
        async move {
            let query = self.driver.query(By::Css(&*css)).wait(PATIENCE, Duration::from_millis(50));
            query.first().await.unwrap_or_else(|error| panic!("{css} at {caller}: {error}"))
        }
    }

    /// Whether a selector finds anything now.
    pub async fn has(&self, css: &str) -> bool {
        !self.driver.find_all(By::Css(css)).await.expect("a selector").is_empty()
    }

    /// Clicks on what a selector finds.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        let _ = element.scroll_into_view().await;
        element.click().await.unwrap_or_else(|error| panic!("click {css}: {error}"));
    }

    /// Clicks on the visible button or link with this text.
    #[track_caller]
    pub fn press(&self, text: &str) -> impl Future<Output = ()> {
        let (text, caller) = (text.to_owned(), std::panic::Location::caller());
        async move {
            let path = format!(
                "//main//*[self::a or self::button][normalize-space(.)=\"{text}\"] | //dialog//*[self::a or self::button][normalize-space(.)=\"{text}\"]"
            );
            let query = self.driver.query(By::XPath(&*path)).and_displayed().wait(PATIENCE, Duration::from_millis(50));
            let element = query.first().await.unwrap_or_else(|error| panic!("“{text}” at {caller}: {error}"));
            let _ = element.scroll_into_view().await;
            element.click().await.unwrap_or_else(|error| panic!("press {text} at {caller}: {error}"));
        }
    }

    /// Types into a field in place of what it has.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.find(&format!("main [name=\"{name}\"]")).await;
        field.clear().await.expect("a field that can be cleared");
        field.send_keys(text).await.expect("a field to type into");
    }

    /// Presses keys wherever the focus is.
    pub async fn keys(&self, keys: impl Into<TypingData>) {
        // To an element, modifiers are held while the next key is pressed.
        let focused = self.driver.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("the keys are pressed");
    }

    /// The visible text of what a selector finds.
    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap_or_default()
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn see(&self, text: &str) -> impl Future<Output = ()> {
        self.wait_for(text, std::panic::Location::caller())
    }

    fn wait_for(&self, text: &str, caller: &'static std::panic::Location) -> impl Future<Output = ()> {
        let text = text.to_owned();
        async move {
            let give_up = tokio::time::Instant::now() + PATIENCE;
            loop {
                // Between two pages there may be none.
                let shown = match self.driver.find(By::Css("body")).await {
                    Ok(body) => body.text().await.unwrap_or_default(),
                    Err(_) => String::new(),
                };
                if shown.contains(&text) {
                    return;
                }
                assert!(tokio::time::Instant::now() < give_up, "“{text}” is not shown at {caller}:\n{shown}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Signs in.
    pub async fn sign_in(&self, username: &str, password: &str) {
        self.open("/admin/login/").await;
        self.fill("username", username).await;
        self.fill("password", password).await;
        self.click("main button.primary").await;
        self.see(username).await;
    }

    /// Runs a script in the page and returns its value.
    pub async fn run(&self, script: &str) -> Value {
        let result = self.driver.execute(script, vec![]).await.expect("the script runs");
        result.json().clone()
    }

    /// What axe-core finds wrong with the page: rules of WCAG 2.2 AA and its good practice.
    pub async fn axe(&self, source: &str) -> Vec<String> {
        // Past the page's own policy, which would not let a stranger's script run.
        let run = "JSON.stringify((await axe.run(document, { resultTypes: ['violations'] })).violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ' ' + (n.failureSummary || '').replace(/\\s+/g, ' '))))";
        let script = format!("{source}\n;(async () => {run})()");
        let parameters = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.cdp("Runtime.evaluate", parameters).await;
        let found = answer["result"]["value"].as_str().unwrap_or_else(|| panic!("axe ran: {answer}"));
        serde_json::from_str(found).expect("a list")
    }

    /// Whether the page is wider than the window.
    pub async fn scrolls_sideways(&self) -> bool {
        self.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth").await == true
    }

    /// Writes a picture of the whole page, in a window that is as high as the page.
    pub async fn screenshot(&self, file: &std::path::Path) {
        let size = "return [innerWidth, Math.max(innerHeight, document.documentElement.scrollHeight)]";
        let size = self.run(size).await;
        let (width, height) = (size[0].as_u64().unwrap_or(1280) as u32, size[1].as_u64().unwrap_or(900) as u32);
        self.resize(width, height).await;
        self.capture(file).await;
        self.resize(width, HEIGHT).await;
    }

    async fn capture(&self, file: &std::path::Path) {
        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.cdp("Page.captureScreenshot", parameters).await;
        let picture = answer["data"].as_str().expect("a picture");
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture).expect("base64");
        std::fs::write(file, bytes).expect("a file for the picture");
    }
}

fn capabilities(chromium: &std::path::Path, profile: &TempDir, script: bool) -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(&chromium.to_string_lossy()).expect("a browser");
    let profile = format!("--user-data-dir={}", profile.path().join("chromium").display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        &profile,
    ];
    for argument in arguments {
        capabilities.add_arg(argument).expect("an argument");
    }
    let downloads = json!({ "profile.managed_default_content_settings.javascript": if script { 1 } else { 2 } });
    capabilities.add_experimental_option("prefs", downloads).expect("preferences");
    capabilities
}
