//! Which session is chosen from the headers and cookies of a request.

use stytch_sso_external::SessionCookies;

use crate::support::prelude::*;

const JWT: &str = "x-stytch-member-sessionjwt";
const TOKEN: &str = "x-stytch-member-session";

/// A session JWT that was issued this many seconds ago, for five minutes.
fn issued(seconds_ago: i64, project: &str) -> String {
    sign(&with(claims_since(seconds_ago), "/aud", json!([project])))
}

/// Values that can't be a session JWT.
fn junk() -> Vec<String> {
    let good = issued(0, PROJECT);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    let long = json!({"iat": 1, "exp": 1, "long": "x".repeat(16 << 10)});
    let mut junk = vec![
        good[..good.len() - 9].to_owned(),
        signed.to_owned(),
        format!("{good}.x"),
        format!("{good}="),
        format!("bm90IEpTT04.{payload}.{signature}"),
        format!("WzFd.{payload}.{signature}"),
        format!("{head}.bm90IEpTT04.{signature}"),
        sign(&without(claims(), "/iat")),
        sign(&without(claims(), "/exp")),
        jwt::sign(&header(), &json!({"iat": "1", "exp": 1}), &KEY),
        jwt::sign_hmac(&header(), &claims(), b"key"),
        jwt::unsigned(&header(), &claims()),
        jwt::sign(&header(), &long, &KEY),
    ];
    junk.extend(["undefined", "null", "", "j", "a.b.c", "..", "tökén"].map(str::to_owned));
    junk
}

/// Asserts which session all readers of cookies choose.
fn assert_cookies(cookies: &str, expected: Option<&Session>) {
    let (headers, default) = (headers_of(&[("cookie", cookies)]), SessionCookies::default());
    let parsed = default.parse(cookies);
    for session in [Session::from_headers(&headers), default.session(&headers), parsed] {
        // Its beginning: the capture would take a whole JWT for a leak, and end the process.
        let beginning: String = cookies.chars().take(60).collect();
        assert!(session.as_ref() == expected, "{session:?} of {beginning}");
    }
}

#[test]
fn last_token_cookie_is_chosen() {
    for none in ["", "a=b", "stytch_session"] {
        assert_cookies(none, None);
    }
    let long = "x".repeat(16 * 1024 + 1);
    for junk in ["", "\"\"", "undefined", "null", "a b", "tökén", &long] {
        assert_cookies(&format!("stytch_session={junk}"), None);
        let both = format!("stytch_session=good; stytch_session={junk}");
        assert_cookies(&both, Some(&Session::token("good")));
    }
    for (cookies, expected) in [
        ("stytch_session=t", "t"),
        ("x=1;stytch_session=\"t\"", "t"),
        ("not_stytch_session=x; stytch_session=a=b", "a=b"),
        ("name=Zoë; stytch_session=t", "t"),
        ("stytch_session=stale; stytch_session=good", "good"),
        ("stytch_session=good; stytch_session=stale", "stale"),
    ] {
        assert_cookies(cookies, Some(&Session::token(expected)));
    }
}

#[test]
fn newest_jwt_cookie_is_chosen_before_any_token() {
    let (fresh, yesterday) = (issued(0, PROJECT), issued(86_400, PROJECT));
    let (later, tomorrow) = (issued(-30, PROJECT), issued(-86_400, PROJECT));
    let foreign = issued(0, "project-test-other");
    for (jwts, expected) in [
        (vec![&fresh], &fresh),
        (vec![&yesterday], &yesterday),
        (vec![&yesterday, &fresh], &fresh),
        (vec![&fresh, &yesterday], &fresh),
        (vec![&fresh, &later], &later),
        (vec![&later, &fresh], &later),
        (vec![&fresh, &tomorrow], &fresh),
        (vec![&tomorrow, &yesterday], &yesterday),
        (vec![&tomorrow], &tomorrow),
        // It is a JWT, so it is chosen; resolving it fails.
        (vec![&foreign], &foreign),
    ] {
        let cookies: Vec<_> = jwts.iter().map(|jwt| format!("stytch_session_jwt={jwt}")).collect();
        let cookies = cookies.join("; ");
        for text in [cookies.clone(), format!("stytch_session=t; {cookies}")] {
            assert_cookies(&text, Some(&Session::jwt(expected)));
        }
    }
}

#[test]
fn junk_never_hides_a_session() {
    let good = issued(0, PROJECT);
    let (jwt, token) = (Session::jwt(&good), Session::token("good"));
    for junk in junk() {
        assert_cookies(&format!("stytch_session_jwt={junk}"), None);
        let beside_a_token = format!("stytch_session_jwt={junk}; stytch_session=good");
        assert_cookies(&beside_a_token, Some(&token));
        for [first, second] in [[&junk, &good], [&good, &junk]] {
            let both = format!("stytch_session_jwt={first}; stytch_session_jwt={second}");
            assert_cookies(&both, Some(&jwt));
        }
        let headers = headers_of(&[(JWT, &junk), (TOKEN, "good")]);
        assert!(Session::from_headers(&headers).as_ref() == Some(&token), "{junk}");
    }
}

/// Headers of a request, and the session that they contain.
type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a Session>);

#[test]
fn request_with_a_session_header_never_uses_cookies() {
    let good = issued(0, PROJECT);
    let cookies = ("cookie", &*format!("stytch_session=c; stytch_session_jwt={good}"));
    let (jwt, token) = (Session::jwt(&good), Session::token("t"));
    let cases: &[Case] = &[
        (&[], None),
        (&[(JWT, "")], None),
        (&[(TOKEN, "t")], Some(&token)),
        (&[(JWT, &good), (TOKEN, "t")], Some(&jwt)),
        (&[(TOKEN, "t"), cookies], Some(&token)),
        (&[(JWT, "undefined"), (TOKEN, "t"), cookies], Some(&token)),
        (&[(JWT, "undefined"), cookies], None),
        (&[(TOKEN, "null"), cookies], None),
        (&[(TOKEN, "tökén"), cookies], None),
        (&[(JWT, ""), (TOKEN, ""), cookies], Some(&jwt)),
        (&[("cookie", "x=1"), cookies], Some(&jwt)),
    ];
    for (row, (given, expected)) in cases.iter().enumerate() {
        let session = Session::from_headers(&headers_of(given));
        assert!(session.as_ref() == *expected, "{session:?} of row {row}");
    }
}

#[test]
fn cookies_of_other_names_are_read_and_headers_are_not() {
    let good = issued(0, PROJECT);
    let cookies = SessionCookies::new("acme_jwt", "acme_token");
    let both = cookies.parse(&format!("acme_jwt={good}; acme_token=t"));
    assert_eq!(both, Some(Session::jwt(&good)));
    assert_eq!(cookies.parse("acme_token=t").unwrap().kind(), SessionKind::Token);
    assert_eq!(cookies.parse(&format!("stytch_session_jwt={good}; stytch_session=t")), None);
    assert_eq!(cookies.session(&headers_of(&[(TOKEN, "t")])), None);
    let owned = SessionCookies::new(String::from("j"), String::from("t"));
    assert_eq!(owned.parse("t=1"), Some(Session::token("1")));
}
