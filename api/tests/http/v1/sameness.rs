//! Responses do not reveal whether a user exists, by content or by time.

use std::collections::BTreeSet;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use password_auth_model::EmailKind;
use password_auth_wire::ErrorCode;
use serde_json::json;
use tokio::task::JoinSet;

use super::factors::enrol;
use crate::support::person::{login, request_reset};
use crate::support::{
    Engine, PASSWORD, Person, Random, Reply, TestClient, TestServer, everyday_or_long,
};

each_engine! {
    answers_about_known_and_unknown_people_have_the_same_bytes,
    before_the_password_is_right_nothing_tells_a_second_factor,
    a_reset_is_asked_for_with_the_same_write_whoever_it_is,
    sign_ins_of_known_and_unknown_people_take_the_same_time,
    resets_for_known_and_unknown_people_are_asked_for_in_the_same_time,
}

/// As in production, where answers hold no token.
async fn server(engine: Engine) -> TestServer {
    TestServer::builder()
        .production()
        .engine(engine)
        .setting("SMTP_HOST", "localhost")
        .setting("SMTP_TLS", "off")
        .setting("SMTP_FROM", "Password Auth <auth@example.org>")
        .setting("PUBLIC_URL", "https://auth.example.org")
        .setting("LOGIN_RATE", "1000/second")
        .setting("MAIL_RATE", "1000/second")
        .start()
        .await
}

/// What a client sees, except for what differs from answer to answer.
fn bytes(reply: &Reply) -> (u16, Vec<(String, Vec<u8>)>, String) {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    headers.sort();
    (reply.status, headers, reply.text.clone())
}

async fn answers_about_known_and_unknown_people_have_the_same_bytes(engine: Engine) {
    let server = server(engine).await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    let known = login(&client, "alice", "wrong password").await;
    for name in ["nobody", "alice@example.org", "nobody@example.org"] {
        let other = login(&client, name, "wrong password").await;
        assert_eq!(bytes(&known), bytes(&other), "{name}");
    }
    let known = request_reset(&client, "alice@example.org").await;
    let unknown = request_reset(&client, "nobody@example.org").await;
    assert_eq!(bytes(&known), bytes(&unknown));
}

/// At every way in, with a code and without.
async fn before_the_password_is_right_nothing_tells_a_second_factor(engine: Engine) {
    let server = server(engine).await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bobby").await;
    let (_, recovery_codes) = enrol(&server, &bob).await;
    for path in [
        "/authenticate",
        "/api/v1/auth/login",
        "/api/v1/auth/reactivate",
    ] {
        for code in [None, Some("123456"), Some(&*recovery_codes[0])] {
            let ask = async |name| {
                let mut body = json!({"username": name, "password": "wrong password"});
                if let Some(code) = code {
                    body["code"] = code.into();
                }
                bytes(&client.post(path, &body).await)
            };
            let plain = ask("alice").await;
            for name in ["bobby", "nobody", "bobby@example.org"] {
                assert_eq!(plain, ask(name).await, "{path} {name} {code:?}");
            }
        }
    }
    // The control: the right password tells it, and no code was used up.
    let right = login(&client, "bobby", PASSWORD).await;
    right.expect_failure(401, ErrorCode::SecondFactorRequired);
    let body = json!({"username": "bobby", "password": PASSWORD, "code": recovery_codes[0]});
    client.post("/authenticate", &body).await.expect_ok();
}

/// The pool that hashes has a place for so many; whoever finds none hears so. Who is hashed for takes a place.
#[tokio::test]
async fn a_sign_in_is_hashed_whoever_it_is() {
    let server = TestServer::builder()
        .setting("SCRYPT_LOG_N", "14")
        .start()
        .await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    let places = 17 * available_parallelism().map_or(1, Into::into);
    for name in ["alice", "nobody", "alice@example.org", "nobody@example.org"] {
        let mut tasks = JoinSet::new();
        for _ in 0..places + 30 {
            let client = client.clone();
            tasks.spawn(async move { login(&client, name, "wrong password").await.status });
        }
        let statuses: BTreeSet<u16> = tasks.join_all().await.into_iter().collect();
        assert_eq!(statuses, BTreeSet::from([401, 503]), "{name}");
    }
}

async fn a_reset_is_asked_for_with_the_same_write_whoever_it_is(engine: Engine) {
    let server = server(engine).await;
    Person::sign_up(&server, "alice").await;
    let claim = async || {
        let now = password_auth_model::Clock::now(&*server.clock);
        let until = now.plus(Duration::from_secs(600));
        let claimed = server.store.claim_email(now, until).await;
        claimed.expect("the store answers")
    };
    // The one that greets her.
    claim().await.expect("a mail");
    for email in ["alice@example.org", "nobody@example.org"] {
        request_reset(&server.client(), email).await.expect_ok();
        let mail = claim().await.expect("a mail");
        assert_eq!(mail.to.as_str(), email);
        assert_eq!((mail.user, mail.kind), (None, EmailKind::ResetPassword));
        assert!(claim().await.is_none(), "one mail");
    }
}

