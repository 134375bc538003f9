//! How long the parts of an update take: `cargo bench -p benches --bench time`. To look at,
//! not to decide by: on a busy machine the times differ from run to run, and the instructions
//! don't.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod support;

use divan::Bencher;
use support::Scene;

fn main() {
    divan::main();
}

#[divan::bench(sample_size = 1)]
fn jwt_first_sight(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher
        .with_inputs(|| scene.newcomer())
        .bench_local_refs(|newcomer| scene.jwt_first_sight(newcomer));
}

#[divan::bench]
fn jwt_seen_before(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher.bench_local(|| scene.jwt_seen_before());
}

#[divan::bench]
fn token_seen_before(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher.bench_local(|| scene.token_seen_before());
}

#[divan::bench]
fn response_parsing(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher.bench_local(|| scene.response_parsing());
}

// One at a time, so that each finds a connection that is open and that nobody uses.

#[divan::bench(sample_size = 1)]
fn request_building(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher.with_inputs(|| scene.settle()).bench_local_values(|()| scene.request_building());
}

#[divan::bench(sample_size = 1)]
fn update_accepted(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher.with_inputs(|| scene.settle()).bench_local_values(|()| scene.update_accepted());
}

#[divan::bench(sample_size = 1)]
fn error_mapping(bencher: Bencher<'_, '_>) {
    let scene = Scene::new();
    bencher.with_inputs(|| scene.settle()).bench_local_values(|()| scene.error_mapping());
}
