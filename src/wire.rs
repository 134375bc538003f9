//! x
/// x
#[derive(Clone, Debug)]
pub struct Caller;
impl progenitor_client::ClientHooks<Caller> for crate::generated::Client {}
