//! What the page shows while it waits, and after it has waited too long.

use std::time::Duration;

use serde_json::{Value, json};
use stytch_sso_external::{Operation, testing::Fault};

use super::{acme, visit};
use crate::support::visit::Visit;

#[tokio::test]
async fn save_of_three_seconds_is_shown_at_once() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.add_role("editor").await;
    let slow = Fault::delay(Duration::from_secs(3));
    acme.stytch.fault(Operation::UpdateExternalConnection, slow).times(1);
    let busy = click_and_look(&visit, "#save").await;
    assert_eq!(busy, json!(["Saving…", "true", "turn", "Saving…", true]));
    assert_eq!(visit.text("#status h2").await, "Saved");
    let idle = visit.run(&look("#save")).await;
    assert_eq!(idle, json!(["Save changes", "false", "none", "", false]));
}

#[tokio::test]
async fn loading_is_shown_at_once() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    let slow = Fault::delay(Duration::from_secs(1));
    acme.stytch.fault(Operation::GetConnections, slow).times(1);
    let busy = click_and_look(&visit, "#list button").await;
    assert_eq!(busy, json!(["Loading…", "true", "turn", "Loading…", true]));
    visit.find("#form:not([hidden])").await;
    let idle = visit.run(&look("#list button")).await;
    assert_eq!(idle, json!(["Acme Okta", "false", "none", "", false]));
}

/// The page's requests wait until the test has looked at it.
#[tokio::test]
async fn busy_page_is_accessible_and_respects_reduced_motion() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.add_role("editor").await;
    visit
        .run(
            "const send = window.fetch; window.fetch = (...all) => new Promise((resolve) => {
                window.release = () => { window.fetch = send; resolve(send(...all)); };
            });",
        )
        .await;
    visit.click("#save").await;
    visit.find("#save[aria-busy=true]").await;
    visit.inspect("saving").await;
    visit.emulate("prefers-reduced-motion", "reduce").await;
    let still = visit.run(&look("#save")).await;
    assert_eq!(still, json!(["Saving…", "true", "none", "Saving…", true]));
    visit.run("window.release()").await;
    assert_eq!(visit.text("#status h2").await, "Saved");
}

#[tokio::test]
async fn request_that_takes_too_long_ends_with_what_to_do() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.add_role("editor").await;
    acme.stytch.fault(Operation::UpdateExternalConnection, Fault::delay(Duration::from_secs(3)));
    // 30 s become 300 ms.
    visit
        .run(
            "const timeout = AbortSignal.timeout;
            AbortSignal.timeout = (time) => {
                AbortSignal.timeout = timeout;
                return timeout.call(AbortSignal, time / 100);
            };",
        )
        .await;
    visit.save().await;
    visit.find("#alert p + p").await;
    assert_eq!(visit.text("#alert h2").await, "No response in time");
    let text = visit.text("#alert").await;
    assert!(text.contains("did not respond within 30 seconds"), "{text}");
    assert!(text.contains("save again to apply them"), "{text}");
    assert!(visit.can_save().await);
    visit.inspect("timeout").await;
}

/// Clicks, and returns what the page shows before the browser does anything else. Panics if that
/// takes 100 ms.
async fn click_and_look(visit: &Visit, css: &str) -> Value {
    let script = format!(
        "const start = performance.now(); document.querySelector('{css}').click();
        const seen = (() => {{ {} }})();
        return [performance.now() - start, seen];",
        look(css),
    );
    let mut seen = visit.run(&script).await;
    assert!(seen[0].as_f64().unwrap() < 100.0, "{seen}");
    seen[1].take()
}

/// Returns a script for the button's text, `aria-busy`, the animation of its spinner, the text for
/// screen readers, and whether the form can't be edited.
fn look(css: &str) -> String {
    format!(
        "const button = document.querySelector('{css}');
        const spinner = getComputedStyle(button.querySelector('.spinner'));
        return [button.textContent.trim(), button.getAttribute('aria-busy') ?? 'false',
            spinner.display === 'none' ? 'none' : spinner.animationName,
            document.querySelector('#progress').textContent,
            document.querySelector('#form').inert];"
    )
}
