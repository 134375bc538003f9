//! The generated code that reviewers see is what the build wrote.

use std::{fs, path::Path};

/// `cargo xtask bindings` copies the code, so that a change of the document, or of the generator,
/// shows in the copy.
#[test]
fn snapshot_is_what_the_build_wrote() {
    let openapi = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    if !openapi.join("external-connections.yaml").exists() {
        eprintln!("skipped: the published package has no snapshot");
        return;
    }
    let snapshot = fs::read_to_string(openapi.join("generated/bindings.rs")).unwrap();
    let generated = [
        include_str!(concat!(env!("OUT_DIR"), "/operations.rs")),
        include_str!(concat!(env!("OUT_DIR"), "/bindings.rs")),
        include_str!(concat!(env!("OUT_DIR"), "/mocks.rs")),
    ];
    // A header stands above the code. Git may have checked it out with CRLF.
    let is_fresh = snapshot.replace("\r\n", "\n").ends_with(&generated.concat());
    assert!(is_fresh, "openapi/generated/bindings.rs is stale; fix: cargo xtask bindings");
}
