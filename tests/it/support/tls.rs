//! TLS servers with certificates of an authority that a client trusts: a good one, and ones with
//! exactly one thing wrong. `tests/certificates/make` made them.

use std::sync::Arc;

use stytch_sso_external::reqwest;
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ResolvesServerCertUsingSni, WebPkiClientVerifier},
};

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../../certificates/", $name, ".pem"))
    };
}

/// The certificate of the authority, as `SSL_CERT_FILE` takes it.
pub(crate) const AUTHORITY_FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/authority.pem");

/// The same, as `configure_http` takes it.
pub(crate) fn authority() -> reqwest::Certificate {
    reqwest::Certificate::from_pem(pem!("authority").as_bytes()).unwrap()
}

/// A server whose certificate is for loopback and has nothing wrong with it.
pub(crate) fn good() -> ServerConfig {
    config(pem!("good"))
}

pub(crate) fn expired() -> ServerConfig {
    config(pem!("expired"))
}

pub(crate) fn not_yet_valid() -> ServerConfig {
    config(pem!("not-yet-valid"))
}

pub(crate) fn for_another_host() -> ServerConfig {
    config(pem!("other-host"))
}

/// A server whose certificate is of an authority that nobody trusts.
pub(crate) fn of_an_unknown_issuer() -> ServerConfig {
    config(pem!("unknown-issuer"))
}

/// A server whose certificate nobody has signed but its own key.
pub(crate) fn self_signed() -> ServerConfig {
    config(pem!("self-signed"))
}

/// A server whose certificate is that of the authority itself.
pub(crate) fn with_a_ca_certificate() -> ServerConfig {
    config(pem!("authority"))
}

/// A server without a certificate, which ends each handshake with an alert.
pub(crate) fn without_certificate() -> ServerConfig {
    let resolver = Arc::new(ResolvesServerCertUsingSni::new());
    ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver)
}

/// A server that requires a client certificate of the authority.
pub(crate) fn requiring_a_client_certificate() -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(pem!("authority"))).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    config.with_single_cert(vec![certificate(pem!("good"))], key()).unwrap()
}

fn config(pem: &str) -> ServerConfig {
    let config = ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(vec![certificate(pem)], key()).unwrap()
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn key() -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pem!("key").as_bytes()).unwrap()
}
