//! Generates the bindings from `openapi/generated/external-connections.json`, without network and
//! without writing anywhere but `OUT_DIR`.

use std::{env, fs, path::Path, process::ExitCode};

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
    let json = fs::read_to_string(DOCUMENT).map_err(|error| format!("can't read it: {error}"))?;
    let generated = codegen::generate(&json)?;
    let out_dir = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this through cargo")?;
    let write = |name: &str, code: &str| {
        let path = Path::new(&out_dir).join(name);
        fs::write(&path, code).map_err(|error| format!("can't write {}: {error}", path.display()))
    };
    write("bindings.rs", &generated.bindings)?;
    write("operations.rs", &generated.operations)?;
    if env::var_os("CARGO_FEATURE_TESTING").is_some() {
        write("mocks.rs", &generated.mocks)?;
    }
    Ok(())
}
