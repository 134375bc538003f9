//! How it works: resolution of sessions, requests, retries, outages, proxies.
//!
//! # How a session is resolved
//!
//! A [`MemberClient`](crate::MemberClient) sends every request with the member's session, as exactly
//! one of the headers `X-Stytch-Member-Session` and `X-Stytch-Member-SessionJWT`. Stytch checks that the
//! session is active, that it belongs to the organization in the URL, and that the member's roles
//! grant an action on the resource `stytch.sso`: `update` for an update, `get` for a read, both for an
//! edit, which reads before it updates.
//!
//! The organization in the URL is resolved from the session and is never a parameter:
//!
//! | session | how its organization is resolved | requests before the update |
//! | --- | --- | --- |
//! | JWT | from the JWT, after its RS256 signature is verified with the project's JWKS and `aud`, `iss`, `nbf`, `iat` and `exp` are valid | none, once the JWKS is cached |
//! | JWT with a valid signature and `aud`, anything else not valid, such as an expired one | `sessions/authenticate` decides, and returns a renewed JWT | one |
//! | session token | `sessions/authenticate`; the result is cached | one for each session |
//! | JWT while the JWKS can't be fetched | `sessions/authenticate` | one |
//! | JWT with an unknown `kid` | as above, after the next fetch of the JWKS | one fetch in 5 s at most |
//! | anything else | rejected as [`InvalidSession`](crate::ErrorKind::InvalidSession) | none |
//!
//! Caching is safe: a session belongs to one member, and a member to one organization, for its whole
//! life. The cache only determines the URL: Stytch checks the session in the header with every request,
//! and a session that it rejects is removed from the cache. Keys of the cache are SHA-256 digests.
//!
//! After a JWT was renewed, [`MemberClient::session`](crate::MemberClient::session) returns the new one,
//! to update the cookie.
//!
//! A key that is replaced under the same `kid`, as in a restored project or a restarted emulator, is seen
//! when the cached keys are five minutes old; until then a JWT that is signed with the new key is
//! [`InvalidSession`](crate::ErrorKind::InvalidSession). [`Client::warm_up`](crate::Client::warm_up)
//! fetches the keys now.
//!
//! # Requests to Stytch
//!
//! | call | requests, if nothing fails |
//! | --- | --- |
//! | `update_connection`, `connections`, `connection` | one |
//! | `edit_connection` | two; one if the edit changes nothing |
//! | any of these, with a session token or an expired JWT that isn't cached | one `sessions/authenticate` more |
//! | `check_permissions`, `role_ids` | the policies of the project and of the organization, each cached for 5 minutes; with a session token, `sessions/authenticate` at most every 5 minutes |
//!
//! The JWKS is fetched for the first JWT. It is refreshed in the background when a call finds it older
//! than 5 minutes. No timer starts a request. Keep one [`Client`](crate::Client) for the whole process:
//! clones share caches, connections and limits.
//!
//! After a denial the policies, and the roles of a session token, are read again for the next check, at
//! most once in 5 s. The roles of a JWT change when it is renewed.
//!
//! # Retries
//!
//! Failures to connect, resets, timeouts and the statuses 408, 429, 502, 503 and 504 are retried: 5
//! attempts with backoffs of 200, 400, 800 and 1,600 ms, each reduced by a random amount of up to half, so
//! a call outlasts an outage of 1.5 s. A `Retry-After` of up to 10 s is waited for in addition; a longer
//! one is returned at once. Everything ends with the operation timeout. Sending an update twice is safe,
//! because it sets values. If somebody else changes the connection in between, the second request
//! reverts that change. [`Error::outcome`](crate::Error::outcome) covers all attempts.
//!
//! A retry budget for each client (500 retries, refilled by 0.1 for each call and 5 a second) keeps
//! retries from multiplying the load of a longer outage.
//!
//! Failures that a retry can't change are never retried: rejections, invalid certificates, failed TLS
//! negotiation, a proxy that rejects the connection, bytes that aren't HTTP, more than 256 response
//! headers, a success with a body over `max_response_bytes`.
//!
//! In a job queue, treat [`Outcome::Applied`](crate::Outcome::Applied) as done, requeue what
//! [`is_retryable`](crate::Error::is_retryable) after
//! [`retry_after`](crate::Error::retry_after), and read the connection after any other error with
//! [`Outcome::Unknown`](crate::Outcome::Unknown).
//!
//! # Outages
//!
//! An outage of the JWKS or of the RBAC policies costs a call at most 2 s: a failed or slow fetch is
//! remembered, cached keys are used for up to an hour (`jwks_max_stale`), and without usable keys a
//! session JWT is resolved by `sessions/authenticate`. Only a JWT signed with a key that isn't cached, as
//! right after a key rotation, waits for the next fetch: at most 7 s.
//!
//! # Proxies
//!
//! For an https base URL, the proxy is read from the first that is set of `HTTPS_PROXY` and
//! `https_proxy`, else of `ALL_PROXY` and `all_proxy`. [`build`](crate::ClientBuilder::build) fails if the
//! value can't be used, unless `NO_PROXY` covers the host or `configure_http` is set. SOCKS is not
//! supported. `NO_PROXY` is a list, separated by commas, of host names, which cover their subdomains, with
//! or without a leading dot; IP addresses; networks such as `10.0.0.0/8`; and `*` for all hosts.
//!
//! A plain http base URL is for loopback and never goes through a proxy.
//!
//! # Tracing
//!
//! Each call of an operation is one [`tracing`](https://docs.rs/tracing) span, `stytch.call`, with
//! OpenTelemetry's attribute names and Stytch's request id; attempts are debug events. No span, event,
//! `Debug` output or error message contains a credential.
