//! A headless Chromium, controlled by `WebDriver`: JSON over HTTP, of which the tests need a dozen
//! commands.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
};

use super::process::Program;

use super::prelude::*;

/// A browser with an empty profile, running until this is dropped.
pub(crate) struct Browser {
    http: reqwest::Client,
    driver: Program,
    /// The address of the driver.
    address: String,
    /// The path of the session at the driver.
    session: String,
    profile: PathBuf,
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
        let mut command = Command::new(chromedriver);
        // Chromium finds a proxy in the environment, and so does its driver.
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        let (driver, port) = Program::start(command.arg("--port=0"), "successfully on port ", 10);
        let address = format!("127.0.0.1:{}", port.trim_end_matches('.'));
        let profile = env::temp_dir().join(format!("stytch-page-{:032x}", fastrand::u128(..)));
        fs::create_dir(&profile).unwrap();
        let folder = format!("--user-data-dir={}", profile.display());
        let arguments = [FLAGS, &[&*folder]].concat();
        let options = json!({"binary": chromium, "args": arguments});
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let http = crate::fake::http_builder().timeout(Duration::from_secs(60)).build().unwrap();
        let mut browser = Self { http, driver, address, session: "/session".into(), profile };
        let started = browser.post("", json!({"capabilities": {"alwaysMatch": wanted}})).await;
        browser.session = format!("/session/{}", started["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Sends a command of the session and returns its value.
    pub(super) async fn post(&self, command: &str, parameters: Value) -> Value {
        self.send(self.http.post(self.url(command)).body(parameters.to_string())).await
    }

    /// Returns a value of the session.
    pub(super) async fn get(&self, what: &str) -> Value {
        self.send(self.http.get(self.url(what))).await
    }

    fn url(&self, command: &str) -> String {
        format!("http://{}{}{command}", self.address, self.session)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.send().await.unwrap().bytes().await.unwrap();
        let mut response: Value = serde_json::from_slice(&response).unwrap();
        let value = response["value"].take();
        assert!(value.get("error").is_none(), "{}", value["message"]);
        value
    }
}

/// Ends the browser, which would outlive its driver.
impl Drop for Browser {
    fn drop(&mut self) {
        if let Ok(mut driver) = TcpStream::connect(&self.address) {
            let _ = driver.set_read_timeout(Some(Duration::from_secs(10)));
            let end = format!("DELETE {} HTTP/1.1\r\nhost: localhost\r\n\r\n", self.session);
            let _ = driver.write_all(end.as_bytes());
            let _ = driver.read(&mut [0; 64]);
        }
        self.driver.kill();
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
