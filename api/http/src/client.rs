//! The client of a request: its IP address and User-Agent.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use ipnet::IpNet;
use password_auth_model::Client;
use poem::http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody};

use super::context::RequestContext;
use super::seldom::Seldom;

/// The most characters of a User-Agent that are kept.
const DEVICE_CHARS: usize = 120;

/// The proxies whose `X-Forwarded-For` is trusted: only those that the operator configures.
#[derive(Clone, Debug, Default)]
pub struct ProxyTrust {
    proxies: Vec<IpNet>,
    unreadable: Arc<Seldom>,
}

impl ProxyTrust {
    /// Trusts these proxies.
    #[must_use]
    pub fn new(proxies: Vec<IpNet>) -> Self {
        Self {
            proxies,
            unreadable: Arc::default(),
        }
    }

    /// The address of the client: the rightmost address in the list that is not a trusted proxy. Proxies append on the
    /// right; everything further left can be forged. If an element is not an address, the last trusted address before
    /// it counts.
    #[must_use]
    pub(crate) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let lists = headers.get_all("x-forwarded-for").iter().rev();
        // Bytes that are not UTF-8 are not an address. The other elements stay valid.
        for list in lists.map(|list| String::from_utf8_lossy(list.as_bytes())) {
            let elements = list.rsplit(',').map(|element| element.trim_matches(BLANKS));
            for element in elements.filter(|element| !element.is_empty()) {
                let Some(hop) = hop(element) else {
                    if self.unreadable.is_due() {
                        tracing::warn!(
                            proxy.address = %client,
                            "X-Forwarded-For from a trusted proxy is not a list of addresses: all \
                             clients behind it count as one"
                        );
                    }
                    return client;
                };
                client = hop;
                if !self.trusts(client) {
                    return client;
                }
            }
        }
        client
    }

    /// Whether this is a trusted proxy.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.proxies
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// Optional white space (RFC 9110 §5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

/// An address as proxies write it: plain or with a port, IPv6 with or without brackets or a zone, all of it quoted or
/// not.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
        .trim_matches(BLANKS);
    let address = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, behind) = bracketed.split_once(']')?;
        if !behind.is_empty() {
            behind.strip_prefix(':')?.parse::<u16>().ok()?;
        }
        IpAddr::V6(without_zone(address).parse::<Ipv6Addr>().ok()?)
    } else {
        without_zone(text)
            .parse()
            .or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()))
            .ok()?
    };
    Some(address.to_canonical())
}

/// `fe80::1%eth0` -> `fe80::1`: the interface of the proxy does not matter here.
fn without_zone(text: &str) -> &str {
    match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() && address.contains(':') => address,
        _ => text,
    }
}

/// The client, for a handler.
pub(super) struct RequestClient(pub(super) Client);

impl Deref for RequestClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl<'a> FromRequest<'a> for RequestClient {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let address = RequestContext::of(request)?.client;
        let user_agent = request
            .header(header::USER_AGENT.as_str())
            .unwrap_or_default();
        Ok(Self(Client {
            address,
            device: user_agent
                .chars()
                .filter(|c| !c.is_control())
                .take(DEVICE_CHARS)
                .collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::ProxyTrust;
    use poem::http::{HeaderMap, HeaderValue};
    use std::net::IpAddr;

    fn address_seen(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let trust = match trusted {
            "" => ProxyTrust::default(),
            network => ProxyTrust::new(vec![network.parse().expect("a network")]),
        };
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(
                "x-forwarded-for",
                HeaderValue::from_str(value).expect("a value"),
            );
        }
        let peer: IpAddr = peer.parse().expect("an address");
        trust.client_address(peer, &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(address_seen("", "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_the_client_cannot_name_another() {
        assert_eq!(
            address_seen("10.0.0.0/8", "10.0.0.1", &["1.2.3.4"]),
            "1.2.3.4"
        );
        assert_eq!(
            address_seen("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 1.2.3.4"]),
            "1.2.3.4"
        );
        assert_eq!(
            address_seen("10.0.0.0/8", "10.0.0.1", &["6.6.6.6", "1.2.3.4, 10.0.0.2"]),
            "1.2.3.4"
        );
        assert_eq!(
            address_seen("10.0.0.0/8", "9.9.9.9", &["1.2.3.4"]),
            "9.9.9.9"
        );
    }

    #[test]
    fn an_address_is_read_however_proxies_write_it() {
        for (written, read) in [
            ("203.0.113.7:5432", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:5432", "2001:db8::7"),
            ("\"203.0.113.7\"", "203.0.113.7"),
            ("\"[2001:db8::7]:5432\"", "2001:db8::7"),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%25eth0]:5432", "fe80::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:5432", "203.0.113.7"),
            ("203.0.113.7,", "203.0.113.7"),
            ("\t203.0.113.7 , ,, 10.0.0.3:80 ,", "203.0.113.7"),
            ("evil, 203.0.113.7", "203.0.113.7"),
        ] {
            let seen = address_seen("10.0.0.0/8", "10.0.0.1", &[written]);
            assert_eq!(seen, read, "{written}");
        }
        let several = ["6.6.6.6", "203.0.113.7:1", "", " , "];
        assert_eq!(
            address_seen("10.0.0.0/8", "10.0.0.1", &several),
            "203.0.113.7"
        );
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk_at_the_last_that_was_believed() {
        for unreadable in [
            "unknown",
            "_hidden",
            "203.0.113.7:",
            "203.0.113.7:99999",
            "203.0.113.7%eth0",
            "[203.0.113.7]",
            "[2001:db8::7",
            "[2001:db8::7]5432",
            "\"203.0.113.7",
            "\"",
            "1.2.3",
            "for=203.0.113.7",
        ] {
            let list = format!("6.6.6.6, {unreadable}, 10.0.0.2");
            let seen = address_seen("10.0.0.0/8", "10.0.0.1", &[&list]);
            assert_eq!(seen, "10.0.0.2", "{unreadable}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_believed() {
        assert_eq!(
            address_seen("10.0.0.0/8", "10.0.0.1", &["1.2.3.4, unknown"]),
            "10.0.0.1"
        );
        assert_eq!(
            address_seen("10.0.0.0/8", "::ffff:10.0.0.1", &["1.2.3.4"]),
            "1.2.3.4"
        );
    }
}