/// Kinds of one request: two that must not be told apart, and one that can be, so that the statistic shows it can.
#[derive(Clone, Copy)]
enum Question {
    SignIn(&'static str),
    /// Refused before a password is hashed.
    Unhashed,
    Reset(&'static str),
}

impl Question {
    async fn ask(self, client: &TestClient) -> Duration {
        let begun = Instant::now();
        match self {
            Self::SignIn(name) => login(client, name, "wrong password")
                .await
                .expect_status(401),
            Self::Unhashed => login(client, "", "wrong password").await.expect_status(400),
            Self::Reset(email) => request_reset(client, email).await.expect_ok(),
        };
        begun.elapsed()
    }
}

/// Times of both, in an order by chance; after every hundred a `rest`.
async fn times(
    client: &TestClient,
    one: Question,
    other: Question,
    samples: usize,
    rest: impl AsyncFn(),
) -> (Vec<Duration>, Vec<Duration>) {
    let mut random = Random::new(Random::seed());
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    while ones.len().min(others.len()) < samples {
        if (ones.len() + others.len()).is_multiple_of(100) {
            rest().await;
        }
        if random.percent(50) {
            ones.push(one.ask(client).await);
        } else {
            others.push(other.ask(client).await);
        }
    }
    (ones, others)
}

/// How far the two are apart, in standard deviations: the rank-sum test (Mann and Whitney, 1947), which asks
/// nothing of how times are distributed.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of samples are far below 2^52"
)]
fn deviation(ones: &[Duration], others: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> = ones.iter().map(|time| (*time, true)).collect();
    all.extend(others.iter().map(|time| (*time, false)));
    all.sort_unstable();
    let ranks = all.iter().enumerate().filter(|(_, (_, is_one))| *is_one);
    let sum: f64 = ranks.map(|(rank, _)| rank as f64 + 1.0).sum();
    let (n, m) = (ones.len() as f64, others.len() as f64);
    let mean = n * (n + m + 1.0) / 2.0;
    let variance = n * m * (n + m + 1.0) / 12.0;
    (sum - mean) / variance.sqrt()
}

/// By chance alone a difference of so much is seen once in three million runs.
const APART: f64 = 5.0;

async fn sign_ins_of_known_and_unknown_people_take_the_same_time(engine: Engine) {
    // On demand with the hash of production: what is a hundredth of its scatter is nothing to be seen.
    let server = TestServer::builder()
        .engine(engine)
        .setting("SCRYPT_LOG_N", &everyday_or_long(14, 15).to_string())
        .setting("SCRYPT_P", &everyday_or_long(1, 3).to_string())
        .setting("LOGIN_RATE", "1000/second")
        .start()
        .await;
    Person::sign_up(&server, "alice").await;
    let client = server.client();
    let rest = async || server.advance(Duration::from_secs(1)).await;
    let compare = async |one, other, samples| {
        let (ones, others) = times(&client, one, other, samples, rest).await;
        deviation(&ones, &others)
    };
    let many = everyday_or_long(30, 300);
    let wrong = Question::SignIn("alice");
    let control = compare(wrong, Question::Unhashed, 60).await;
    let by_name = compare(wrong, Question::SignIn("nobody"), many).await;
    let wrong = Question::SignIn("alice@example.org");
    let unknown = Question::SignIn("nobody@example.org");
    let by_address = compare(wrong, unknown, many).await;
    // The first step looks for a second factor only once the password is right.
    let bob = Person::sign_up(&server, "bobby").await;
    enrol(&server, &bob).await;
    let by_factor = compare(Question::SignIn("alice"), Question::SignIn("bobby"), many).await;
    let found = format!(
        "by name {by_name:.1}, by address {by_address:.1}, by factor {by_factor:.1}, control {control:.1}"
    );
    println!("deviations of sign-ins: {found}");
    assert!(control.abs() > APART, "the statistic sees nothing: {found}");
    for deviation in [by_name, by_address, by_factor] {
        assert!(deviation.abs() < APART, "{found}");
    }
}

async fn resets_for_known_and_unknown_people_are_asked_for_in_the_same_time(engine: Engine) {
    let server = self::server(engine).await;
    Person::sign_up(&server, "alice").await;
    let known = Question::Reset("alice@example.org");
    let unknown = Question::Reset("nobody@example.org");
    // No limit is reached.
    let rest = async || server.advance(Duration::from_secs(1)).await;
    let (ones, others) = times(
        &server.client(),
        known,
        unknown,
        everyday_or_long(60, 4000),
        rest,
    )
    .await;
    let found = deviation(&ones, &others);
    println!("deviation of resets: {found:.1}");
    assert!(found.abs() < APART, "{found}");
}
