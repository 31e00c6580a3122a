//! The address of the server, parsed and checked once: tokens may be sent to a [`Server`].
//!
//! The browser's own parser reads it, the one that `fetch` uses, so that no address can mean one host here
//! and another in the request. The rule itself knows no browser.

/// The server that is used by default.
///
/// `build.sh` sets the variable to the server in `brand.toml`.
pub(crate) const DEFAULT: &str = match option_env!("BRAND_SERVER") {
    Some(server) => server,
    None => "http://127.0.0.1:8000",
};

/// An API's address: https, or http on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    origin: String,
    path: String,
}

impl Server {
    /// Accepts `address`, with or without a trailing slash.
    ///
    /// # Errors
    /// It is not a URL, or not one that tokens may be sent to.
    pub(crate) fn parse(address: &str) -> Result<Self, InvalidAddress> {
        let url = web_sys::Url::new(address.trim()).map_err(|_| InvalidAddress)?;
        Self::accept(&Parts {
            scheme: &url.protocol(),
            host: &url.hostname(),
            origin: &url.origin(),
            path: &url.pathname(),
            is_bare: [url.username(), url.password(), url.search(), url.hash()]
                .iter()
                .all(String::is_empty),
        })
    }

    fn accept(parts: &Parts) -> Result<Self, InvalidAddress> {
        let safe = match parts.scheme {
            "https:" => true,
            // Loopback needs no encryption. The manifest has host permissions for these two names.
            "http:" => matches!(parts.host, "127.0.0.1" | "localhost"),
            _ => false,
        };
        if !safe || !parts.is_bare {
            return Err(InvalidAddress);
        }
        Ok(Self {
            origin: parts.origin.to_owned(),
            path: parts.path.trim_end_matches('/').to_owned(),
        })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path, without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The URL of `route`, which starts with a slash.
    pub(crate) fn url(&self, route: &str) -> String {
        // Not by `format!`, here and elsewhere: without formatting each module weighs 1 KB less.
        [&self.origin, &self.path, route].concat()
    }

    /// The whole address, as users know it.
    pub(crate) fn address(&self) -> String {
        self.url("")
    }
}

/// The configured address cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidAddress;

/// A URL as the browser took it apart.
struct Parts<'a> {
    /// With its colon, as in `https:`.
    scheme: &'a str,
    host: &'a str,
    origin: &'a str,
    path: &'a str,
    /// Whether it has no user, password, query and fragment.
    is_bare: bool,
}

#[cfg(test)]
impl Server {
    /// A server for tests, which have no browser to parse its address.
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            path: String::new(),
        }
    }

    /// This server, below `path`.
    pub(crate) fn with_path(self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidAddress, Parts, Server};

    fn accept(
        scheme: &str,
        host: &str,
        path: &str,
        is_bare: bool,
    ) -> Result<String, InvalidAddress> {
        let origin = format!("{scheme}//{host}");
        let parts = Parts {
            scheme,
            host,
            origin: &origin,
            path,
            is_bare,
        };
        Server::accept(&parts).map(|server| server.address())
    }

    #[test]
    fn http_is_for_this_computer_and_https_for_all() {
        assert_eq!(
            accept("http:", "127.0.0.1", "/", true),
            Ok("http://127.0.0.1".into())
        );
        assert_eq!(
            accept("http:", "localhost", "/", true),
            Ok("http://localhost".into())
        );
        assert_eq!(
            accept("https:", "auth.example", "/", true),
            Ok("https://auth.example".into())
        );
        for host in [
            "auth.example",
            "127.0.0.1.example",
            "localhost.example",
            "10.0.0.1",
        ] {
            assert_eq!(
                accept("http:", host, "/", true),
                Err(InvalidAddress),
                "{host}"
            );
        }
        for scheme in ["ftp:", "file:", "javascript:", "ws:", "chrome-extension:"] {
            assert_eq!(
                accept(scheme, "localhost", "/", true),
                Err(InvalidAddress),
                "{scheme}"
            );
        }
    }

    #[test]
    fn a_path_is_kept_without_its_trailing_slash() {
        let parts = Parts {
            scheme: "https:",
            host: "a.example",
            origin: "https://a.example",
            path: "/auth/",
            is_bare: true,
        };
        let server = Server::accept(&parts).expect("acceptable");
        assert_eq!(server.url("/ping"), "https://a.example/auth/ping");
        assert_eq!(server.address(), "https://a.example/auth");
    }

    #[test]
    fn an_address_with_credentials_or_a_query_is_refused() {
        assert_eq!(
            accept("https:", "a.example", "/", false),
            Err(InvalidAddress)
        );
    }
}
