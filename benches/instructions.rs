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
use support::Scene;

/// Runs a small part fifty times: the allocator's work for earlier allocations is a fifth of one
/// run, and differs from process to process.
fn often(part: impl Fn()) {
    for _ in 0..50 {
        part();
    }
}

fn with_fresh_client() -> (Scene, Client) {
    let scene = Scene::new();
    let fresh_client = scene.fresh_client();
    (scene, fresh_client)
}

#[library_benchmark]
#[bench::once(with_fresh_client())]
fn jwt_first_sight((scene, fresh_client): (Scene, Client)) -> (Scene, Client) {
    scene.jwt_first_sight(&fresh_client);
    (scene, fresh_client)
}

#[library_benchmark]
#[bench::often(Scene::new())]
fn jwt_seen_before(scene: Scene) -> Scene {
    often(|| scene.jwt_seen_before());
    scene
}

#[library_benchmark]
#[bench::often(Scene::new())]
fn token_seen_before(scene: Scene) -> Scene {
    often(|| scene.token_seen_before());
    scene
}

#[library_benchmark]
#[bench::once(Scene::new())]
fn request_building(scene: Scene) -> Scene {
    scene.request_building();
    scene
}

#[library_benchmark]
#[bench::often(Scene::new())]
fn response_parsing(scene: Scene) -> Scene {
    often(|| scene.response_parsing());
    scene
}

#[library_benchmark]
#[bench::once(Scene::new())]
fn update_accepted(scene: Scene) -> Scene {
    scene.update_accepted();
    scene
}

#[library_benchmark]
#[bench::once(Scene::new())]
fn error_mapping(scene: Scene) -> Scene {
    scene.error_mapping();
    scene
}

library_benchmark_group!(
    name = parts,
    benchmarks = [
        jwt_first_sight,
        jwt_seen_before,
        token_seen_before,
        request_building,
        response_parsing,
        update_accepted,
        error_mapping
    ]
);

main!(library_benchmark_groups = parts);
