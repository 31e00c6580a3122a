//! Hashes that the libraries themselves made, or that stand in their documentation.

use super::StoredHash;
use crate::passwords::hash::verify;
use crate::passwords::{PasswordMatch, ScryptParams, UnusableHash, import_hash};

const PASSWORD: &str = "pässwörd ❤ correct";

fn today() -> ScryptParams {
    ScryptParams::new(4, 8, 2).expect("valid")
}

#[track_caller]
fn verdict(password: impl AsRef<[u8]>, stored: &str) -> PasswordMatch {
    let stored = import_hash(stored).expect("usable");
    verify(password.as_ref(), &stored, today()).expect("computed")
}

#[track_caller]
fn refused(stored: &str) -> UnusableHash {
    import_hash(stored).expect_err("not usable")
}

#[test]
fn hashes_of_other_libraries_verify_and_are_outdated() {
    for stored in [
        // Django 5.2.19, with cheaper parameters than its own.
        "pbkdf2_sha256$1000$saltySALT12345678901xy$5qAQDEziHRhqNX8YxPCQv/54rwBBR0/XBecIm6ZH6jc=",
        "scrypt$16$saltySALT12345678901xy$8$2$5itCc9hQQAZUsegaaJ2FEjZI4HKrsWjM3QC9bv2IAm8X0PR9EJjoOQbFPA+2qp4x3IYcABBlXHu+rvqfVheOHQ==",
        "argon2$argon2id$v=19$m=64,t=2,p=8$R2dlS2lLU1lzS0RQd1RMZ1BvUDBEbg$n3aAtcdF5WJcBtIk1eKXjixXZKhcj36eTGs/FnVpqPg",
        "bcrypt$$2b$04$BjsW9R93iDPOlMjQ7KvoFejfoTkD0e9W4/9e/Vc7EpZBfSDCVxhLS",
        // argon2-cffi 25.1.0: the three variants, and the first version.
        "$argon2id$v=19$m=64,t=2,p=2$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
        "$argon2i$v=19$m=64,t=2,p=2$AcZduO9+c4Ck4VwsRhqFTg$Iin08QoPv6V/rXGBF0dGNJ4ltYeknmXvJedQsGUfzLw",
        "$argon2d$v=19$m=64,t=2,p=2$Fcl0aRqYrHXvRGzj4OoJMg$NhZry/Ju5wsI6a2l2xgzysQ8SDqIR1fq+eu8niiKZsg",
        "$argon2id$v=16$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$1sSKIpo05G2fK/5wjiya0TBTnUvG5w5dfr3CrQ6pkXs",
        // passlib 1.7.4.
        "$pbkdf2-sha256$1000$wrh3LmWs1ZpTyhmDcO699w$AG8I2xROGmblbq1ievYsPqaCZSNOGeNyo0w5DclRNHw",
        // bcrypt 4.0.1 of Python; PHP's `$2y$` differs from `$2b$` in its name alone.
        "$2a$04$1bXQv90tChgnsn9JxCHKmu8h9izjw2lXSxWosiwGv9JFMmQJlEPi2",
        "$2b$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu",
        "$2y$04$Ga6/PzTDe.ZQ0Kml5Y.kcOEFuLzErCdRAXqxbjG88cQNWWCyPs/W.",
    ] {
        assert_eq!(
            verdict(PASSWORD, stored),
            PasswordMatch::RightButOutdated,
            "{stored}"
        );
        assert_eq!(
            verdict("passwörd ❤ correct", stored),
            PasswordMatch::Wrong,
            "{stored}"
        );
        assert_eq!(verdict("", stored), PasswordMatch::Wrong, "{stored}");
    }
}

#[test]
fn published_hashes_verify() {
    for (password, stored) in [
        // passlib's documentation of scrypt and of pbkdf2_sha256.
        (
            "password",
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        ),
        (
            "toomanysecrets",
            "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",
        ),
        (
            "password",
            "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M",
        ),
        // PHP's documentation of crypt().
        (
            "rasmuslerdorf",
            "$2a$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi",
        ),
        // The README of argon2's reference implementation; 24 bytes.
        (
            "password",
            "$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
        ),
    ] {
        assert_eq!(
            verdict(password, stored),
            PasswordMatch::RightButOutdated,
            "{stored}"
        );
    }
}

#[test]
fn a_hash_of_another_library_with_today_s_parameters_is_up_to_date() {
    // passlib 1.7.4.
    let stored =
        "$scrypt$ln=4,r=8,p=2$AMBYa+2d8947ZyzFuFeKMQ$yb2YEJ0xBcbGQHWXDNSd4dssp8oSZACSParyITtBOzc";
    assert_eq!(verdict(PASSWORD, stored), PasswordMatch::Right);
}

#[test]
fn bcrypt_looks_at_72_bytes_and_knows_no_nul() {
    // bcrypt 4.0.1 of Python, of 71 times x, a y, and more.
    let stored = "$2b$04$LmrHLsgfVNQ5cJbRWfSyYu9jqLcRDuuiFO6uGNZ0wz6s0.18gtDN2";
    let head = "x".repeat(71);
    for (tail, expected) in [
        ("y", PasswordMatch::RightButOutdated),
        ("ywhatever", PasswordMatch::RightButOutdated),
        ("y\0", PasswordMatch::Wrong),
        ("", PasswordMatch::Wrong),
        ("z", PasswordMatch::Wrong),
    ] {
        assert_eq!(
            verdict(format!("{head}{tail}"), stored),
            expected,
            "{tail:?}"
        );
    }
    let stored = "$2b$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu";
    for tail in ["\0", "\0more", &format!("\0{PASSWORD}")] {
        assert_eq!(
            verdict(format!("{PASSWORD}{tail}"), stored),
            PasswordMatch::Wrong
        );
    }
}

