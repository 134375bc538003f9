//! Measures the time of the parts of an update: `cargo bench -p benches --bench time`. For
//! orientation only: on a busy machine times differ from run to run, instruction counts don't.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod support;

use divan::Bencher;
use support::{Fixture, Roles};

fn main() {
    divan::main();
}

#[divan::bench(sample_size = 1)]
fn jwt_first_sight(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher
        .with_inputs(|| fixture.fresh_client())
        .bench_local_refs(|fresh_client| fixture.jwt_first_sight(fresh_client));
}

#[divan::bench]
fn jwt_seen_before(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.bench_local(|| fixture.jwt_seen_before());
}

#[divan::bench]
fn session_cloned(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.bench_local(|| fixture.session_cloned());
}

#[divan::bench]
fn token_seen_before(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.bench_local(|| fixture.token_seen_before());
}

#[divan::bench]
fn response_parsing(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.bench_local(|| fixture.response_parsing());
}

// One sample at a time, so that each uses the open, idle connection.

#[divan::bench(sample_size = 1)]
fn request_building(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.with_inputs(|| fixture.settle()).bench_local_values(|()| fixture.request_building());
}

#[divan::bench(sample_size = 1)]
fn update_accepted(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.with_inputs(|| fixture.settle()).bench_local_values(|()| fixture.update_accepted());
}

#[divan::bench(sample_size = 1)]
fn error_mapping(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new();
    bencher.with_inputs(|| fixture.settle()).bench_local_values(|()| fixture.error_mapping());
}

#[divan::bench(args = [1_000, 10_000])]
fn edit_roles(bencher: Bencher<'_, '_>, count: usize) {
    let roles = Roles::new(count);
    bencher.bench_local(|| roles.edit());
}

#[divan::bench(args = [1_000, 10_000])]
fn check_roles(bencher: Bencher<'_, '_>, count: usize) {
    let roles = Roles::new(count);
    bencher.bench_local(|| roles.check());
}
