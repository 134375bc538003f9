//! Counts the instructions of the parts of an update with valgrind: unlike times, counts are
//! reproducible. A part that takes more than its limit fails.
//!
//! The limits are 3 % above the counts with rustc 1.95.0 (59807616e 2026-04-14); another compiler
//! may need others. To raise one, give the reason in the commit.
//!
//! Each part runs once before it is counted, so that the count excludes initialization on first
//! use. Small parts are counted fifty times: the allocator's work for earlier allocations is a
//! fifth of one run, and differs from process to process. The counts of parts with a request
//! include the server's work, but not the kernel's.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod support;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use support::Fixture;

fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let limits = [(EventKind::Ir, instructions)];
    LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits(limits)).clone()
}

// Runs a part of a fixture with a number of roles.
#[library_benchmark(setup = set_up)]
#[bench::jwt_first_sight(args = (0, 1, Fixture::jwt_first_sight), config = at_most(438_413))]
#[bench::jwt_seen_before(args = (0, 50, Fixture::jwt_seen_before), config = at_most(2_708_947))]
#[bench::session_cloned(args = (0, 50, Fixture::session_cloned), config = at_most(119_458))]
#[bench::token_seen_before(args = (0, 50, Fixture::token_seen_before), config = at_most(326_127))]
#[bench::request_building(args = (0, 1, Fixture::request_building), config = at_most(58_452))]
#[bench::response_parsing(args = (0, 50, Fixture::response_parsing), config = at_most(504_420))]
#[bench::update_accepted(args = (0, 1, Fixture::update_accepted), config = at_most(128_671))]
#[bench::error_mapping(args = (0, 1, Fixture::error_mapping), config = at_most(136_488))]
// Ten times as many roles take about ten times as many instructions.
#[bench::edit_1000_roles(args = (1_000, 1, Fixture::edit), config = at_most(4_551_715))]
#[bench::edit_10000_roles(args = (10_000, 1, Fixture::edit), config = at_most(51_160_247))]
#[bench::check_1000_roles(args = (1_000, 1, Fixture::permission_check), config = at_most(3_914_483))]
#[bench::check_10000_roles(args = (10_000, 1, Fixture::permission_check), config = at_most(47_883_149))]
fn part((fixture, times, run): (Fixture, u32, fn(&Fixture))) -> Fixture {
    for _ in 0..times {
        run(&fixture);
    }
    fixture
}

fn set_up(roles: usize, times: u32, run: fn(&Fixture)) -> (Fixture, u32, fn(&Fixture)) {
    (Fixture::new(roles), times, run)
}

library_benchmark_group!(name = parts, benchmarks = [part]);

main!(library_benchmark_groups = parts);
