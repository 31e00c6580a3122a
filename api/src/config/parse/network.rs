//! Where the server listens, under which names it is reached, and whom it trusts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use url::Url;

use super::Reader;
use crate::config::origin::{origin, quoted};

impl Reader<'_> {
    /// An IP address, or `localhost`.
    pub(in crate::config) fn host(&mut self, name: &'static str) -> IpAddr {
        if self.text(name).eq_ignore_ascii_case("localhost") {
            return IpAddr::V4(Ipv4Addr::LOCALHOST);
        }
        self.parse(name, "an IP address, such as 127.0.0.1 or ::1")
    }

    /// An address and a port, which must not be those of the public listener.
    pub(in crate::config) fn metrics(
        &mut self,
        name: &'static str,
        public: SocketAddr,
    ) -> Option<SocketAddr> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() == 0 || address.port() != public.port() => {
                return Some(address);
            }
            Ok(_) => self.problem(
                name,
                "needs another port than PORT: measures are not for the public",
            ),
            Err(_) => self.problem(
                name,
                format!("expected an IP address and a port, such as 127.0.0.1:9100, not {text:?}"),
            ),
        }
        None
    }

    /// A domain, in lower case. An IP address is none.
    pub(in crate::config) fn domain(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let url = Url::parse(&format!("https://{text}")).ok();
        let domain = url.as_ref().and_then(Url::domain);
        if domain.is_none_or(|domain| domain != text) {
            self.problem(
                name,
                format!("expected a domain in lower case, such as auth.example.org, not {text:?}"),
            );
        }
        Some(text.to_owned())
    }

    pub(in crate::config) fn public_url(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let url =
            origin(text).filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        if url.is_none() {
            self.problem(
                name,
                format!(
                    "expected a URL without a path, such as https://auth.example.org, not {}",
                    quoted(text)
                ),
            );
        }
        url
    }

    pub(in crate::config) fn origins(&mut self, name: &'static str) -> Vec<String> {
        self.list(name, |item| {
            origin(item).ok_or_else(|| {
                format!("expected exact origins, such as https://app.example.org or chrome-extension://ID, not {}",
                    quoted(item)
                )
            })
        })
    }

    pub(in crate::config) fn networks(&mut self, name: &'static str) -> Vec<IpNet> {
        self.list(name, |item| {
            item.parse::<IpNet>()
                .or_else(|_| item.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| {
                    format!(
                        "expected addresses or networks, such as 10.0.0.0/8, not \
                                      {item:?}"
                    )
                })
        })
    }

    fn list<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let mut values = Vec::new();
        for item in self
            .text(name)
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            match parse(item) {
                Ok(value) => values.push(value),
                Err(message) => self.problem(name, message),
            }
        }
        values
    }
}
