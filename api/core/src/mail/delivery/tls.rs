//! TLS to a mail server. Certificates and names are always checked.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::SmtpSettings;
use super::dialogue::Broken;
use super::replies::closed;
use super::{Closed, MailError};

pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(settings: &SmtpSettings) -> Result<Self, MailError> {
        let unusable = |error: &dyn fmt::Display| MailError::Tls(error.to_string());
        let name = ServerName::try_from(settings.host.clone()).map_err(|error| unusable(&error))?;
        let roots = match &settings.ca_file {
            Some(path) => certificates(path)?,
            None => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                roots
            }
        };
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let config = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    pub(super) async fn encrypt(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Closed> {
        let connected = self.connector.connect(self.name.clone(), stream).await;
        connected.map_err(|error| closed("TLS", &Broken::Io(error).into()))
    }
}

fn certificates(path: &Path) -> Result<RootCertStore, MailError> {
    let unusable = |cause: &dyn fmt::Display| MailError::Certificates {
        path: path.to_owned(),
        cause: cause.to_string(),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"it contains no certificate"));
    }
    Ok(roots)
}
