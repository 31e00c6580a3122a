//! The wire types have two codecs, serde's in the client and poem-openapi's in the server: they agree.

use std::fmt::Debug;

use password_auth_wire::v1::{
    AccountStatus, AskStrength, ChangeEmail, ChangePassword, ConfirmEmail, ConfirmReset,
    ConfirmTotp, CreateAccount, CreateInvite, DeleteAccount, Done, EventInfo, FactorsInfo, Health,
    InviteCreated, InviteInfo, Jwk, JwkSet, Login, PasskeyInfo, PasswordStrength, PersonalData,
    Reactivate, RecoveryCodes, RefreshPair, RegisterAccount, RegistrationInfo, RegistrationMode,
    RemoveTotp, ReplaceRecoveryCodes, RequestReset, Role, SessionInfo, SetUpTotp, TokenPair,
    TotpSetup, UpdateUser, UserCount, UserInfo,
};
use password_auth_wire::{
    Authenticate, Credentials, ErrorBody, ErrorCode, FieldError, Logout, Message, PasswordHint,
    ProtectedData, Refresh, Secret, Status, Tokens,
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
            code: stay_signed_in.map(|_| password.clone()),
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
    round(ErrorBody {
        challenge: Some(Secret::new("AQEB")),
        methods: vec!["totp".to_owned()],
        ..ErrorBody::new(ErrorCode::SecondFactorRequired)
    });
}

fn person(email: Option<&str>, full_name: Option<&str>) -> UserInfo {
    UserInfo {
        id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
        username: "Ünï 😀".to_owned(),
        email: email.map(str::to_owned),
        full_name: full_name.map(str::to_owned),
        role: Role::Guest,
        is_active: email.map(|_| false),
        is_verified: email.map(|_| true),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        last_login: full_name.map(|_| "2026-01-01T00:00:01Z".to_owned()),
    }
}

