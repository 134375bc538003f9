//! How fields look, and what they offer.

use super::{log_in, show, show_form};
use crate::{service::AcmeService, support::prelude::*};

pub(super) async fn show_all(page: &Browser) {
    show_form(page, role_fields_offer_the_roles).await;
    show(page, read_only_fields_look_different).await;
    show_form(page, focus_ring_covers_no_text).await;
}

async fn role_fields_offer_the_roles(page: &Browser, _: &AcmeService) {
    page.add_group_role("it", "not_offered").await;
    let offered = "const input = document.querySelector('#group_roles input[name=role_id]');
        return [...input.list.options].map((option) => option.value);";
    let offered = page.run(offered).await;
    assert_eq!(offered, json!(["auditor", "editor", "stytch_admin", "stytch_member", "viewer"]));
    // Free text is possible.
    assert!(page.can_save().await);
}

/// The contrast of an editable field's border is 3 to 1 at least, and a read-only field shows none.
async fn read_only_fields_look_different(page: &Browser, acme: &AcmeService) {
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    let bob = acme.log_in("bob", &["sso_viewer"]);
    for (member, is_editable) in [(&acme.ada, true), (&bob, false)] {
        log_in(page, acme, member).await;
        page.choose(1).await;
        for scheme in ["light", "dark"] {
            page.emulate("prefers-color-scheme", scheme).await;
            let seen = page.run(CONTRAST).await;
            let contrast = seen.as_f64().unwrap();
            let expected = if is_editable { 3.0..f64::INFINITY } else { 1.0..1.01 };
            assert!(expected.contains(&contrast), "{scheme}: {contrast}");
        }
    }
}

/// The ring is a rectangle around the element: no text of another one is in it.
async fn focus_ring_covers_no_text(page: &Browser, _: &AcmeService) {
    page.type_over("#display-name", "Renamed").await;
    page.add_group_role("it", "").await;
    page.click("#save").await;
    page.wait_for("#group_roles [aria-invalid]").await;
    for width in [1280, 390] {
        page.set_width(width).await;
        assert_eq!(page.run(COVERED).await, json!([]), "at {width} px");
    }
    page.inspect("focus").await;
}

const CONTRAST: &str = "
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
    const channel = (value) => value <= 10.31475 ? value / 3294.6 : ((value / 255 + .055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
    const card = rgb(getComputedStyle(document.querySelector('#form')).backgroundColor);
    const [r, g, b, alpha = 1] = rgb(getComputedStyle(document.querySelector('#display-name')).borderTopColor);
    const border = [r, g, b].map((value, n) => value * alpha + card[n] * (1 - alpha));
    const [light, dark] = [luminance(border), luminance(card)].sort((a, b) => b - a);
    return (light + .05) / (dark + .05);
";

const COVERED: &str = "
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const isShown = walker.currentNode.parentElement.checkVisibility();
        if (isShown && walker.currentNode.data.trim()) texts.push([walker.currentNode, [...range.getClientRects()]]);
    }
    const covered = [];
    for (const element of document.querySelectorAll('a, input, button:enabled')) {
        if (!element.checkVisibility()) continue;
        element.focus({ focusVisible: true, preventScroll: true });
        const { outlineWidth, outlineOffset, outlineStyle } = getComputedStyle(element);
        if (outlineStyle === 'none') covered.push('no ring: ' + element.outerHTML);
        const ring = parseFloat(outlineWidth) + parseFloat(outlineOffset);
        const { left, top, right, bottom } = element.getBoundingClientRect();
        for (const [text, rects] of texts) {
            if (element.contains(text)) continue;
            const isUnder = (rect) => rect.left < right + ring && rect.right > left - ring
                && rect.top < bottom + ring && rect.bottom > top - ring;
            if (rects.some(isUnder)) covered.push(text.data.trim() + ' under ' + element.outerHTML);
        }
    }
    return covered;
";
