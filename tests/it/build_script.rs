//! The build script, run as other build systems than cargo do: in another folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

#[test]
fn build_script_runs_in_another_folder() {
    let Some(script) = build_script() else {
        println!("skipped: the build script is not where cargo puts it");
        return;
    };
    let folder = env::temp_dir().join(format!("stytch-sso-external-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let done = run(&script, &folder, Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(done.status.success(), "{done:?}");
    for name in ["bindings.rs", "operations.rs"] {
        assert!(fs::read_to_string(folder.join(name)).unwrap().contains("impl"), "{name}");
    }
    let failed = run(&script, &folder, &folder);
    assert!(!failed.status.success(), "{failed:?}");
    let text = String::from_utf8_lossy(&failed.stdout).into_owned();
    let expected = "cargo::error=openapi/generated/external-connections.json: can't read it: ";
    assert!(text.contains(expected), "{text}");
    fs::remove_dir_all(folder).unwrap();
}

/// Runs the script in a folder, as the build script of the package in `manifest_dir`.
fn run(script: &Path, folder: &Path, manifest_dir: &Path) -> Output {
    Command::new(script)
        .current_dir(folder)
        .env("OUT_DIR", folder)
        .env("CARGO_MANIFEST_DIR", manifest_dir)
        .output()
        .unwrap()
}

/// The newest build script of this package beside the output of the one that ran for this test.
fn build_script() -> Option<PathBuf> {
    let builds = Path::new(env!("OUT_DIR")).ancestors().nth(2)?;
    let script = format!("build-script-build{}", env::consts::EXE_SUFFIX);
    let builds = fs::read_dir(builds).ok()?.filter_map(Result::ok);
    let ours = builds.filter(|build| {
        build.file_name().to_string_lossy().starts_with(concat!(env!("CARGO_PKG_NAME"), "-"))
    });
    let scripts = ours.map(|build| build.path().join(&script)).filter(|path| path.exists());
    scripts.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
}
