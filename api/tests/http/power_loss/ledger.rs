//! What the server had acknowledged at a moment, read from the sockets in the trace of its calls.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::support::strace::Call;

/// A request and, once it began to leave, its answer.
#[derive(Clone)]
struct Exchange {
    route: String,
    bearer: Option<String>,
    body: Value,
    arrived: usize,
    /// The line at which the answer began to leave, its status and its body.
    answer: Option<(usize, u16, Value)>,
}

#[derive(Default)]
pub struct Ledger {
    exchanges: Vec<Exchange>,
    connections: HashMap<i64, Connection>,
}

#[derive(Default)]
struct Connection {
    received: Vec<u8>,
    sent: Vec<u8>,
    began_to_leave: usize,
    /// Of the exchange under way.
    exchange: Option<usize>,
}

/// What holds from a moment on.
#[derive(Default, Debug)]
pub struct Acknowledged {
    /// Names that are taken, with the password where it is known.
    pub people: BTreeMap<String, Option<String>>,
    pub sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub refresh_token: String,
    /// `None` while a refresh is under way, which may begin a new epoch: then older ones are refused.
    pub access_token: Option<String>,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Live,
    /// A sign-out was under way.
    Unknown,
    SignedOut,
}

impl Ledger {
    pub fn next_process(&mut self) {
        self.connections.clear();
    }

    pub fn begun(&mut self, call: &Call) {
        // Before it is back, another connection may have its number.
        if call.name == "close" {
            self.connections.remove(&call.descriptor_number());
        }
        let sends = matches!(&*call.name, "write" | "writev" | "sendto" | "sendmsg");
        let Some(connection) = self.connections.get_mut(&call.descriptor_number()) else {
            return;
        };
        // The client may have what a kill did not let come back.
        if !sends || !call.may_have_succeeded() {
            return;
        }
        if connection.sent.is_empty() {
            connection.began_to_leave = call.begun;
        }
        connection.sent.extend(call.bytes());
        let Some((head, body)) = whole(&connection.sent) else {
            return;
        };
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status: u16 = status.expect("a status");
        if status >= 200
            && let Some(number) = connection.exchange.take()
        {
            let answer = (connection.began_to_leave, status, body);
            self.exchanges[number].answer = Some(answer);
        }
        connection.sent.clear();
    }

    pub fn ended(&mut self, call: &Call) {
        if !call.succeeded() {
            return;
        }
        match &*call.name {
            "accept4" => {
                let descriptor = call.result.expect("it succeeded");
                self.connections.insert(descriptor, Connection::default());
            }
            "read" | "recvfrom" => {
                let Some(connection) = self.connections.get_mut(&call.descriptor_number()) else {
                    return;
                };
                connection.received.extend(call.bytes());
                if let Some((head, body)) = whole(&connection.received) {
                    let mut words = head.split(' ');
                    let route = format!(
                        "{} {}",
                        words.next().unwrap_or_default(),
                        words.next().unwrap_or_default()
                    );
                    let bearer = header(&head, "authorization")
                        .and_then(|value| value.strip_prefix("Bearer "))
                        .map(str::to_owned);
                    connection.exchange = Some(self.exchanges.len());
                    connection.received.clear();
                    self.exchanges.push(Exchange {
                        route,
                        bearer,
                        body,
                        arrived: call.ended,
                        answer: None,
                    });
                }
            }
            _ => {}
        }
    }

    /// The lines at which answers began to leave.
    pub fn answers(&self) -> Vec<usize> {
        let answers = self
            .exchanges
            .iter()
            .filter_map(|exchange| exchange.answer.as_ref());
        answers.map(|(line, ..)| *line).collect()
    }

    /// What must be there after a power loss once line `at` had been reached.
    pub fn at(&self, at: usize) -> Acknowledged {
        let mut all = Acknowledged::default();
        let mut by_token = HashMap::new();
        let mut answered = Vec::new();
        for exchange in &self.exchanges {
            if let Some((line, status, body)) = &exchange.answer
                && *line <= at
            {
                answered.push((*line, *status, body, exchange));
            }
        }
        answered.sort_by_key(|(line, ..)| *line);
        for (_, status, answer, exchange) in answered {
            exchange.acknowledge(status, answer, &mut all, &mut by_token);
        }
        for exchange in &self.exchanges {
            let under_way = exchange.arrived <= at
                && exchange
                    .answer
                    .as_ref()
                    .is_none_or(|(line, status, _)| *line > at || *status >= 500);
            if !under_way {
                continue;
            }
            let Some(session) = by_token.get(exchange.token()) else {
                continue;
            };
            let session = &mut all.sessions[*session];
            match (&*exchange.route, session.state) {
                ("POST /logout", State::Live) => session.state = State::Unknown,
                ("POST /refresh", _) => session.access_token = None,
                _ => {}
            }
        }
        all
    }
}

impl Exchange {
    fn acknowledge(
        &self,
        status: u16,
        answer: &Value,
        all: &mut Acknowledged,
        by_token: &mut HashMap<String, usize>,
    ) {
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        match (&*self.route, status) {
            ("POST /register", 200) => {
                let password = text(&self.body, "password");
                all.people
                    .insert(text(&self.body, "username"), Some(password));
            }
            ("POST /register", 400) if answer["code"] == "user_exists" => {
                all.people.entry(text(&self.body, "username")).or_default();
            }
            ("POST /authenticate" | "POST /refresh", 200) => {
                let (refresh, access) =
                    (text(answer, "refresh_token"), text(answer, "access_token"));
                let presented = text(&self.body, "refresh_token");
                let session = if let Some(session) = by_token.get(&presented).copied() {
                    let known = &mut all.sessions[session];
                    // A repeated answer is no newer one.
                    if !by_token.contains_key(&refresh) || known.refresh_token == refresh {
                        known.refresh_token.clone_from(&refresh);
                        known.access_token = Some(access.clone());
                    }
                    session
                } else {
                    assert_eq!(presented, "", "no answer had this token");
                    let (username, password) =
                        (text(&self.body, "username"), text(&self.body, "password"));
                    all.people.insert(username, Some(password));
                    all.sessions.push(Session {
                        refresh_token: refresh.clone(),
                        access_token: Some(access.clone()),
                        state: State::Live,
                    });
                    all.sessions.len() - 1
                };
                by_token.insert(refresh, session);
                by_token.insert(access, session);
            }
            ("POST /logout", 200) => {
                if let Some(session) = by_token.get(self.token()) {
                    all.sessions[*session].state = State::SignedOut;
                }
            }
            _ => {}
        }
    }

    fn token(&self) -> &str {
        let in_body = self.body["refresh_token"].as_str();
        self.bearer.as_deref().or(in_body).unwrap_or_default()
    }
}

/// Head and body of a message that is there whole.
fn whole(bytes: &[u8]) -> Option<(String, Value)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (&bytes[..end], &bytes[end + 4..]);
    let head = String::from_utf8(head.to_vec()).expect("text");
    let length =
        header(&head, "content-length").map_or(0, |length| length.parse().expect("a number"));
    (body.len() >= length).then(|| (head, serde_json::from_slice(body).unwrap_or_default()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields
        .find(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
