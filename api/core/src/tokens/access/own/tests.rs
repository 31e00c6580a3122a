use proptest::prelude::*;

use super::{AccessClaims, CLIENT_ID, OwnTokens, parsed};
use crate::tokens::SigningKey;
use password_auth_model::{Generation, Party, SessionId, Timestamp, TokenId, UserId};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn claims(issuer: &str, name: &str, number: u32, party: Option<u32>) -> AccessClaims {
    AccessClaims {
        iss: issuer.to_owned(),
        aud: issuer.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        sub: UserId::new(NOW),
        preferred_username: name.to_owned(),
        sid: SessionId::new(NOW),
        generation: Generation(number),
        epoch: number,
        party: party.map(|device| Party {
            network: number,
            device,
        }),
        jti: TokenId::new(NOW),
        iat: NOW.as_secs(),
        exp: u64::from(number) << 20,
    }
}

fn own(issuer: &str) -> OwnTokens {
    OwnTokens::new(
        "x.".to_owned(),
        &SigningKey::random().expect("a key"),
        issuer,
    )
}

/// Otherwise, it would only cost more.
#[test]
fn what_is_issued_is_read_without_the_parser() {
    for issuer in ["tests", "https://auth.example.org", "a \"quote\" \\ ü"] {
        for number in [0, 7, u32::MAX] {
            for party in [None, Some(number)] {
                let claims = claims(issuer, "Ünï 😀 alice", number, party);
                let json = serde_json::to_string(&claims).expect("JSON");
                let read = own(issuer).as_written(&json);
                assert_eq!(read, Some(claims.into()), "{json}");
            }
        }
    }
}

proptest! {
    /// Whatever it reads, the parser reads alike.
    #[test]
    fn it_is_never_of_another_opinion_than_the_parser(
        name in "\\PC{0,12}|[\"\\\\\n]{1,3}",
        number: u32,
        party: Option<u32>,
        at in 0_usize..400,
        change in "|[0-9a-fA-F\"\\\\{},:.+e -]|\\PC",
        cut in 0_usize..3,
    ) {
        let json = serde_json::to_string(&claims("tests", &name, number, party)).expect("JSON");
        let mut at = at % json.len();
        while !json.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = json.split_at(at);
        let after: String = after.chars().skip(cut).collect();
        let changed = format!("{before}{change}{after}");
        for json in [json, changed] {
            if let Some(read) = own("tests").as_written(&json) {
                prop_assert_eq!(Some(read), parsed(&json, "tests"), "{}", json);
            }
        }
    }
}
