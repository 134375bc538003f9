//! A machine's clock that differs from Stytch's logs no member out.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use stytch_sso_external::{
    ErrorKind, Operation, Session,
    testing::{Clock, Fault, Response, Stytch, responses},
    types::UpdateExternalConnectionRequest,
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use crate::support::{
    acme::Acme,
    capture::{self, Capture},
    scripted_project::rename,
};

#[tokio::test]
async fn members_stay_logged_in_whatever_the_clock_shows() {
    // Enables the events, whatever the other tests of the process do.
    capture::install();
    for (seconds, is_behind) in [(30, true), (600, true), (30, false), (600, false)] {
        let warnings = Warnings::default();
        let subscriber = tracing_subscriber::registry().with(warnings.clone()).with(Capture);
        let _guard = tracing::subscriber::set_default(subscriber);
        let Acme { stytch, organization, connection, ada } = Acme::new();
        let difference = Duration::from_secs(seconds);
        let now = stytch.clock().now();
        let clock = Clock::stopped_at(if is_behind { now - difference } else { now + difference });
        let client = stytch.client_builder().clock(clock.clone()).build().unwrap();
        let update = UpdateExternalConnectionRequest::default().display_name("Renamed");
        let what = format!("{seconds} s, behind: {is_behind}");

        // The browser keeps the same cookie for 20 minutes, four lifetimes of a JWT.
        let (jwt, lifetimes) = (ada.jwt(), 4);
        for minute in 0..20 {
            let member = client.as_member(Session::jwt(&jwt));
            let updated = member.update_connection(connection.id(), &update).await;
            updated.unwrap_or_else(|error| panic!("{what}, minute {minute}: {error:?}"));
            for clock in [&clock, stytch.clock()] {
                clock.advance(Duration::from_secs(60));
            }
        }
        let authenticated = stytch.count(Operation::AuthenticateSession);
        assert!((1..=lifetimes).contains(&authenticated), "{what}: {authenticated}");

        // Of many members at once, one warning.
        clock.advance(Duration::from_secs(60));
        stytch.clock().advance(Duration::from_secs(60));
        let before = warnings.0.load(Ordering::SeqCst);
        for _ in 0..10 {
            let jwt = organization.member("bob", &[]).log_in().jwt();
            stytch.clock().advance(Duration::from_secs(301));
            clock.advance(Duration::from_secs(1));
            client.as_member(Session::jwt(jwt)).organization_id().await.unwrap();
        }
        let warned = warnings.0.load(Ordering::SeqCst) - before;
        assert!(warned <= 1, "{what}: {warned} warnings");
        assert!(before >= 1, "{what}: no warning");
    }
}

#[tokio::test]
async fn clock_behind_is_corrected_after_the_first_response() {
    let stytch = Stytch::start();
    let acme = stytch.organization("acme");
    let clock = Clock::stopped_at(stytch.clock().now() - Duration::from_secs(600));
    let client = stytch.client_builder().clock(clock).build().unwrap();
    for _ in 0..20 {
        let jwt = acme.member("ada", &[]).log_in().jwt();
        client.as_member(Session::jwt(jwt)).organization_id().await.unwrap();
    }
    assert_eq!(stytch.count(Operation::AuthenticateSession), 1);
}

/// The difference isn't known before the first response of `sessions/authenticate`.
#[tokio::test]
async fn jwt_that_expired_by_stytchs_clock_only_is_renewed() {
    for seconds in [30, 200] {
        let Acme { stytch, connection, ada, .. } = Acme::new();
        let difference = Duration::from_secs(seconds);
        let clock = Clock::stopped_at(stytch.clock().now() - difference);
        let client = stytch.client_builder().clock(clock.clone()).build().unwrap();
        let jwt = ada.jwt();
        let member = client.as_member(Session::jwt(&jwt));
        // Valid by both clocks, then only by the machine's, with and without the renewed JWT.
        for (advance, authenticated) in [(seconds, 0), (310 - seconds, 1), (1, 1)] {
            for clock in [&clock, stytch.clock()] {
                clock.advance(Duration::from_secs(advance));
            }
            let update = rename(&format!("After {advance} s"));
            let updated = member.update_connection(connection.id(), &update).await;
            updated.unwrap_or_else(|error| panic!("{seconds} s: {error:?}"));
            assert_eq!(stytch.count(Operation::AuthenticateSession), authenticated, "{seconds} s");
        }
        assert_ne!(member.session().expose_secret(), jwt);

        ada.revoke();
        let revoked = client.as_member(Session::jwt(&jwt));
        let error = revoked.update_connection(connection.id(), &rename("No")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
    }
}

#[tokio::test]
async fn rejected_jwt_is_renewed_only_if_it_may_have_expired() {
    let Acme { stytch, connection, ada, .. } = Acme::new();
    let clock = stytch.clock().clone();
    let client = stytch.client_builder().clock(clock.clone()).build().unwrap();
    let update = Operation::UpdateExternalConnection;
    let rejection = Response::error(&responses::unable_to_parse_session_jwt());
    let _ = stytch.fault(update, Fault::response(rejection));
    // Fresh, and then old enough: renewed once, not for each rejection.
    for (age, updates, authenticated) in [(0, 1, 0), (60, 3, 1)] {
        clock.advance(Duration::from_secs(age));
        let member = client.as_member(Session::jwt(ada.jwt()));
        let error = member.update_connection(connection.id(), &rename("No")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSession, "{error:?}");
        assert_eq!(u64::from(error.attempts()), updates.min(2));
        assert_eq!(stytch.count(update), updates);
        assert_eq!(stytch.count(Operation::AuthenticateSession), authenticated);
    }
}

/// Counts the warnings that name a difference of the clocks.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut is_about_clocks = HasDifference(false);
        event.record(&mut is_about_clocks);
        if *event.metadata().level() == Level::WARN && is_about_clocks.0 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

struct HasDifference(bool);

impl Visit for HasDifference {
    fn record_debug(&mut self, field: &Field, _: &dyn Debug) {
        self.0 |= field.name() == "difference";
    }
}
