//! TLS towards external services: version 1.2 or later, names and certificates always verified.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use hookwright_model::hook_settings::TlsSettings;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use secrecy::ExposeSecret;

use crate::outcome::TlsFailure;

/// What TLS with one hook's service needs besides the engine's own settings.
#[derive(Debug, Clone, Default)]
pub struct HookTls {
    /// How we prove who we are, to services that ask for it.
    pub identity: Option<ClientIdentity>,
    /// Authorities that are trusted for this hook besides the engine's.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// A client certificate with its private key.
#[derive(Clone)]
pub struct ClientIdentity {
    key: Arc<CertifiedKey>,
}

/// Why a text holds no usable client certificate; tells nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdentityError {
    /// The certificates can't be read.
    #[error("no certificate in PEM was found")]
    Certificate,
    /// The private key can't be read.
    #[error("no private key in PEM was found")]
    PrivateKey,
    /// The key is of a kind that TLS can't use, or belongs to another certificate.
    #[error("the private key does not fit the certificate")]
    Mismatch,
}

impl ClientIdentity {
    /// Reads a chain of certificates, our own first, and the private key that belongs to it.
    ///
    /// # Errors
    /// Which of the two can't be used.
    pub fn from_pem(certificates: &[u8], private_key: &[u8]) -> Result<Self, ClientIdentityError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|_| ClientIdentityError::Certificate)?;
        if chain.is_empty() {
            return Err(ClientIdentityError::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(private_key).map_err(|_| ClientIdentityError::PrivateKey)?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|_| ClientIdentityError::Mismatch)?;
        Ok(Self { key: Arc::new(key) })
    }
}

/// Which of a hook's TLS settings can't be used; tells nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookTlsError {
    /// The certificates of authorities.
    #[error("no certificate of an authority in PEM was found")]
    TrustedCertificates,
    /// The client certificate or its key.
    #[error(transparent)]
    ClientCertificate(#[from] ClientIdentityError),
}

impl HookTls {
    /// Reads what a hook is set to.
    ///
    /// # Errors
    /// Which setting can't be used.
    pub fn of(settings: &TlsSettings) -> Result<Self, HookTlsError> {
        let extra_roots = match &settings.trusted_certificates {
            None => Vec::new(),
            Some(pem) => authorities(pem).ok_or(HookTlsError::TrustedCertificates)?,
        };
        let identity = settings.client_certificate.as_ref().map(|own| {
            ClientIdentity::from_pem(own.certificate.as_bytes(), own.private_key.expose_secret().as_bytes())
        });
        Ok(Self { identity: identity.transpose()?, extra_roots })
    }
}

/// The certificates in a PEM text, if there are any and all can be trusted.
fn authorities(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    let mut roots = RootCertStore::empty();
    let usable = certificates.iter().all(|certificate| roots.add(certificate.clone()).is_ok());
    (usable && !certificates.is_empty()).then_some(certificates)
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

impl HookTls {
    /// Tells settings apart: connections are shared by hooks of the same settings only. `None` for none.
    pub(crate) fn fingerprint(&self) -> Option<[u8; 32]> {
        if self.identity.is_none() && self.extra_roots.is_empty() {
            return None;
        }
        let mut context = Context::new(&SHA256);
        let own = self.identity.iter().flat_map(|identity| &identity.key.cert);
        for (kind, certificate) in own.map(|own| (b'c', own)).chain(self.extra_roots.iter().map(|root| (b'r', root))) {
            context.update(&[kind]);
            context.update(&(certificate.len() as u64).to_be_bytes());
            context.update(certificate);
        }
        let mut fingerprint = [0; 32];
        for (to, from) in fingerprint.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Some(fingerprint)
    }
}

/// Mozilla's authorities and these.
pub(crate) fn roots(extra: &[CertificateDer<'static>]) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(certificate.clone())?;
    }
    Ok(roots)
}

/// What connections are secured with. There is no switch that turns verification off; a private authority is added to the
/// roots instead.
pub(crate) fn client_config(roots: RootCertStore, hook: &HookTls) -> Result<ClientConfig, rustls::Error> {
    let mut roots = roots;
    for certificate in &hook.extra_roots {
        roots.add(certificate.clone())?;
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(roots);
    let mut config = match &hook.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let resolver: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(Arc::clone(&identity.key)));
            builder.with_client_cert_resolver(resolver)
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What a TLS error on a connection means to whoever runs the service, if it is one.
pub(crate) fn failure(error: &std::io::Error) -> Option<TlsFailure> {
    use rustls::AlertDescription as Alert;
    Some(match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(fault) => match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailure::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFailure::WrongName
            }
            CertificateError::UnknownIssuer => TlsFailure::UnknownIssuer,
            _ => TlsFailure::BadCertificate,
        },
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => TlsFailure::OwnCertificate,
        _ => TlsFailure::Handshake,
    })
}
