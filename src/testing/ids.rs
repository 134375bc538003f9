//! Random ids and tokens in the shape of Stytch's.

/// Returns a new id, such as `member-test-07971b06-ac8b-4cdb-9c15-63b17e653931`.
pub(super) fn id(kind: &str, environment: &str) -> String {
    let random = format!("{:032x}", fastrand::u128(..));
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &random[group]);
    format!("{kind}-{environment}-{}", groups.join("-"))
}

/// Returns a new session token, as opaque and as long as Stytch's.
pub(super) fn random_token() -> String {
    (0..44).map(|_| fastrand::alphanumeric()).collect()
}
