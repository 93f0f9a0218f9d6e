//! Creates the TLS connector for libpq's `sslmode` and `sslrootcert`.
//!
//! `prefer` and `require` encrypt without checking the certificate, so that they protect against eavesdropping but not
//! against an impostor. `verify-ca` checks the issuer of the certificate, and `verify-full` checks its host name as
//! well.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::warehouse::Error;

/// The values of libpq's `sslmode`. `allow` is parsed as `prefer`, which tries the same two ways in the opposite order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                return Err(Error::Connect(format!(
                    "sslmode {other:?} is unknown; write disable, prefer, require, verify-ca or verify-full"
                )));
            }
        })
    }
}

/// Returns the connector for `mode`. The certificates of `root_certificates`, unless it is `system`, replace those of
/// the platform.
pub(super) fn connector(mode: SslMode, root_certificates: Option<&PathBuf>) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = root_certificates.filter(|path| path.as_os_str() != "system");
    // As in libpq, `require` verifies the issuer if a file of certificates is given.
    let verify = match (mode, roots) {
        (SslMode::VerifyFull, _) => Verify::AuthorityAndHost(authorities(roots, &provider)?),
        (SslMode::VerifyCa, _) | (SslMode::Require, Some(_)) => Verify::Authority(authorities(roots, &provider)?),
        (SslMode::Disable | SslMode::Prefer | SslMode::Require, _) => Verify::Nothing,
    };
    let verifier = Verifier { verify, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Connect(format!("TLS could not be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(roots: Option<&PathBuf>, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        let origin = roots.map_or_else(|| "the platform".to_owned(), |path| path.display().to_string());
        Error::Connect(format!("no usable root certificates from {origin}: {error}; check sslrootcert"))
    };
    let verifier: Arc<dyn ServerCertVerifier> = if let Some(path) = roots {
        let store = Arc::new(read(path).map_err(|error| failed(&error))?);
        let verifier = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(provider)).build();
        verifier.map_err(|error| failed(&error))?
    } else {
        let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
        Arc::new(verifier.map_err(|error| failed(&error))?)
    };
    Ok(verifier)
}

fn read(path: &Path) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        store.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    Ok(store)
}

#[derive(Debug)]
enum Verify {
    Nothing,
    Authority(Arc<dyn ServerCertVerifier>),
    AuthorityAndHost(Arc<dyn ServerCertVerifier>),
}

#[derive(Debug)]
struct Verifier {
    verify: Verify,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let check = |verifier: &Arc<dyn ServerCertVerifier>| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match &self.verify {
            Verify::Nothing => Ok(ServerCertVerified::assertion()),
            Verify::AuthorityAndHost(verifier) => check(verifier),
            // The name is checked last, so this error means that everything else is right.
            Verify::Authority(verifier) => match check(verifier) {
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                verdict => verdict,
            },
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
