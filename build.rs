//! Generates the bindings from `openapi/generated/external-connections.json`, without network and
//! without writing anywhere but `OUT_DIR`.

use std::{env, fs, path::PathBuf, process::ExitCode};

#[path = "build/codegen.rs"]
mod codegen;

const DOCUMENT: &str = "openapi/generated/external-connections.json";

fn main() -> ExitCode {
    for input in ["build.rs", "build", DOCUMENT] {
        println!("cargo::rerun-if-changed={input}");
    }
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Several lines would end up in the build log as a bare first line.
            println!("cargo::error={DOCUMENT}: {}", message.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), String> {
    let folder = |variable: &str| {
        let folder = env::var_os(variable).map(PathBuf::from);
        folder.ok_or_else(|| format!("{variable} is not set: run this through cargo"))
    };
    // Build systems other than cargo may run this in another folder.
    let json = fs::read_to_string(folder("CARGO_MANIFEST_DIR")?.join(DOCUMENT))
        .map_err(|error| format!("can't read it: {error}"))?;
    let generated = codegen::generate(&json)?;
    let out_dir = folder("OUT_DIR")?;
    let write = |name: &str, code: &str| {
        let path = out_dir.join(name);
        fs::write(&path, code).map_err(|error| format!("can't write {}: {error}", path.display()))
    };
    write("bindings.rs", &generated.bindings)?;
    write("operations.rs", &generated.operations)?;
    if env::var_os("CARGO_FEATURE_TESTING").is_some() {
        write("mocks.rs", &generated.mocks)?;
    }
    Ok(())
}
