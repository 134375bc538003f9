//! Counts the instructions of the parts of an update with valgrind: unlike times, counts are
//! reproducible. A part that takes more than its limit fails.
//!
//! The limits are 3 % above the counts with rustc 1.95.0 (59807616e 2026-04-14); another compiler
//! may need others. To raise one, give the reason in the commit.
//!
//! Each part runs once before it is counted, so that the count excludes initialization on first
//! use; small parts are counted fifty times. The counts of parts with a request include the
//! server's work, but not the kernel's.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod support;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use stytch_sso_external::Client;
use support::{Fixture, Roles};

/// Runs a small part fifty times: the allocator's work for earlier allocations is a fifth of one
/// run, and differs from process to process.
fn often(part: impl Fn()) {
    for _ in 0..50 {
        part();
    }
}

fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

fn with_fresh_client() -> (Fixture, Client) {
    let fixture = Fixture::new();
    let fresh_client = fixture.fresh_client();
    (fixture, fresh_client)
}

#[library_benchmark(config = at_most(434_277))]
#[bench::once(with_fresh_client())]
fn jwt_first_sight((fixture, fresh_client): (Fixture, Client)) -> (Fixture, Client) {
    fixture.jwt_first_sight(&fresh_client);
    (fixture, fresh_client)
}

#[library_benchmark(config = at_most(2_651_887))]
#[bench::often(Fixture::new())]
fn jwt_seen_before(fixture: Fixture) -> Fixture {
    often(|| fixture.jwt_seen_before());
    fixture
}

#[library_benchmark(config = at_most(97_638))]
#[bench::often(Fixture::new())]
fn session_cloned(fixture: Fixture) -> Fixture {
    often(|| fixture.session_cloned());
    fixture
}

#[library_benchmark(config = at_most(283_703))]
#[bench::often(Fixture::new())]
fn token_seen_before(fixture: Fixture) -> Fixture {
    often(|| fixture.token_seen_before());
    fixture
}

#[library_benchmark(config = at_most(54_470))]
#[bench::once(Fixture::new())]
fn request_building(fixture: Fixture) -> Fixture {
    fixture.request_building();
    fixture
}

#[library_benchmark(config = at_most(650_953))]
#[bench::often(Fixture::new())]
fn response_parsing(fixture: Fixture) -> Fixture {
    often(|| fixture.response_parsing());
    fixture
}

#[library_benchmark(config = at_most(125_294))]
#[bench::once(Fixture::new())]
fn update_accepted(fixture: Fixture) -> Fixture {
    fixture.update_accepted();
    fixture
}

#[library_benchmark(config = at_most(126_321))]
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
