//! Certificates of an authority that a child process trusts: good ones, and ones
//! with exactly one thing wrong.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use stytch_sso_external::reqwest;
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ResolvesServerCertUsingSni, WebPkiClientVerifier},
};

/// A certificate authority of this test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of one name would differ in their signatures only.
        let name = format!("authority {}", fastrand::u64(..));
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate, as `configure_http` takes it.
    pub(crate) fn certificate(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.pem().as_bytes()).unwrap()
    }

    /// Its certificate, as `SSL_CERT_FILE` takes it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for loopback that nothing is wrong with.
    pub(crate) fn good(&self) -> ServerConfig {
        self.sign(&params("127.0.0.1"))
    }

    pub(crate) fn expired(&self) -> ServerConfig {
        let mut params = params("127.0.0.1");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(&params)
    }

    /// A server that requires a client certificate of this authority.
    pub(crate) fn requiring_a_client_certificate(&self) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.0.der().to_vec())).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params("127.0.0.1").signed_by(&key, &self.0).unwrap();
        let certificate = CertificateDer::from(certificate.der().to_vec());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_client_cert_verifier(verifier);
        config.with_single_cert(vec![certificate], key).unwrap()
    }

    pub(crate) fn not_yet_valid(&self) -> ServerConfig {
        let mut params = params("127.0.0.1");
        params.not_before = date_time_ymd(3000, 1, 1);
        params.not_after = date_time_ymd(3001, 1, 1);
        self.sign(&params)
    }

    pub(crate) fn for_another_host(&self) -> ServerConfig {
        self.sign(&params("test.stytch.com"))
    }

    fn sign(&self, params: &CertificateParams) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        config(&params.signed_by(&key, &self.0).unwrap(), &key)
    }
}

/// A certificate for loopback that nobody has signed but its own key.
pub(crate) fn self_signed() -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    config(&params("127.0.0.1").self_signed(&key).unwrap(), &key)
}

/// A server without a certificate, which ends each handshake with an alert.
pub(crate) fn without_certificate() -> ServerConfig {
    let resolver = Arc::new(ResolvesServerCertUsingSni::new());
    ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver)
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}

fn config(certificate: &Certificate, key: &KeyPair) -> ServerConfig {
    let certificate = CertificateDer::from(certificate.der().to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()
}
