//! What a member can do.
//!
//! - `member.rs` has a method for each operation; `edit.rs` has edits, a read and an update.
//! - `call.rs` makes the attempts of a member's call.
//! - `update.rs` has the setters and checks of an update; `edits.rs` edits single roles.
//! - `permission.rs` checks permissions locally.
//! - `edit_locks.rs` runs edits of one connection one after another.

mod call;
mod edit;
mod edit_locks;
mod edits;
mod member;
mod permission;
mod update;

pub(crate) use call::Project;
pub(crate) use edit_locks::EditLocks;
pub use member::MemberClient;
pub(crate) use permission::Policies;
pub use permission::Verdict;
