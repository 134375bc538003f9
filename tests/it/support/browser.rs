//! A headless Chromium, controlled through its driver.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};

/// A browser with an empty profile, running until this is dropped.
pub(crate) struct Browser {
    // Dropped before the driver, without which the browser would keep running.
    pub(crate) page: WebDriver,
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
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(chromium.to_str().unwrap()).unwrap();
        let profile = format!("--user-data-dir={}", driver.profile.display());
        for argument in FLAGS.iter().chain([&&*profile]) {
            wanted.add_arg(argument).unwrap();
        }
        let page = WebDriver::builder(&driver.url, wanted).client(http());
        Some(Self { page: page.await.unwrap(), driver })
    }

    /// Ends the browser and then its driver. Dropping does that too, for a test that fails.
    pub(crate) async fn quit(self) {
        let Self { page, driver } = self;
        page.quit().await.unwrap();
        drop(driver);
    }
}

struct Driver {
    child: Child,
    url: String,
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
        Self { child, url: format!("http://127.0.0.1:{port}"), profile }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// Pools no connection: when a test fails, another runtime ends the browser, and would wait
/// forever for a connection of a runtime that isn't polled.
fn http() -> reqwest::Client {
    let client = crate::fake::http_builder().pool_max_idle_per_host(0);
    client.timeout(Duration::from_secs(60)).build().unwrap()
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
