//! The page of the example service in a browser.

use std::{env, fs, path::Path};

use super::prelude::*;

impl Browser {
    /// Opens the page of a service with a cookie, as it is for a new visitor.
    pub(crate) async fn with_cookie(&self, url: &str, name: &str, value: &str) {
        self.control("Emulation.setEmulatedMedia", json!({"features": []})).await;
        self.control("Network.clearBrowserCookies", json!({})).await;
        // Unlike `WebDriver`, this needs no page of the site.
        let cookie = json!({"url": url, "name": name, "value": value, "httpOnly": true});
        self.control("Network.setCookie", cookie).await;
        self.post("/url", json!({"url": url})).await;
        self.wait_for("body[data-ready]").await;
    }

    pub(crate) async fn set_cookie(&self, name: &str, value: &str) {
        let cookie = json!({"name": name, "value": value, "path": "/", "httpOnly": true});
        self.post("/cookie", json!({"cookie": cookie})).await;
    }

    pub(crate) async fn cookie(&self, name: &str) -> String {
        let cookie = self.get(&format!("/cookie/{name}")).await;
        cookie["value"].as_str().unwrap().to_owned()
    }

    /// Waits until the page has the element, and returns its path at the driver.
    pub(crate) async fn wait_for(&self, css: &str) -> String {
        let by_css = json!({"using": "css selector", "value": css});
        let find = async || {
            let found = self.post("/elements", by_css.clone()).await;
            // The name that the standard gives to references of elements.
            let id = found[0]["element-6066-11e4-a52e-4f735466cecf"].as_str()?;
            Some(format!("/element/{id}"))
        };
        wait::some(format!("the page doesn't have {css}"), find).await
    }

    /// Returns a value of the element that this expression is about, once the page has it.
    async fn value_of(&self, css: &str, expression: &str) -> Value {
        let script = format!(
            "const it = document.querySelector({}); return it && [{expression}];",
            json!(css)
        );
        let look = async || Some(self.run(&script).await).filter(Value::is_array);
        wait::some(format!("the page doesn't have {css}"), look).await[0].take()
    }

    /// Returns whether the page has the element now.
    pub(crate) async fn has(&self, css: &str) -> bool {
        let script = format!("return document.querySelector({}) !== null", json!(css));
        self.run(&script).await == true
    }

    /// Waits until the element is displayed, and returns its text.
    pub(crate) async fn text(&self, css: &str) -> String {
        let is_displayed = async || self.is_displayed(css).await.then_some(());
        wait::some(format!("{css} isn't displayed"), is_displayed).await;
        let element = self.wait_for(css).await;
        self.get(&format!("{element}/text")).await.as_str().unwrap().to_owned()
    }

    /// Asserts that the element is displayed with all of these texts. Returns its whole text.
    pub(crate) async fn assert_text(&self, css: &str, parts: &[&str]) -> String {
        let text = self.text(css).await;
        for part in parts {
            assert!(text.contains(part), "{part:?} isn't in {text:?}");
        }
        text
    }

    pub(crate) async fn is_displayed(&self, css: &str) -> bool {
        self.value_of(css, "it.checkVisibility()").await == true
    }

    pub(crate) async fn value(&self, css: &str) -> Value {
        self.value_of(css, "it.value").await
    }

    pub(crate) async fn attribute(&self, css: &str, name: &str) -> Value {
        self.value_of(css, &format!("it.getAttribute('{name}')")).await
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.wait_for(css).await;
        self.post(&format!("{element}/click"), json!({})).await;
    }

    /// Types into the element, in which [`TAB`] and [`ENTER`] are keys.
    async fn type_into(&self, css: &str, text: &str) {
        let element = self.wait_for(css).await;
        self.post(&format!("{element}/value"), json!({"text": text})).await;
    }

    pub(crate) async fn type_over(&self, css: &str, text: &str) {
        let element = self.wait_for(css).await;
        self.post(&format!("{element}/clear"), json!({})).await;
        self.type_into(css, text).await;
    }

    /// Presses keys where the keyboard focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = if self.has(":focus").await { ":focus" } else { "body" };
        self.type_into(focused, keys).await;
    }

    /// Returns the id of the element with the keyboard focus, or its label.
    pub(crate) async fn focused(&self) -> Value {
        let name = "it.id || it.getAttribute('aria-label') || it.innerText";
        self.value_of(":focus", name).await
    }

    /// Chooses the connection at this position of the list, from 1.
    pub(crate) async fn choose(&self, position: usize) {
        self.click(&format!("#list li:nth-child({position}) button")).await;
        self.wait_for("#form:not([hidden])").await;
    }

    /// Adds a role for every member who logs in.
    pub(crate) async fn add_role(&self, role_id: &str) {
        self.click("#connection_roles > button").await;
        self.type_into("#connection_roles li:last-child input", role_id).await;
    }

    /// Adds a role for a group.
    pub(crate) async fn add_group_role(&self, group: &str, role_id: &str) {
        self.click("#group_roles > button").await;
        self.type_into("#group_roles li:last-child input[name=group]", group).await;
        self.type_into("#group_roles li:last-child input[name=role_id]", role_id).await;
    }

    /// Saves, and waits for the message.
    pub(crate) async fn save(&self) {
        self.click("#save").await;
        self.wait_for(".message h2").await;
    }

    /// Saves, and asserts that it succeeded.
    pub(crate) async fn save_successfully(&self) {
        self.save().await;
        assert_eq!(self.text("#status h2").await, "Saved");
    }

    pub(crate) async fn can_save(&self) -> bool {
        self.value_of("#save", "!it.disabled").await == true
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
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
        let states = [("light", 1280), ("light", 390), ("dark", 390), ("dark", 1280)];
        // Colors don't change the width.
        let are_colors_seen = axe.is_some() || screenshots.is_some();
        for (scheme, width) in &states[..if are_colors_seen { 4 } else { 2 }] {
            let state = format!("{state}-{width}-{scheme}");
            if are_colors_seen {
                self.emulate("prefers-color-scheme", scheme).await;
            }
            self.set_width(*width).await;
            let used = self.run("return document.documentElement.scrollWidth").await;
            let used = used.as_u64().unwrap();
            assert!(used <= *width, "{state}: {used} px are used");
            if let Some(axe) = &axe {
                self.run(axe).await;
                let script = json!({"script": RUN_AXE, "args": []});
                assert_eq!(self.post("/execute/async", script).await, json!([]), "{state}");
            }
            if let Some(folder) = &screenshots {
                let whole_page = json!({"captureBeyondViewport": true});
                let taken = self.control("Page.captureScreenshot", whole_page).await;
                let image = BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
                fs::create_dir_all(folder).unwrap();
                fs::write(Path::new(folder).join(format!("{state}.png")), image).unwrap();
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

    async fn control(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }
}

/// Keys, as `WebDriver` names them.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
/// The path of axe-core's `axe.min.js`.
const AXE: &str = "STYTCH_TEST_AXE";
/// A folder for screenshots.
const SCREENSHOTS: &str = "STYTCH_SCREENSHOTS";

const RUN_AXE: &str = "
    const done = arguments[0];
    axe.run().then(({ violations }) =>
        done(violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))));
";
