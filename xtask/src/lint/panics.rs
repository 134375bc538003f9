//! Catches a panic with its message and place, without the output that it prints by default.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::Once,
};

/// Calls a function; if it panics, returns the message and where in the source it comes from.
pub(super) fn catch<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_caught = CAUGHT.with_borrow_mut(|caught| match caught {
                Some(message) => {
                    *message = describe(info);
                    true
                }
                None => false,
            });
            if !is_caught {
                print(info);
            }
        }));
    });
    CAUGHT.set(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(function));
    let message = CAUGHT.take().unwrap_or_default();
    result.map_err(|_| message)
}

thread_local! {
    /// The message of the last panic; none where panics aren't caught.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let message = payload.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
    let message = message.unwrap_or("without a message");
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(location) = info.location() else {
        return message;
    };
    // The path in cargo's registry differs by machine.
    let file = location.file().replace('\\', "/");
    let file = file
        .rsplit_once("/registry/src/")
        .map_or(&*file, |(_, path)| path.split_once('/').map_or(path, |(_, path)| path));
    format!("{message} ({file}:{})", location.line())
}
