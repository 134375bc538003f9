//! Counts the instructions of the parts of an update with valgrind: unlike times, counts are
//! reproducible. `cargo xtask instructions` compares them with `benches/instructions.txt`.
//!
//! Each part runs once before it is counted, so that the count excludes initialization on first
//! use; small parts are counted fifty times. The counts of parts with a request include the
//! server's work, but not the kernel's.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod support;

use gungraun::{library_benchmark, library_benchmark_group, main};
use stytch_sso_external::Client;
use support::{Fixture, Roles};

/// Runs a small part fifty times: the allocator's work for earlier allocations is a fifth of one
/// run, and differs from process to process.
fn often(part: impl Fn()) {
    for _ in 0..50 {
        part();
    }
}

fn with_fresh_client() -> (Fixture, Client) {
    let fixture = Fixture::new();
    let fresh_client = fixture.fresh_client();
    (fixture, fresh_client)
}

#[library_benchmark]
#[bench::once(with_fresh_client())]
fn jwt_first_sight((fixture, fresh_client): (Fixture, Client)) -> (Fixture, Client) {
    fixture.jwt_first_sight(&fresh_client);
    (fixture, fresh_client)
}

#[library_benchmark]
#[bench::often(Fixture::new())]
fn jwt_seen_before(fixture: Fixture) -> Fixture {
    often(|| fixture.jwt_seen_before());
    fixture
}

#[library_benchmark]
#[bench::often(Fixture::new())]
fn session_cloned(fixture: Fixture) -> Fixture {
    often(|| fixture.session_cloned());
    fixture
}

#[library_benchmark]
#[bench::often(Fixture::new())]
fn token_seen_before(fixture: Fixture) -> Fixture {
    often(|| fixture.token_seen_before());
    fixture
}

#[library_benchmark]
#[bench::once(Fixture::new())]
fn request_building(fixture: Fixture) -> Fixture {
    fixture.request_building();
    fixture
}

#[library_benchmark]
#[bench::often(Fixture::new())]
fn response_parsing(fixture: Fixture) -> Fixture {
    often(|| fixture.response_parsing());
    fixture
}

#[library_benchmark]
#[bench::once(Fixture::new())]
fn update_accepted(fixture: Fixture) -> Fixture {
    fixture.update_accepted();
    fixture
}

#[library_benchmark]
#[bench::once(Fixture::new())]
fn error_mapping(fixture: Fixture) -> Fixture {
    fixture.error_mapping();
    fixture
}

// Ten times as many roles take about ten times as many instructions.

#[library_benchmark]
#[bench::once(Roles::new(1_000))]
fn edit_1000_roles(roles: Roles) -> Roles {
    roles.edit();
    roles
}

#[library_benchmark]
#[bench::once(Roles::new(10_000))]
fn edit_10000_roles(roles: Roles) -> Roles {
    roles.edit();
    roles
}

#[library_benchmark]
#[bench::once(Roles::new(1_000))]
fn check_1000_roles(roles: Roles) -> Roles {
    roles.check();
    roles
}

#[library_benchmark]
#[bench::once(Roles::new(10_000))]
fn check_10000_roles(roles: Roles) -> Roles {
    roles.check();
    roles
}

library_benchmark_group!(
    name = parts,
    benchmarks = [
        jwt_first_sight,
        jwt_seen_before,
        session_cloned,
        token_seen_before,
        request_building,
        response_parsing,
        update_accepted,
        error_mapping,
        edit_1000_roles,
        edit_10000_roles,
        check_1000_roles,
        check_10000_roles
    ]
);

main!(library_benchmark_groups = parts);
