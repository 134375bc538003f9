//! TLS servers with certificates of an authority that a client trusts: a good one, and ones with
//! exactly one thing wrong. `tests/certificates/make` made them.

use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ResolvesServerCertUsingSni, WebPkiClientVerifier},
};

use super::prelude::*;

/// The certificate of the authority, as `SSL_CERT_FILE` takes it.
pub(crate) const AUTHORITY_FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/authority.pem");

/// The same, as `configure_http` takes it.
pub(crate) fn authority() -> reqwest::Certificate {
    reqwest::Certificate::from_pem(&pem("authority")).unwrap()
}

/// A server whose certificate is for loopback and has nothing wrong with it.
pub(crate) fn good() -> ServerConfig {
    with_certificate("good")
}

/// A server with one of the certificates in `tests/certificates`.
pub(crate) fn with_certificate(name: &str) -> ServerConfig {
    let config = ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(vec![certificate(name)], key()).unwrap()
}

/// A server without a certificate, which ends each handshake with an alert.
pub(crate) fn without_certificate() -> ServerConfig {
    let resolver = Arc::new(ResolvesServerCertUsingSni::new());
    ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver)
}

/// A server that requires a client certificate of the authority.
pub(crate) fn requiring_a_client_certificate() -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate("authority")).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    config.with_single_cert(vec![certificate("good")], key()).unwrap()
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&pem(name)).unwrap()
}

fn key() -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(&pem("key")).unwrap()
}

fn pem(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
    std::fs::read(format!("{folder}/{name}.pem")).unwrap()
}
