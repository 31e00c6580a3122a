//! Who asks: the address, and what the client calls itself.

use std::net::IpAddr;
use std::ops::Deref;

use ipnet::IpNet;
use poem::http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody};

use super::error::Failure;
use crate::model::Client;

/// The most characters of a User-Agent that are kept.
const DEVICE_CHARS: usize = 120;

/// Whose `X-Forwarded-For` is believed: nobody's, unless the operator names his proxies.
#[derive(Clone, Debug, Default)]
pub struct ProxyTrust(Vec<IpNet>);

/// The client's address, as `front` found it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ProxyTrust {
    /// Believes these proxies.
    #[must_use]
    pub const fn new(proxies: Vec<IpNet>) -> Self {
        Self(proxies)
    }

    /// The address of the client: of the list that proxies lengthen at its right end, the rightmost that
    /// no proxy of ours has. What stands further left, anybody can write.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let forwarded = headers.get_all("x-forwarded-for").iter().rev();
        for list in forwarded {
            let Ok(list) = list.to_str() else {
                return client;
            };
            for hop in list.rsplit(',') {
                let Ok(hop) = hop.trim().parse::<IpAddr>() else {
                    return client;
                };
                client = hop.to_canonical();
                if !self.trusts(client) {
                    return client;
                }
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Who asks, for a handler.
pub(super) struct RequestClient(pub(super) Client);

impl Deref for RequestClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl<'a> FromRequest<'a> for RequestClient {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let ClientAddress(address) = *request
            .data()
            .ok_or_else(|| Failure::internal("the routes were called without their front"))?;
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
    fn a_trusted_proxy_names_the_client_and_the_client_can_not_name_another() {
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
