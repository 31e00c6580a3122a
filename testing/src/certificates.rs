//! A certificate authority of our own, and a certificate by it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// The files of a server's certificate.
pub struct Certificates {
    /// Whoever trusts this trusts the certificate.
    pub authority: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, which its owner alone can read.
    pub key: PathBuf,
}

/// Makes an authority, and by it a certificate for `name`, in `folder`.
pub fn make_certificates(folder: &Path, name: &str) -> Certificates {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .and_then(|parameters| parameters.signed_by(&key, &authority))
        .expect("a certificate");
    let write = |file: &str, text: String| {
        let path = folder.join(file);
        std::fs::write(&path, text).expect("written");
        path
    };
    Certificates {
        authority: write("authority.pem", authority.pem()),
        certificate: write("certificate.pem", certificate.pem()),
        key: {
            let key = write("key.pem", key.serialize_pem());
            std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("changed");
            key
        },
    }
}
