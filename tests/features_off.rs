//! What the compiler says of a method whose feature is off.
//!
//! Each file in `ui-tests/off/` calls one. They are checked as the programs of a
//! package that depends on this crate with few features, whatever those of this run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = r#"
[package]
name = "features-off"
edition = "2024"

[dependencies]
cloakroom = { path = "<root>", default-features = false, features = ["json", "memory"] }
serde = { version = "1", features = ["derive"] }

[workspace]
"#;

#[test]
fn a_method_whose_feature_is_off_names_the_feature() {
    let package = package();
    for (program, sentences) in [
        (
            "data",
            [
                "error[E0277]: `.data::<Cart>()` needs cloakroom's feature `messagepack`, which is off",
                "note: add `messagepack` to cloakroom's `features` in Cargo.toml",
                "note: or name another codec: `.codec(Json::<Cart>::new())`, with the feature `json`",
            ],
        ),
        (
            "flask_session",
            [
                "error[E0277]: `Config::flask_session()` needs cloakroom's feature `flask`, which is off",
                "^^^^^^^ the configuration that Flask shares is not there",
                "note: add `flask` to cloakroom's `features` in Cargo.toml",
            ],
        ),
        ("layer_of_the_configuration", LAYER),
        ("layer_of_the_sessions", LAYER),
        (
            "sweep_every",
            [
                "error[E0277]: `.sweep_every(...)` needs cloakroom's feature `sweeper`, which is off",
                "note: add `sweeper` to cloakroom's `features` in Cargo.toml",
                "note: `.sweep().await` removes expired records once, without the feature",
            ],
        ),
    ] {
        let output = check(&package, program);
        for sentence in sentences {
            assert!(output.contains(sentence), "{sentence}\nis not in\n{output}");
        }
        assert_eq!(output.matches("error[").count(), 1, "one mistake, one error:\n{output}");
    }
}

const LAYER: [&str; 3] = [
    "error[E0277]: `.layer()` needs cloakroom's feature `tower`, which is off",
    "note: add `axum` to cloakroom's `features` in Cargo.toml, or `tower` for other services",
    "note: without a framework: `sessions.open(&request_headers)` and `session.close(&mut response_headers)`",
];

/// A package whose programs are the files in `ui-tests/off/`.
fn package() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("features_off");
    let programs = package.join("src/bin");
    fs::create_dir_all(&programs).expect("a folder");
    let manifest = MANIFEST.replace("<root>", &root.display().to_string());
    fs::write(package.join("Cargo.toml"), manifest).expect("a manifest");
    // The versions that the tests were built with are on this machine.
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("a lock file");
    for entry in fs::read_dir(root.join("ui-tests/off")).expect("the mistakes") {
        let file = entry.expect("a file");
        fs::copy(file.path(), programs.join(file.file_name())).expect("a program");
    }
    package
}

/// What `cargo check` says of a program, which must not compile.
fn check(package: &Path, program: &str) -> String {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--offline", "--quiet", "--color=never", "--bin", program])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        // Beside the programs of the other messages, whose dependencies are the same.
        .arg("--target-dir")
        .arg(package.join("../../tests/trybuild"))
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "`{program}` compiles:\n{said}");
    said
}
