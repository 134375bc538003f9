//! Cross-site request forgery: requests that a page of another site makes a browser send.

use reqwest::RequestBuilder;

use super::{AcmeService, RENAME, token_cookie};
use crate::support::prelude::*;

#[tokio::test]
async fn requests_of_another_origin_are_rejected() {
    let acme = AcmeService::new();
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
        let response = ServiceResponse::to(put(&acme).header(header, value)).await;
        let problem = response.problem(403);
        assert!(problem["detail"].as_str().unwrap().contains(&same), "{problem}");
    }
    // DNS rebinding: to the browser, a host name that resolves to this service is the same site.
    let rebound = put(&acme).header("sec-fetch-site", "same-origin");
    ServiceResponse::to(rebound.header("origin", "http://evil.example")).await.problem(403);
    assert_eq!(acme.stytch.requests(), []);

    let own = put(&acme).header("sec-fetch-site", "same-origin").header("origin", same);
    ServiceResponse::to(own).await.successful();
}

#[tokio::test]
async fn content_types_of_html_forms_are_rejected() {
    let acme = AcmeService::new();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        let request = crate::fake::http().put(format!("{}{}", acme.service.url, acme.path()));
        let request = request.header("cookie", token_cookie(&acme.ada)).body(RENAME);
        ServiceResponse::to(request.header("content-type", content_type)).await.problem(415);
    }
    assert_eq!(acme.stytch.requests(), []);
}

#[tokio::test]
async fn preflight_of_another_origin_gets_no_cors_headers() {
    let acme = AcmeService::new();
    let preflight = acme.service.request(Method::OPTIONS, &acme.path(), "", "");
    let preflight = preflight
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type");
    let response = ServiceResponse::to(preflight).await;
    assert_eq!(response.status, 405);
    assert!(!response.headers.keys().any(|name| name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn page_runs_only_its_own_script() {
    let acme = AcmeService::new();
    let page = acme.service.get("/").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "onclick"] {
        assert!(!page.text.contains(sink), "{sink}");
    }
}

fn put(acme: &AcmeService) -> RequestBuilder {
    acme.service.request(Method::PUT, &acme.path(), &token_cookie(&acme.ada), RENAME)
}