fn sign_in(current: bool) -> SessionInfo {
    SessionInfo {
        id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
        device: String::new(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        replayed_elsewhere: current.then(|| "2026-01-01T00:00:01Z".to_owned()),
        last_used: "2026-01-01T00:00:01Z".to_owned(),
        expires_at: "2026-01-01T00:00:02Z".to_owned(),
        current,
    }
}

fn event(detail: Option<&str>) -> EventInfo {
    let detail = detail.map(str::to_owned);
    EventInfo {
        id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
        at: "2026-01-01T00:00:00Z".to_owned(),
        user_id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f01".to_owned(),
        by: detail.clone(),
        what: "role_changed".to_owned(),
        session_id: detail.clone(),
        address: detail.clone(),
        device: detail,
    }
}

#[test]
fn every_request_of_the_account_system_reads_the_same_on_both_sides() {
    let secret = Secret::new("pass\0wörd \u{1F600} \"\\");
    for role in [Role::User, Role::Admin, Role::Guest] {
        round(role);
    }
    for text in [None, Some(""), Some("Älice \u{1F600}")] {
        let text = text.map(str::to_owned);
        round(RegisterAccount {
            username: "???".to_owned(),
            email: text.clone(),
            password: secret.clone(),
            full_name: text.clone(),
            invite: text.clone().map(Secret::new),
        });
        for role in [None, Some(Role::Admin)] {
            round(CreateInvite {
                email: text.clone(),
                role,
                expires: text.clone(),
            });
            round(CreateAccount {
                username: "???".to_owned(),
                email: text.clone(),
                password: secret.clone(),
                full_name: text.clone(),
                role,
            });
            for is_active in [None, Some(true), Some(false)] {
                round(UpdateUser {
                    full_name: text.clone(),
                    role,
                    is_active,
                });
            }
        }
    }
    for stay_signed_in in [None, Some(true), Some(false)] {
        round(Login {
            username: "alice@example.org".to_owned(),
            password: secret.clone(),
            stay_signed_in,
            code: stay_signed_in.map(|_| secret.clone()),
        });
    }
    round(RefreshPair {
        refresh_token: secret.clone(),
    });
    round(ChangePassword {
        current_password: secret.clone(),
        new_password: Secret::new("another"),
    });
    for username in [None, Some("alice".to_owned())] {
        round(RequestReset {
            email: "alice@example.org".to_owned(),
            username,
        });
    }
    round(ConfirmReset {
        token: secret.clone(),
        new_password: Secret::new("another"),
    });
    round(ConfirmEmail {
        token: secret.clone(),
    });
    round(ChangeEmail {
        password: secret.clone(),
        new_email: "alice@example.org".to_owned(),
    });
    round(SetUpTotp {
        password: secret.clone(),
    });
    round(ConfirmTotp {
        code: secret.clone(),
    });
    round(RemoveTotp {
        password: secret.clone(),
        code: Secret::new("123456"),
    });
    round(ReplaceRecoveryCodes {
        password: secret.clone(),
        code: Secret::new("123456"),
    });
    for code in [None, Some(secret.clone())] {
        round(Reactivate {
            username: "alice".to_owned(),
            password: secret.clone(),
            code,
        });
    }
    round(DeleteAccount { password: secret });
}

fn passkey(last_used: Option<&str>) -> PasskeyInfo {
    PasskeyInfo {
        id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
        name: "Phone 📱".to_owned(),
        created_at: "2026-01-01T12:00:00.000Z".to_owned(),
        last_used: last_used.map(str::to_owned),
    }
}

fn factors(passkeys: Vec<PasskeyInfo>) -> FactorsInfo {
    FactorsInfo {
        totp: !passkeys.is_empty(),
        recovery_codes_left: 7,
        passkeys,
    }
}

#[test]
fn every_answer_of_the_account_system_reads_the_same_on_both_sides() {
    round(TokenPair {
        access_token: Secret::new("a.b.c"),
        refresh_token: Secret::new("r"),
        token_type: "bearer".to_owned(),
        expires_in: u32::MAX,
    });
    round(TotpSetup {
        secret: Secret::new("JBSWY3DP"),
        otpauth_url: Secret::new("otpauth://totp/a:b?secret=JBSWY3DP"),
        qr_svg: Secret::new("<svg viewBox=\"0 0\"/>"),
    });
    for recovery_codes in [vec![], vec![Secret::new("7kqm-x2ha-9cwe-4tnb")]] {
        round(RecoveryCodes { recovery_codes });
    }
    round(Done::with("Password changed successfully"));
    round(Health {
        status: "healthy".to_owned(),
    });
    for mode in [
        RegistrationMode::Open,
        RegistrationMode::Invite,
        RegistrationMode::Closed,
    ] {
        round(RegistrationInfo {
            mode,
            password_min_score: 4,
        });
    }
    for (hint, hint_codes) in [
        (None, Vec::new()),
        (Some("A hint.".to_owned()), PasswordHint::ALL.to_vec()),
    ] {
        round(AskStrength {
            password: Secret::new("pass\0wörd"),
            username: hint.clone(),
            email: hint.clone(),
        });
        round(PasswordStrength {
            score: 4,
            enough: hint.is_none(),
            hint,
            hint_codes,
        });
    }
    round(InviteCreated {
        id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
        url: Secret::new("https://auth.example.org/join?token=x"),
        token: Secret::new("x"),
    });
    for email in [None, Some("alice@example.org".to_owned())] {
        round(InviteInfo {
            id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
            email,
            role: Role::Guest,
            created_at: "2026-01-01T00:00:00Z".to_owned(),
            expires_at: "2026-01-01T00:00:01Z".to_owned(),
        });
    }
    let jwk = Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        usage: "sig".to_owned(),
        alg: "EdDSA".to_owned(),
        kid: "a1b2c3d4e5f60718".to_owned(),
        x: String::new(),
    };
    for keys in [Vec::new(), vec![jwk.clone(), jwk]] {
        round(JwkSet { keys });
    }
    for count in [0, u64::MAX] {
        round(UserCount { total_users: count });
    }
    for text in [None, Some(""), Some("Älice \u{1F600}")] {
        round(person(text, None));
        round(person(None, text));
        round(event(text));
    }
    for yes in [true, false] {
        round(sign_in(yes));
        round(AccountStatus {
            is_active: yes,
            is_verified: !yes,
        });
    }
    round(PersonalData {
        user: person(Some("alice@example.org"), None),
        sessions: vec![sign_in(true), sign_in(false)],
        factors: factors(vec![
            passkey(None),
            passkey(Some("2026-01-01T12:00:00.000Z")),
        ]),
        invites: vec![InviteInfo {
            id: "id".to_owned(),
            email: None,
            role: Role::Guest,
            created_at: "2026-01-01T12:00:00.000Z".to_owned(),
            expires_at: "2026-01-08T12:00:00.000Z".to_owned(),
        }],
        events: vec![event(None), event(Some("x"))],
    });
    round(PersonalData {
        user: person(None, None),
        sessions: Vec::new(),
        factors: factors(Vec::new()),
        invites: Vec::new(),
        events: Vec::new(),
    });
}
