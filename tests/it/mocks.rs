//! The typed mocks: which requests they match.

use stytch_sso_external::testing::{httpmock::MockServer, mocks::MockServerExt};

use crate::support::prelude::*;

#[tokio::test]
async fn an_id_matches_itself_and_nothing_else() {
    let server = MockServer::start_async().await;
    let client = Client::builder("project-test-1", "secret").base_url(server.base_url());
    let client = client.retry(RetryPolicy::disabled()).build().unwrap();
    let update = UpdateExternalConnectionRequest::default().display_name("Acme");
    for character in ".+*()[]{}|^$".chars() {
        let id = format!("a{character}b");
        let mut mock = server.update_external_connection(|when, then| {
            when.connection_id(&id);
            then.success(200, &responses::updated(responses::connection()));
        });
        let others = ["aab", "ab", "aXb", "a", "b", "axxb"].map(str::to_owned);
        let longer = [format!("{id}b"), format!("a{id}"), format!("x/{id}")];
        for sent in others.iter().chain(&longer).chain([&id]) {
            let before = mock.calls();
            let bindings = client.bindings();
            let sending =
                bindings.update_external_connection("organization-1", sent, None, None, &update);
            let is_found = sending.await.is_ok();
            assert_eq!(is_found, *sent == id, "{id:?} and {sent:?}");
            assert_eq!(mock.calls() - before, usize::from(*sent == id), "{id:?} and {sent:?}");
        }
        mock.delete();
    }
}

#[tokio::test]
async fn unconstrained_id_matches_one_segment() {
    let server = MockServer::start_async().await;
    let mock = server.update_external_connection(|when, then| {
        when.connection_id("connection");
        then.success(200, &responses::updated(responses::connection()));
    });
    let http = reqwest::Client::new();
    for (organization, is_matched) in [("o", true), ("o%2Fp", true), ("o/p", false), ("", false)] {
        let path = format!("v1/b2b/sso/external/{organization}/connections/connection");
        let url = format!("{}/{path}", server.base_url());
        let response = http.put(url).send().await.unwrap();
        assert_eq!(response.status().is_success(), is_matched, "{organization}");
    }
    assert_eq!(mock.calls(), 2);
}
