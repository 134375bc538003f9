//! The resources and actions of Stytch's default policy.
//!
//! From <https://stytch.com/docs/b2b/api/rbac-resource-object>, read in November 2026;
//! `stytch.scim` and the action `get` from the `@rbac` notes in Stytch's JavaScript SDK. A
//! policy grants `*` as well, but no operation requires it.

/// Resources, and their actions in alphabetical order.
pub(crate) const KNOWN: [(&str, &[&str]); 5] = [
    (
        "stytch.member",
        &[
            "create",
            "delete",
            "search",
            "update.info.delete.mfa-phone",
            "update.info.mfa-phone",
            "update.info.name",
            "update.info.untrusted_metadata",
            "update.settings.is-breakglass",
            "update.settings.mfa_enrolled",
            "update.settings.roles",
        ],
    ),
    (
        "stytch.organization",
        &[
            "delete",
            "update.info.allowed_domains",
            "update.info.default_sso_connection",
            "update.info.email_invites",
            "update.info.email_jit_provisioning",
            "update.info.implicit_roles",
            "update.info.logo_url",
            "update.info.mfa_policy",
            "update.info.name",
            "update.info.slug",
            "update.info.sso_jit_provisioning",
            "update.info.untrusted_metadata",
        ],
    ),
    ("stytch.scim", &["create", "delete", "get", "update"]),
    (
        "stytch.self",
        &[
            "delete",
            "update.info.delete.mfa-phone",
            "update.info.delete.password",
            "update.info.mfa-phone",
            "update.info.name",
            "update.info.untrusted_metadata",
            "update.settings.mfa_enrolled",
        ],
    ),
    ("stytch.sso", &["create", "delete", "get", "update"]),
];
