//! Searches all logs, spans, events and panic messages of the process for credentials.
//!
//! A test doesn't know when the other tests end, so each event is searched at once. An event
//! that contains a credential aborts the process, with the event on stderr. Failing the test is
//! not enough: a task of hyper could swallow the panic.
//!
//! It finds the credentials that tests [register](register) and text that looks like one: a
//! JWT, a project secret, Basic auth, a session token as the fake generates them.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Debug,
    io::Write as _,
    iter, panic,
    sync::{
        LazyLock, Once, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::Regex;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt},
};

/// Starts to capture in the whole process. Further calls do nothing.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = Registry::default().with(Capture);
        tracing::subscriber::set_global_default(subscriber).expect("one subscriber in the process");
        log::set_boxed_logger(Box::new(Capture)).expect("one logger in the process");
        log::set_max_level(log::LevelFilter::Trace);
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            search("panic", &info.to_string());
            hook(info);
        }));
    });
}

/// Registers a credential to search for, in plain text and in base64.
pub(crate) fn register(credential: &str) {
    install();
    // Shorter text occurs in other text too, for example `..`. JWTs are found by their format: a
    // list of all that tests sign would take most of their time.
    if credential.len() < 12 || looks_like_one(credential) {
        return;
    }
    let is_known = |known: &Vec<String>| known.iter().any(|known| known == credential);
    if is_known(&CREDENTIALS.read().unwrap_or_else(PoisonError::into_inner)) {
        return;
    }
    let mut credentials = CREDENTIALS.write().unwrap_or_else(PoisonError::into_inner);
    credentials.extend([credential.to_owned(), BASE64_STANDARD.encode(credential)]);
}

/// Returns how many events of a target with this prefix there were so far.
pub(crate) fn seen(target: &str) -> u64 {
    let counts = COUNTS.iter().filter(|(prefix, _)| *prefix == target);
    counts.map(|(_, count)| count.load(Ordering::SeqCst)).sum()
}

/// Panics if an error or one of its sources contains a credential in `Debug` or `Display`.
pub(crate) fn inspect(error: &(dyn Error + 'static)) {
    for error in chain(error) {
        inspect_debug(&error);
        assert_shows_nothing(&error.to_string());
    }
}

/// Returns an error and its sources.
pub(crate) fn chain(error: &dyn Error) -> impl Iterator<Item = &dyn Error> {
    iter::successors(Some(error), |&error| error.source().map(|source| source as _))
}

/// Panics if a value contains a credential in `Debug`.
pub(crate) fn inspect_debug(shown: &impl Debug) {
    assert_shows_nothing(&format!("{shown:?}"));
    assert_shows_nothing(&format!("{shown:#?}"));
}

fn assert_shows_nothing(text: &str) {
    // Without the text, in which the panic hook would find the credential.
    assert!(!shows_credential(text), "a credential shows in {} bytes of text", text.len());
}

/// Returns whether a text contains a credential.
pub(crate) fn shows_credential(text: &str) -> bool {
    let credentials = CREDENTIALS.read().unwrap_or_else(PoisonError::into_inner);
    credentials.iter().any(|credential| text.contains(credential.as_str())) || looks_like_one(text)
}

fn looks_like_one(text: &str) -> bool {
    // The regular expression alone would take most of the time of all tests.
    let might_be = ["eyJ", "secret-", "Basic "].iter().any(|start| text.contains(start));
    let mut words = text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
    might_be && LOOKS_LIKE_ONE.is_match(text) || words.any(|word| word.len() == TOKEN_LENGTH)
}

/// The logger of the process, and the layer of its subscriber. It searches the events of a thread
/// whose subscriber a test replaces, too.
pub(crate) struct Capture;

impl<S: Subscriber> Layer<S> for Capture {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        !is_test_tool(metadata.target())
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        search_fields(attributes.metadata().target(), |text| attributes.record(text));
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        search_fields("span", |text| values.record(text));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        search_fields(event.metadata().target(), |text| event.record(text));
    }
}

impl log::Log for Capture {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if !is_test_tool(record.target()) {
            search(record.target(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// The server of the fake logs whole requests. It is not a part of the client.
fn is_test_tool(target: &str) -> bool {
    target.starts_with("httpmock")
}

/// The fields of a span or an event, with an error as the chain of its sources.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub(crate) BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let chain: Vec<_> = chain(value).map(ToString::to_string).collect();
        self.0.insert(field.name(), chain.join(": "));
    }
}

fn search_fields(target: &str, record: impl FnOnce(&mut Fields)) {
    let mut fields = Fields::default();
    record(&mut fields);
    let fields: Vec<_> = fields.0.iter().map(|(name, text)| format!("{name}={text}")).collect();
    search(target, &fields.join(" "));
}

fn search(target: &str, text: &str) {
    for (prefix, count) in &COUNTS {
        if target.starts_with(prefix) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
    if shows_credential(text) {
        // Not `eprintln!`, whose output the test harness captures.
        let _ = writeln!(std::io::stderr(), "{LEAKED} in an event of {target}: {text}");
        std::process::abort();
    }
}

/// The message on stderr before the process aborts.
pub(crate) const LEAKED: &str = "A CREDENTIAL SHOWS";

static CREDENTIALS: RwLock<Vec<String>> = RwLock::new(Vec::new());
static COUNTS: [(&str, AtomicU64); 2] =
    [("stytch_sso_external", AtomicU64::new(0)), ("reqwest", AtomicU64::new(0))];
static LOOKS_LIKE_ONE: LazyLock<Regex> = LazyLock::new(|| {
    let jwt = r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}";
    let secret = r"secret-(test|live)-";
    let basic = r"Basic [A-Za-z0-9+/]{12,}";
    Regex::new(&[jwt, secret, basic].join("|")).unwrap()
});
/// The length of the fake's session tokens.
const TOKEN_LENGTH: usize = 44;
