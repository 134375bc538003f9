//! Requests that a page of another site makes a browser send.

use super::{Acme, RENAME, jwt_cookie};
use crate::support::service::Answer;

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let acme = Acme::new();
    let same = acme.service.url.clone();
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", &*same.replace("http:", "https:")),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        let answer = Answer::to(put(&acme).header(header, value)).await;
        let problem = answer.problem(403);
        assert!(problem["detail"].as_str().unwrap().contains(&same), "{problem}");
    }
    // A host name that is made to lead here is the same site to the browser.
    let rebound = put(&acme).header("sec-fetch-site", "same-origin");
    Answer::to(rebound.header("origin", "http://evil.example")).await.problem(403);
    assert_eq!(acme.stytch.requests(), []);

    let own = put(&acme).header("sec-fetch-site", "same-origin").header("origin", same);
    assert_eq!(Answer::to(own).await.status, 200);
}

#[tokio::test]
async fn what_a_form_can_send_is_no_change() {
    let acme = Acme::new();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        let url = format!("{}/sso/connections/{}", acme.service.url, acme.connection.id());
        let request = crate::standin::http().put(url).header("cookie", jwt_cookie(&acme.ada));
        let request = request.header("content-type", content_type).body(RENAME);
        Answer::to(request).await.problem(415);
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn no_other_origin_is_told_that_it_may() {
    let acme = Acme::new();
    let url = format!("{}/sso/connections/{}", acme.service.url, acme.connection.id());
    let preflight = crate::standin::http()
        .request("OPTIONS".parse().unwrap(), url)
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type");
    let answer = Answer::to(preflight).await;
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn the_page_runs_no_script_but_its_own() {
    let acme = Acme::new();
    let page = acme.service.get("/").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    for way_in in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "onclick"] {
        assert!(!page.text.contains(way_in), "{way_in}");
    }
}

fn put(acme: &Acme) -> reqwest::RequestBuilder {
    acme.service.put(acme.connection.id(), &jwt_cookie(&acme.ada), RENAME)
}
