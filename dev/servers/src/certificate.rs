//! A certificate for servers on this machine, made for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::require;

/// The names for which it is good.
const NAMES: &str = "subjectAltName=IP:127.0.0.1,DNS:localhost\n";

/// A certificate, and the authority that has signed it.
pub struct Certificate {
    folder: PathBuf,
}

impl Certificate {
    /// Makes both in a folder, where they stay.
    pub fn make(folder: &Path) -> Self {
        require("openssl", "openssl");
        let certificate = Self { folder: folder.to_owned() };
        fs::write(folder.join("names"), NAMES).expect("the folder is there");
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let authority = ["-x509", "-days", "2", "-subj", "/CN=authority"];
        certificate.run(
            &[&["req"], &key[..], &authority, &["-keyout", "ca.key", "-out", "ca.pem"]].concat(),
        );
        let request = ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
        certificate.run(&[&["req"], &key[..], &request].concat());
        certificate.run(&[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "names",
            "-out",
            "server.pem",
        ]);
        certificate
    }

    /// The certificate of the authority, which clients have to trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.folder).output();
        let output = output.expect("openssl starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl failed: {said}");
    }
}
