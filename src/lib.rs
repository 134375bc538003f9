//! x
mod clock;
mod generated;
mod session;
mod wire;
pub use session::{Session, SessionKind};
pub mod bindings {
    //! x
    pub use crate::generated::Client;
    pub use crate::session::Credential;
    pub use crate::wire::Caller;
}
pub use generated::types;
#[cfg(feature = "testing")]
pub mod testing;
