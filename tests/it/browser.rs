//! The example service's page in a real browser: what is typed there ends up in the stand-in,
//! and a refusal is shown in words.
//!
//! It needs Chromium and its driver, on Debian `apt-get install chromium chromium-driver`.
//! Without them it says so and passes, unless `STYTCH_TEST_BROWSER` is `required`, which
//! `.ci/run` sets.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use thirtyfour::{
    By, ChromeCapabilities, ChromiumLikeCapabilities, WebDriver, WebElement,
    error::WebDriverResult, extensions::query::ElementQueryable,
};

use crate::support::service::Service;

#[tokio::test]
async fn page_changes_the_connection_as_ada_and_shows_bob_the_refusal() {
    let Some(browser) = Browser::find() else {
        assert!(env::var("STYTCH_TEST_BROWSER").as_deref() != Ok("required"), "no chromedriver");
        println!("skipped: chromedriver isn't installed (Debian: chromium chromium-driver)");
        return;
    };
    let service = Service::start();
    let driver = browser.open().await.unwrap();
    let changed = change_as_ada(&driver, &service).await;
    let refused = try_as_bob(&driver, &service).await;
    driver.quit().await.unwrap();
    changed.and(refused).unwrap();
}

async fn change_as_ada(driver: &WebDriver, service: &Service) -> WebDriverResult<()> {
    driver.goto(format!("{}/login/ada", service.origin)).await?;
    ready(driver).await?;
    assert_eq!(text(driver, "#who").await?, "You are Ada.");
    find(driver, "#change-name").await?.click().await?;
    let name = find(driver, "#display-name").await?;
    name.clear().await?;
    name.send_keys("Acme <b>SSO</b>").await?;
    find(driver, "#change-roles").await?.click().await?;
    find(driver, "#roles .row button").await?.click().await?;
    find(driver, "#change-groups").await?.click().await?;
    find(driver, "#add-group").await?.click().await?;
    find(driver, "#groups .row:last-child input[name=group]")
        .await?
        .send_keys("engineering")
        .await?;
    find(driver, "#groups .row:last-child input[name=role_id]").await?.send_keys("editor").await?;
    find(driver, "#send").await?.click().await?;

    let said = outcome(driver, "good").await?;
    // What looks like HTML is shown as it was typed.
    assert!(said.contains("The connection is named Acme <b>SSO</b>."), "{said}");
    assert_eq!(text(driver, "#before-name").await?, "Acme Okta");
    assert_eq!(text(driver, "#now-name").await?, "Acme <b>SSO</b>");
    let state = state(service).await;
    assert_eq!(state["display_name"], "Acme <b>SSO</b>");
    assert_eq!(state["connection_roles"], json!([]));
    let groups = json!([
        {"group": "it-admins", "role_id": "stytch_admin"},
        {"group": "engineering", "role_id": "editor"},
    ]);
    assert_eq!(state["group_roles"], groups);
    Ok(())
}

async fn try_as_bob(driver: &WebDriver, service: &Service) -> WebDriverResult<()> {
    driver.goto(format!("{}/login/bob", service.origin)).await?;
    ready(driver).await?;
    find(driver, "#change-name").await?.click().await?;
    find(driver, "#display-name").await?.send_keys(" by Bob").await?;
    find(driver, "#send").await?.click().await?;
    let said = outcome(driver, "bad").await?;
    for part in
        ["You may not do this", "update", "stytch.sso", "request-id-test-", "Nothing was changed"]
    {
        assert!(said.contains(part), "{part:?} isn't in {said}");
    }
    assert_eq!(state(service).await["display_name"], "Acme <b>SSO</b>");
    if let Ok(path) = env::var("STYTCH_TEST_SCREENSHOT") {
        driver.screenshot(path.as_ref()).await?;
    }
    Ok(())
}

async fn find(driver: &WebDriver, selector: &str) -> WebDriverResult<WebElement> {
    driver.query(By::Css(selector)).first().await
}

async fn text(driver: &WebDriver, selector: &str) -> WebDriverResult<String> {
    find(driver, selector).await?.text().await
}

async fn ready(driver: &WebDriver) -> WebDriverResult<WebElement> {
    find(driver, "body[data-ready=true]").await
}

async fn outcome(driver: &WebDriver, kind: &str) -> WebDriverResult<String> {
    text(driver, &format!("#outcome.{kind}")).await
}

async fn state(service: &Service) -> Value {
    let state = reqwest::get(&service.connection).await.unwrap().text().await.unwrap();
    serde_json::from_str(&state).unwrap()
}

/// A chromedriver on a free port, ended when it is dropped.
struct Browser {
    driver: Child,
    port: String,
}

impl Browser {
    fn find() -> Option<Self> {
        let mut driver =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn().ok()?;
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver says its port").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Some(Self { driver, port })
    }

    async fn open(&self) -> WebDriverResult<WebDriver> {
        let profile = env::temp_dir().join(format!("stytch-sso-external-{}", std::process::id()));
        let mut wanted = ChromeCapabilities::new();
        for flag in FLAGS {
            wanted.add_arg(flag)?;
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.display()))?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", self.port), wanted).await?;
        driver.set_implicit_wait_timeout(Duration::from_secs(20)).await?;
        Ok(driver)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Without a window, and without a call to anybody but the page.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,1500",
];
