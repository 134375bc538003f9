//! A browser on the page of the example service.

use std::{env, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::browser::{Browser, Element};

pub(crate) struct Visit {
    browser: Browser,
    url: String,
}

impl Visit {
    /// Starts a browser without opening the page, or prints why there is none.
    pub(crate) async fn start(url: &str) -> Option<Self> {
        let browser = Browser::start().await?;
        Some(Self { browser, url: url.to_owned() })
    }

    /// Opens the page with a session cookie.
    pub(crate) async fn with_cookie(url: &str, name: &str, value: &str) -> Option<Self> {
        let visit = Self::start(url).await?;
        // The browser accepts a cookie only for the site that it shows.
        visit.open("/nothing").await;
        visit.set_cookie(name, value).await;
        visit.open("/").await;
        visit.find("body[data-ready]").await;
        Some(visit)
    }

    pub(crate) async fn open(&self, path: &str) {
        self.browser.post("/url", json!({"url": format!("{}{path}", self.url)})).await;
    }

    pub(crate) async fn set_cookie(&self, name: &str, value: &str) {
        let cookie = json!({"name": name, "value": value, "path": "/", "httpOnly": true});
        self.browser.post("/cookie", json!({"cookie": cookie})).await;
    }

    pub(crate) async fn cookie(&self, name: &str) -> String {
        let cookie = self.browser.get(&format!("/cookie/{name}")).await;
        cookie["value"].as_str().unwrap().to_owned()
    }

    /// Chooses the connection at this position of the list, from 1.
    pub(crate) async fn choose(&self, position: usize) {
        self.click(&format!("#list li:nth-child({position}) button")).await;
        self.find("#form:not([hidden])").await;
    }

    /// Waits until the page has the element.
    pub(crate) async fn find(&self, css: &str) -> Element<'_> {
        self.browser.find(css).await
    }

    /// Returns whether the page has the element now.
    pub(crate) async fn has(&self, css: &str) -> bool {
        self.browser.find_now(css).await.is_some()
    }

    /// Waits until the element is displayed, and returns its text.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await
    }

    pub(crate) async fn value(&self, css: &str) -> String {
        self.find(css).await.value().await
    }

    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await;
    }

    pub(crate) async fn type_over(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        element.clear().await;
        element.send_keys(text).await;
    }

    /// Adds a role for every member who logs in.
    pub(crate) async fn add_role(&self, role_id: &str) {
        self.click("#connection_roles > button").await;
        self.type_over("#connection_roles li:last-child input", role_id).await;
    }

    /// Adds a role for a group.
    pub(crate) async fn add_group_role(&self, group: &str, role_id: &str) {
        self.click("#group_roles > button").await;
        self.type_over("#group_roles li:last-child input[name=group]", group).await;
        self.type_over("#group_roles li:last-child input[name=role_id]", role_id).await;
    }

    /// Saves, and waits for the message.
    pub(crate) async fn save(&self) {
        self.click("#save").await;
        self.find(".message h2").await;
    }

    pub(crate) async fn can_save(&self) -> bool {
        self.find("#save").await.is_enabled().await
    }

    /// Returns the id of the element with the keyboard focus, or its label.
    pub(crate) async fn focused(&self) -> String {
        let element = self.browser.active().await;
        match element.attribute("id").await {
            Some(id) => id,
            None => match element.attribute("aria-label").await {
                Some(label) => label,
                None => element.text().await,
            },
        }
    }

    pub(crate) async fn press(&self, keys: &str) {
        self.browser.active().await.send_keys(keys).await;
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.browser.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    pub(crate) async fn set_offline(&self, offline: bool) {
        let conditions = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.control("Network.enable", json!({})).await;
        self.control("Network.emulateNetworkConditions", conditions).await;
    }

    /// Checks the page as it is now on a wide and a narrow screen, light and dark: nothing is
    /// wider than the screen and axe-core, if it is there, finds nothing. Takes screenshots on
    /// demand.
    pub(crate) async fn inspect(&self, state: &str) {
        let axe = env::var(AXE).ok().map(|path| fs::read_to_string(path).unwrap());
        let screenshots = env::var(SCREENSHOTS).ok();
        for (scheme, width) in [("light", 1280), ("light", 390), ("dark", 390), ("dark", 1280)] {
            let state = format!("{state}-{width}-{scheme}");
            self.emulate("prefers-color-scheme", scheme).await;
            self.set_width(width).await;
            let used = self.run("return document.documentElement.scrollWidth").await;
            let used = used.as_u64().unwrap();
            assert!(used <= width, "{state}: {used} px are used");
            if let Some(axe) = &axe {
                self.run(axe).await;
                let script = json!({"script": RUN_AXE, "args": []});
                let found = self.browser.post("/execute/async", script).await;
                assert_eq!(found, json!([]), "{state}");
            }
            if let Some(folder) = &screenshots {
                self.take_screenshot(&Path::new(folder).join(format!("{state}.png"))).await;
            }
        }
    }

    /// Sets a media feature, such as the color scheme.
    pub(crate) async fn emulate(&self, name: &str, value: &str) {
        let features = json!([{"name": name, "value": value}]);
        self.control("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    pub(crate) async fn set_width(&self, width: u64) {
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.control("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn take_screenshot(&self, path: &Path) {
        let whole_page = json!({"captureBeyondViewport": true});
        let taken = self.control("Page.captureScreenshot", whole_page).await;
        let image = BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, image).unwrap();
    }

    async fn control(&self, command: &str, parameters: Value) -> Value {
        let command = json!({"cmd": command, "params": parameters});
        self.browser.post("/goog/cdp/execute", command).await
    }
}

/// The path of axe-core's `axe.min.js`.
const AXE: &str = "STYTCH_TEST_AXE";
/// A folder for screenshots.
const SCREENSHOTS: &str = "STYTCH_SCREENSHOTS";

const RUN_AXE: &str = "
    const done = arguments[0];
    axe.run().then(({ violations }) =>
        done(violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))));
";