#[test]
fn with_django_s_way_around_that_limit_all_of_a_password_counts() {
    // Django 5.2.19.
    let stored = "bcrypt_sha256$$2b$04$NotKcj6PR7hgWEeEZyleMu52Yn.PiMqobvn9QzG34kiV7ePgZQijW";
    assert_eq!(
        verdict("ü".repeat(60), stored),
        PasswordMatch::RightButOutdated
    );
    assert_eq!(verdict("ü".repeat(59), stored), PasswordMatch::Wrong);
}

#[test]
fn a_nul_behind_a_password_is_another_password() {
    for stored in [
        "pbkdf2_sha256$1000$saltySALT12345678901xy$5qAQDEziHRhqNX8YxPCQv/54rwBBR0/XBecIm6ZH6jc=",
        "$scrypt$ln=4,r=8,p=2$AMBYa+2d8947ZyzFuFeKMQ$yb2YEJ0xBcbGQHWXDNSd4dssp8oSZACSParyITtBOzc",
        "$argon2id$v=19$m=64,t=2,p=2$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
    ] {
        assert_eq!(
            verdict(format!("{PASSWORD}\0"), stored),
            PasswordMatch::Wrong,
            "{stored}"
        );
    }
}

#[test]
fn what_would_cost_too_much_is_refused_at_once() {
    let scrypt = "aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
    let argon2 = "01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc";
    let bcrypt = "IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu";
    let pbkdf2 = "saltySALT12345678901xy$5qAQDEziHRhqNX8YxPCQv/54rwBBR0/XBecIm6ZH6jc=";
    let django =
        "5itCc9hQQAZUsegaaJ2FEjZI4HKrsWjM3QC9bv2IAm8X0PR9EJjoOQbFPA+2qp4x3IYcABBlXHu+rvqfVheOHQ==";
    for stored in [
        format!("$scrypt$ln=40,r=8,p=1${scrypt}"),
        format!("$scrypt$ln=20,r=1000,p=1${scrypt}"),
        format!("$scrypt$ln=4,r=8,p=100000${scrypt}"),
        format!("$scrypt$ln=4,r=8,p=3333333333${scrypt}"),
        format!("$scrypt$ln=300,r=8,p=1${scrypt}"),
        format!("$scrypt$ln=18,r=8,p=9${scrypt}"),
        format!("scrypt$1073741824$salt$8$1${django}"),
        format!("$argon2id$v=19$m=1048576,t=1,p=1${argon2}"),
        format!("$argon2id$v=19$m=65536,t=100,p=1${argon2}"),
        format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1${argon2}"),
        format!("$2b$16${bcrypt}"),
        format!("$2b$31${bcrypt}"),
        format!("$2b$99${bcrypt}"),
        format!("pbkdf2_sha256$6000001${pbkdf2}"),
        format!("pbkdf2_sha256$18446744073709551615${pbkdf2}"),
    ] {
        assert!(
            matches!(refused(&stored), UnusableHash::TooExpensive(_)),
            "{stored}"
        );
    }
}

#[test]
fn what_is_damaged_or_of_another_kind_is_refused() {
    for stored in [
        "$2b$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDu",
        "$2b$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuuu",
        "$2b$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDu!",
        "$2b$03$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu",
        "$2b$+4$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu",
        "$2b$04$ÜypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu",
        "$argon2id$v=19$m=64,t=2$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
        "$argon2id$v=20$m=64,t=2,p=2$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
        "$argon2id$v=19$m=64,t=2,p=2$01gATBhllUeP5p/GUUbR6Q",
        "$argon2id$v=19$m=64,t=2,p=2,keyid=Hj5+dsK0$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
        "$argon2id$v=19$m=8,t=2,p=2$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
        "pbkdf2_sha256$0$salt$5qAQDEziHRhqNX8YxPCQv/54rwBBR0/XBecIm6ZH6jc=",
        "pbkdf2_sha256$1000$salt$5qAQDEziHRhqNX8YxPCQv",
        "pbkdf2_sha256$1000$salt$5qAQDEziHRhqNX8YxPCQv/54rwBBR0/XBecIm6ZH6jc=$",
        "$pbkdf2-sha256$1000$wrh3LmWs1ZpTyhmDcO699w",
        "scrypt$15$salt$8$1$5itCc9hQQAZUsegaaJ2FEjZI4HKrsWjM3QC9bv2IAm8X0PR9EJjoOQbFPA+2qp4x3IYcABBlXHu+rvqfVheOHQ==",
        "scrypt$16$salt$8$1$",
        "$scrypt$ln=4,r=8,p=2$AMBYa+2d8947ZyzFuFeKMQ",
    ] {
        assert!(
            matches!(refused(stored), UnusableHash::Damaged(_)),
            "{stored}"
        );
    }
    for stored in [
        "",
        "hunter2hunter2",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$2x$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu",
        "$6$rounds=5000$salt$hash",
        "pbkdf2_sha1$1000$salt$hash",
        "md5$salt$hash",
        &"$".repeat(10_000),
    ] {
        assert_eq!(refused(stored), UnusableHash::Unknown, "{stored}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_recognising_panic(text in r"(\$?(2[aby]|bcrypt(_sha256)?|argon2(id|i|d)?|scrypt|pbkdf2[-_]sha256)?\$)?[ -~$=,0-9]{0,90}") {
        StoredHash::recognise(&text).ok();
    }
}
