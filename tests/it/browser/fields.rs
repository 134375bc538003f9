//! How fields look, and what they offer.

use serde_json::json;

use super::{acme, visit};

#[tokio::test]
async fn role_fields_offer_the_roles() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.add_group_role("it", "not_offered").await;
    let offered = visit
        .run(
            "const input = document.querySelector('#group_roles input[name=role_id]');
            return [...input.list.options].map((option) => option.value);",
        )
        .await;
    assert_eq!(offered, json!(["auditor", "editor", "stytch_admin", "stytch_member", "viewer"]));
    // Free text is possible.
    assert!(visit.can_save().await);
}

/// The contrast of an editable field's border is 3 to 1 at least, and a read-only field shows none.
#[tokio::test]
async fn editable_fields_look_different_from_read_only_ones() {
    let acme = acme();
    acme.stytch.role("sso_viewer", &[("stytch.sso", &["get"])]);
    let bob = acme.organization.member("bob", &["sso_viewer"]).log_in();
    for (member, is_editable) in [(&acme.ada, true), (&bob, false)] {
        let Some(visit) = visit(&acme, member).await else { return };
        visit.choose(1).await;
        for scheme in ["light", "dark"] {
            visit.emulate("prefers-color-scheme", scheme).await;
            let seen = visit.run(CONTRAST).await;
            let contrast = seen.as_f64().unwrap();
            let expected = if is_editable { 3.0..f64::INFINITY } else { 1.0..1.01 };
            assert!(expected.contains(&contrast), "{scheme}: {contrast}");
        }
    }
}

/// The ring is a rectangle around the element: no text of another one is in it.
#[tokio::test]
async fn focus_ring_covers_no_text() {
    let acme = acme();
    let Some(visit) = visit(&acme, &acme.ada).await else { return };
    visit.choose(1).await;
    visit.type_over("#display-name", "Renamed").await;
    visit.add_group_role("it", "").await;
    visit.click("#save").await;
    visit.find("#group_roles [aria-invalid]").await;
    for width in [1280, 390] {
        visit.set_width(width).await;
        assert_eq!(visit.run(COVERED).await, json!([]), "at {width} px");
    }
    visit.inspect("focus").await;
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
