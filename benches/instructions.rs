//! How many instructions the parts of an update take, counted by valgrind: they repeat where
//! times don't. `cargo xtask instructions` compares them with `benches/instructions.txt`.
//!
//! Each part was done once before it is counted, so that what is made on first use isn't in
//! it; small parts are counted fifty times over. The parts that speak to the far end have its
//! work in their count too, and the kernel's in none.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod support;

use gungraun::{library_benchmark, library_benchmark_group, main};
use stytch_sso_external::Client;
use support::Scene;

/// Does a small part fifty times: tidying up what others left to the allocator is a fifth of
/// doing it once, and not the same in each process.
fn often(part: impl Fn()) {
    for _ in 0..50 {
        part();
    }
}

fn with_newcomer() -> (Scene, Client) {
    let scene = Scene::new();
    let newcomer = scene.newcomer();
    (scene, newcomer)
}

#[library_benchmark]
#[bench::once(with_newcomer())]
fn jwt_first_sight((scene, newcomer): (Scene, Client)) -> (Scene, Client) {
    scene.jwt_first_sight(&newcomer);
    (scene, newcomer)
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
