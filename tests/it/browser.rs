//! The example's page in a real browser: an update is stored, a denial is explained.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml doesn't know for tests"
)]

use serde_json::{Value, json};
use thirtyfour::{
    By, WebElement,
    extensions::query::{ElementQueryable, ElementWaitable},
};

use crate::support::{browser::Browser, service::Service};

#[tokio::test]
async fn page_updates_the_connection() {
    let Some(visit) = Visit::of("ada").await else { return };
    assert!(visit.text("#who").await.contains("You are Ada"));
    assert_eq!(visit.find("#display-name").await.value().await.unwrap().unwrap(), "Acme Okta");

    visit.click("#change-name").await;
    visit.type_over("#display-name", "Acme <b id=injected>Entra</b>").await;
    visit.click("#change-roles").await;
    visit.click("#roles .row button").await;
    visit.click("#add-role").await;
    visit.type_over("#roles input", "editor").await;
    visit.click("#change-groups").await;
    visit.click("#add-group").await;
    visit.type_over("#groups .row:last-child input[name=group]", "engineering").await;
    visit.type_over("#groups .row:last-child input[name=role_id]", "viewer").await;
    visit.click("#send").await;

    assert_eq!(visit.text("#outcome.good h2").await, "Updated");
    assert!(visit.text("#outcome dl").await.contains("request-id-test-"));
    let state = visit.state().await;
    assert_eq!(state["display_name"], "Acme <b id=injected>Entra</b>");
    assert_eq!(state["connection_roles"], json!(["editor"]));
    assert_eq!(
        state["group_roles"],
        json!([
            {"group": "it-admins", "role_id": "stytch_admin"},
            {"group": "engineering", "role_id": "viewer"},
        ])
    );
    // The page shows it as text, before and after.
    assert_eq!(visit.text("#before-name").await, "Acme Okta");
    assert_eq!(visit.text("#now-name.changed").await, "Acme <b id=injected>Entra</b>");
    assert_eq!(
        visit.text("#now-groups.changed").await,
        "it-admins → stytch_admin\nengineering → viewer"
    );
    assert!(visit.browser.page.find(By::Id("injected")).await.is_err());
    visit.browser.quit().await;
}

#[tokio::test]
async fn unchecked_fields_stay_and_an_empty_list_revokes() {
    let Some(visit) = Visit::of("ada").await else { return };
    visit.click("#change-groups").await;
    visit.click("#groups .row button").await;
    visit.click("#send").await;
    assert_eq!(visit.text("#outcome.good h2").await, "Updated");
    let state = visit.state().await;
    assert_eq!(state["display_name"], "Acme Okta");
    assert_eq!(state["connection_roles"], json!(["viewer"]));
    assert_eq!(state["group_roles"], json!([]));
    visit.browser.quit().await;
}

#[tokio::test]
async fn page_explains_a_denied_permission() {
    let Some(visit) = Visit::of("bob").await else { return };
    let before = visit.state().await;
    visit.click("#change-name").await;
    visit.type_over("#display-name", "Mine now").await;
    visit.click("#send").await;

    assert_eq!(visit.text("#outcome.bad h2").await, "Permission denied");
    assert_eq!(
        visit.text("#outcome p").await,
        "Your roles do not grant the action update on the resource stytch.sso. Nothing was changed."
    );
    let facts = visit.text("#outcome dl").await;
    for part in ["Action\nupdate", "Resource\nstytch.sso", "Request id\n", "\nrequest-id-test-"] {
        assert!(facts.contains(part), "{part:?} isn't in {facts:?}");
    }
    assert_eq!(visit.state().await, before);
    visit.browser.quit().await;
}

/// A member on the page of the service with its own fake.
struct Visit {
    service: Service,
    browser: Browser,
}

impl Visit {
    async fn of(member: &str) -> Option<Self> {
        let browser = Browser::start().await?;
        let service = Service::on_its_own_fake();
        browser.page.goto(format!("{}/login/{member}", service.url)).await.unwrap();
        let visit = Self { service, browser };
        visit.find("body[data-ready]").await;
        Some(visit)
    }

    /// Waits until the page has the element.
    async fn find(&self, css: &str) -> WebElement {
        let found = self.browser.page.query(By::Css(css)).first().await;
        found.unwrap_or_else(|error| panic!("{css}: {error}\n{}", self.service.logged()))
    }

    async fn text(&self, css: &str) -> String {
        let element = self.find(css).await;
        element.wait_until().displayed().await.unwrap();
        element.text().await.unwrap()
    }

    async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    async fn type_over(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    /// The connection as the fake stores it.
    async fn state(&self) -> Value {
        let setup = self.service.get("/setup").await.json();
        let id = setup["fake"]["connection_id"].as_str().unwrap();
        self.service.get(&format!("/sso/connections/{id}")).await.json()
    }
}
