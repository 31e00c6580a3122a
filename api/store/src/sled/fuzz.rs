//! No bytes of a stored record make its reader panic, and what can be read is written as it was.

use std::fmt::Debug;
use std::time::Duration;

use password_auth_model::{
    EmailAddress, EmailKind, Event, EventId, EventKind, Factors, Generation, Invite,
    InviteLifetime, OneTimeToken, Passkey, PasskeyId, PasswordHash, Proof, Purpose, QueuedEmail,
    QueuedEmailId, Retired, Role, Session, SessionId, Timestamp, TokenKey, Totp, UsedChallenge,
    User, Username, WaitingTotp,
};
use password_auth_testing::fuzz_from;

use super::codec::{Stored, decode, encode};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn check<T: Stored + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(record) = decode::<T>(bytes) {
        let again = encode(&record).expect("written");
        assert_eq!(decode::<T>(&again).expect("read"), record);
    }
}

fn seed<T: Stored + PartialEq + Debug>(record: &T) -> Vec<u8> {
    let bytes = encode(record).expect("written");
    assert_eq!(&decode::<T>(&bytes).expect("read"), record);
    bytes
}

/// One of each, with something in every field.
fn seeds() -> Vec<Vec<u8>> {
    let email = EmailAddress::parse("alice@example.org").expect("an address");
    let name = Username::parse("Alice").expect("a name");
    let mut user = User::new(name, PasswordHash::from_text("hash".to_owned()), NOW);
    user.email = Some(email.clone());
    user.last_login = Some(NOW);
    let id = SessionId::new(NOW);
    let session = Session {
        generation: Generation(3),
        confirmed: true,
        epoch: 1,
        retired: vec![Retired {
            generation: Generation(2),
            at: NOW,
            by: None,
        }],
        ..Session::new(user.id, "Firefox".to_owned(), NOW, Timestamp::MAX)
    };
    let purpose = Purpose::ChangeEmail(email.clone());
    let (_, token) = OneTimeToken::new(user.id, purpose, NOW).expect("random");
    let lifetime: InviteLifetime = "7d".parse().expect("a lifetime");
    let invite = Invite::new(
        Some(email.clone()),
        Role::Admin,
        Some(user.id),
        NOW,
        lifetime,
    );
    let (_, invite) = invite.expect("random");
    let mail = QueuedEmail {
        id: QueuedEmailId::new(NOW),
        created: NOW,
        due: NOW,
        tries: 3,
        to: email,
        user: Some(user.id),
        kind: EmailKind::VerifyEmail,
    };
    let event = Event {
        id: EventId::new(NOW),
        at: NOW,
        user: user.id,
        by: Some(user.id),
        what: EventKind::RoleChanged(Role::Guest),
        session: Some(id),
        address: Some("192.0.2.7".to_owned()),
        device: Some("Firefox".to_owned()),
    };
    let key = TokenKey {
        salt: [1; 16],
        secret: [2; 8],
        public: [3; 32],
        created: NOW,
        signs_from: NOW,
        stops: Some(NOW),
        token_lifetime: Duration::from_secs(900),
    };
    vec![
        seed(&user),
        seed(&session),
        seed(&token),
        seed(&invite),
        seed(&mail),
        seed(&event),
        seed(&key),
        seed(&factors(&user, id)),
    ]
}

fn factors(user: &User, session: SessionId) -> Factors {
    let passkey = Passkey {
        id: PasskeyId::new(NOW),
        name: "Phone".to_owned(),
        credential: [4; 32].into(),
        public_key: [5; 77].into(),
        counter: 7,
        created: NOW,
        last_used: Some(NOW),
    };
    Factors {
        totp: Some(Totp {
            secret: [6; 49].into(),
            last_step: 56_666_666,
        }),
        recovery_codes: vec![[7; 32].into(), [8; 32].into()],
        passkeys: vec![passkey],
        waiting: Some(WaitingTotp {
            secret: [9; 49].into(),
            password_version: 1,
            until: NOW,
        }),
        used_challenges: vec![UsedChallenge {
            nonce: [10; 16].into(),
            until: NOW,
        }],
        proofs: vec![Proof {
            session,
            password_version: 1,
            until: NOW,
        }],
        ..Factors::none_of(user.id)
    }
}

#[test]
fn fuzz_stored_records() {
    fuzz_from("stored_records", &seeds(), |bytes| {
        check::<User>(bytes);
        check::<Session>(bytes);
        check::<OneTimeToken>(bytes);
        check::<QueuedEmail>(bytes);
        check::<Event>(bytes);
        check::<Factors>(bytes);
        check::<Invite>(bytes);
        check::<TokenKey>(bytes);
    });
}
