//! The wire types have two codecs, serde's in the client and poem-openapi's in the server: they agree.

use std::fmt::Debug;

use password_auth_wire::{
    Authenticate, Credentials, ErrorBody, ErrorCode, FieldError, Logout, Message, ProtectedData,
    Refresh, Secret, Status, Tokens,
};
use poem_openapi::types::{ParseFromJSON, ToJSON};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Takes a value out by either codec and in by the other.
#[track_caller]
fn round<T>(value: T)
where
    T: Serialize + DeserializeOwned + ToJSON + ParseFromJSON + PartialEq + Debug,
{
    let by_client = serde_json::to_value(&value).expect("serialises");
    let by_server = value.to_json().expect("serialises");
    assert_eq!(by_client, by_server);
    let Ok(at_server) = T::parse_from_json(Some(by_client)) else {
        panic!("the server does not read it");
    };
    let at_client: T = serde_json::from_value(by_server).expect("the client reads it");
    assert_eq!(at_server, value);
    assert_eq!(at_client, value);
}

#[test]
fn every_request_reads_the_same_on_both_sides() {
    let password = Secret::new("pass\0wörd \u{1F600} \"\\");
    round(Credentials {
        username: "???".to_owned(),
        password: password.clone(),
    });
    for stay_signed_in in [None, Some(true), Some(false)] {
        round(Authenticate {
            username: "Ünï".to_owned(),
            password: password.clone(),
            stay_signed_in,
        });
    }
    round(Refresh {
        refresh_token: password.clone(),
    });
    for refresh_token in [None, Some(password)] {
        round(Logout { refresh_token });
    }
}

#[test]
fn every_answer_reads_the_same_on_both_sides() {
    round(Tokens {
        status: Status::Ok,
        access_token: Secret::new("a.b.c"),
        refresh_token: Secret::new("r"),
        token_type: "Bearer".to_owned(),
        expires_in: u32::MAX,
    });
    round(Message::ok("User registered successfully."));
    round(ProtectedData {
        message: "Hello".to_owned(),
        user: "👩‍👩‍👧".to_owned(),
        access_timestamp: "2026-01-01T00:00:00Z".to_owned(),
    });
    round(FieldError {
        field: "password".to_owned(),
        code: "too_short".to_owned(),
        message: "Too short.".to_owned(),
    });
    for code in ErrorCode::ALL {
        round(ErrorBody::new(*code));
    }
    round(ErrorBody {
        errors: vec![FieldError {
            field: String::new(),
            code: "wrong_type".to_owned(),
            message: "No.".to_owned(),
        }],
        ..ErrorBody::new(ErrorCode::ValidationFailed)
    });
}
