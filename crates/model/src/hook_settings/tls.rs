//! TLS towards the service of one hook. What stands in the PEM texts is read by the engine.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// TLS settings of one hook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsSettings {
    /// Certificates of authorities that are trusted for this hook besides the org's, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_certificates: Option<String>,
    /// What the hook shows to a service that asks for a client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
}

/// A client certificate with its private key, which is write-only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// The chain in PEM, the hook's own certificate first.
    pub certificate: String,
    /// The private key in PEM; kept sealed, apart from everything else.
    #[serde(skip)]
    pub private_key: SecretString,
}

impl TlsSettings {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trusted_certificates.is_none() && self.client_certificate.is_none()
    }

    /// The secret that is sealed at rest, if there is one.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretString> {
        self.client_certificate.as_ref().map(|own| &own.private_key)
    }
}

impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.certificate == other.certificate && self.private_key.expose_secret() == other.private_key.expose_secret()
    }
}

impl Eq for ClientCertificate {}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientCertificate").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
