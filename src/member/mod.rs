//! What a member can do.
//!
//! - `member.rs` has a method for each operation; `edit.rs` has edits, a read and an update of
//!   one connection, which run one after another.
//! - `call.rs` makes the attempts of a member's call.
//! - `update.rs` has the setters and checks of an update.
//! - `connection_edit.rs` edits the name and single roles, without a request.
//! - `permission.rs` checks permissions locally, and lists roles.

mod call;
mod connection_edit;
mod edit;
mod member;
mod permission;
mod update;

pub(crate) use call::Project;
pub use connection_edit::ConnectionEdit;
pub(crate) use edit::EditLocks;
pub use member::MemberClient;
pub(crate) use permission::Policies;
pub use permission::Verdict;
