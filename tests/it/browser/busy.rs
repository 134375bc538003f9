//! What the page shows while it waits, and after it has waited too long.

use super::{log_in, show, show_form};
use crate::{service::AcmeService, support::prelude::*};

/// Longer than what is looked at meanwhile.
const SLOW: Duration = Duration::from_millis(500);

pub(super) async fn show_all(page: &Browser) {
    show_form(page, slow_save_is_shown_at_once).await;
    show(page, loading_is_shown_at_once).await;
    show_form(page, busy_page_respects_reduced_motion).await;
    show_form(page, late_response_ends_with_what_to_do).await;
}

async fn slow_save_is_shown_at_once(page: &Browser, acme: &AcmeService) {
    page.add_role("editor").await;
    acme.fault(UPDATE, Fault::delay(SLOW));
    let busy = click_and_look(page, "#save").await;
    assert_eq!(busy, json!(["Saving…", "true", "turn", "Saving…", true]));
    assert_eq!(page.text("#status h2").await, "Saved");
    let idle = page.run(&look("#save")).await;
    assert_eq!(idle, json!(["Save changes", "false", "none", "", false]));
}

async fn loading_is_shown_at_once(page: &Browser, acme: &AcmeService) {
    log_in(page, acme, &acme.ada).await;
    acme.fault(LIST, Fault::delay(SLOW));
    let busy = click_and_look(page, "#list button").await;
    assert_eq!(busy, json!(["Loading…", "true", "turn", "Loading…", true]));
    page.wait_for("#form:not([hidden])").await;
    let idle = page.run(&look("#list button")).await;
    assert_eq!(idle, json!(["Acme Okta", "false", "none", "", false]));
}

/// The page's requests wait until the test has looked at it.
async fn busy_page_respects_reduced_motion(page: &Browser, _: &AcmeService) {
    page.add_role("editor").await;
    let hold = "const send = window.fetch; window.fetch = (...all) => new Promise((resolve) => {
        window.release = () => { window.fetch = send; resolve(send(...all)); };
    });";
    page.run(hold).await;
    page.click("#save").await;
    page.wait_for("#save[aria-busy=true]").await;
    page.inspect("saving").await;
    page.emulate("prefers-reduced-motion", "reduce").await;
    let still = page.run(&look("#save")).await;
    assert_eq!(still, json!(["Saving…", "true", "none", "Saving…", true]));
    page.run("window.release()").await;
    assert_eq!(page.text("#status h2").await, "Saved");
}

async fn late_response_ends_with_what_to_do(page: &Browser, acme: &AcmeService) {
    page.add_role("editor").await;
    let _ = acme.stytch.fault(UPDATE, Fault::delay(Duration::from_secs(3)));
    // 30 s become 300 ms.
    let shorten = "const timeout = AbortSignal.timeout;
        AbortSignal.timeout = (time) => {
            AbortSignal.timeout = timeout;
            return timeout.call(AbortSignal, time / 100);
        };";
    page.run(shorten).await;
    page.save().await;
    page.wait_for("#alert p + p").await;
    assert_eq!(page.text("#alert h2").await, "No response in time");
    let parts = ["did not respond within 30 seconds", "save again to apply them"];
    page.assert_text("#alert", &parts).await;
    assert!(page.can_save().await);
    page.inspect("timeout").await;
}

/// Clicks, and returns what the page shows before the browser does anything else. Panics if that
/// takes 100 ms.
async fn click_and_look(page: &Browser, css: &str) -> Value {
    let script = format!(
        "const start = performance.now(); document.querySelector('{css}').click();
        const seen = (() => {{ {} }})();
        return [performance.now() - start, seen];",
        look(css),
    );
    let mut seen = page.run(&script).await;
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
