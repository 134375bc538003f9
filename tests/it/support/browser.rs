//! A headless Chromium, controlled by `WebDriver`: JSON over HTTP, of which the tests need a
//! dozen commands.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// A browser with an empty profile, running until this is dropped.
pub(crate) struct Browser {
    http: reqwest::Client,
    /// The path of the session at the driver.
    session: String,
    driver: Driver,
}

impl Browser {
    /// Starts a browser, or prints why there is none. Panics instead if [`REQUIRED`] is set.
    pub(crate) async fn start() -> Option<Self> {
        let installed = CHROMIUM.iter().find_map(|name| program(name)).zip(program("chromedriver"));
        let Some((chromium, chromedriver)) = installed else {
            let reason = "no chromium with a chromedriver is installed";
            assert!(env::var(REQUIRED).as_deref() != Ok("required"), "{reason}");
            println!("skipped: {reason}; on Debian: apt-get install chromium chromium-driver");
            return None;
        };
        let driver = Driver::start(&chromedriver);
        let profile = format!("--user-data-dir={}", driver.profile.display());
        let arguments = [FLAGS, &[&*profile]].concat();
        let options = json!({"binary": chromium, "args": arguments});
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let http = crate::fake::http_builder().timeout(Duration::from_secs(60)).build().unwrap();
        let mut browser = Self { http, session: "/session".into(), driver };
        let started = browser.post("", json!({"capabilities": {"alwaysMatch": wanted}})).await;
        browser.session = format!("/session/{}", started["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Sends a command of the session and returns its value.
    pub(crate) async fn post(&self, command: &str, parameters: Value) -> Value {
        self.send(self.http.post(self.url(command)).body(parameters.to_string())).await
    }

    /// Returns a value of the session.
    pub(crate) async fn get(&self, what: &str) -> Value {
        self.send(self.http.get(self.url(what))).await
    }

    fn url(&self, command: &str) -> String {
        format!("http://{}{}{command}", self.driver.address, self.session)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.send().await.unwrap().bytes().await.unwrap();
        let mut response: Value = serde_json::from_slice(&response).unwrap();
        let value = response["value"].take();
        assert!(value.get("error").is_none(), "{}", value["message"]);
        value
    }

    /// Waits until the page has the element.
    pub(crate) async fn find(&self, css: &str) -> Element<'_> {
        let limit = Instant::now() + PATIENCE;
        loop {
            if let Some(element) = self.find_now(css).await {
                return element;
            }
            assert!(Instant::now() < limit, "the page doesn't have {css}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Returns the element if the page has it now.
    pub(crate) async fn find_now(&self, css: &str) -> Option<Element<'_>> {
        let by_css = json!({"using": "css selector", "value": css});
        let found = self.post("/elements", by_css).await;
        found.get(0).map(|element| Element::new(self, element))
    }

    /// Returns the element with the keyboard focus.
    pub(crate) async fn active(&self) -> Element<'_> {
        Element::new(self, &self.get("/element/active").await)
    }
}

/// An element of the page.
pub(crate) struct Element<'a> {
    browser: &'a Browser,
    path: String,
}

impl<'a> Element<'a> {
    fn new(browser: &'a Browser, reference: &Value) -> Self {
        // The name that the standard gives to references of elements.
        let id = reference["element-6066-11e4-a52e-4f735466cecf"].as_str().unwrap();
        Self { browser, path: format!("/element/{id}") }
    }

    pub(crate) async fn click(&self) {
        self.post("click", json!({})).await;
    }

    pub(crate) async fn clear(&self) {
        self.post("clear", json!({})).await;
    }

    /// Types the text, in which [`TAB`] and [`ENTER`] are keys.
    pub(crate) async fn send_keys(&self, text: &str) {
        self.post("value", json!({"text": text})).await;
    }

    /// Waits until the element is displayed, and returns its text.
    pub(crate) async fn text(&self) -> String {
        let limit = Instant::now() + PATIENCE;
        while !self.is_displayed().await {
            assert!(Instant::now() < limit, "the element isn't displayed");
            tokio::time::sleep(POLL).await;
        }
        self.get("text").await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn value(&self) -> String {
        self.get("property/value").await.as_str().unwrap().to_owned()
    }

    /// Returns an attribute that is present and not empty.
    pub(crate) async fn attribute(&self, name: &str) -> Option<String> {
        let value = self.get(&format!("attribute/{name}")).await;
        value.as_str().filter(|value| !value.is_empty()).map(Into::into)
    }

    pub(crate) async fn is_displayed(&self) -> bool {
        self.get("displayed").await == true
    }

    pub(crate) async fn is_enabled(&self) -> bool {
        self.get("enabled").await == true
    }

    async fn post(&self, command: &str, parameters: Value) {
        self.browser.post(&format!("{}/{command}", self.path), parameters).await;
    }

    async fn get(&self, what: &str) -> Value {
        self.browser.get(&format!("{}/{what}", self.path)).await
    }
}

/// Ends the browser, which would outlive its driver.
impl Drop for Browser {
    fn drop(&mut self) {
        let Ok(mut driver) = TcpStream::connect(&self.driver.address) else { return };
        let _ = driver.set_read_timeout(Some(Duration::from_secs(10)));
        let end = format!("DELETE {} HTTP/1.1\r\nhost: localhost\r\n\r\n", self.session);
        let _ = driver.write_all(end.as_bytes());
        let _ = driver.read(&mut [0; 64]);
    }
}

struct Driver {
    child: Child,
    address: String,
    profile: PathBuf,
}

impl Driver {
    fn start(program: &PathBuf) -> Self {
        let mut command = Command::new(program);
        // Chromium finds a proxy in the environment, and so does its driver.
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        let mut child = command.arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| Some(line.ok()?.split_once("successfully on port ")?.1.to_owned()));
        let port = port.unwrap_or_else(|| panic!("the driver didn't start"));
        let port = port.trim_end_matches('.');
        let profile =
            env::temp_dir().join(format!("stytch-sso-browser-{:032x}", fastrand::u128(..)));
        fs::create_dir(&profile).unwrap();
        // Keeps reading, so that the driver never writes to a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: format!("127.0.0.1:{port}"), profile }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

const REQUIRED: &str = "STYTCH_TEST_BROWSER";
const CHROMIUM: [&str; 3] = ["chromium", "google-chrome", "chromium-browser"];
/// Loads only the page. Without a sandbox, since containers have none and tests run as root
/// there; the page is trusted.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,1400",
];
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// Keys, as `WebDriver` names them.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
