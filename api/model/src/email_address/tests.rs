use super::{EmailAddress, EmailKey};

fn key(text: &str) -> String {
    let address = EmailAddress::parse(text);
    let key = address.unwrap_or_else(|_| panic!("{text:?}")).key();
    key.as_str().to_owned()
}

#[test]
fn what_people_have_is_an_address() {
    for text in [
        "alice@example.org",
        " Alice.Smith+demo@mail.example.co.uk ",
        "o'neil@example.ie",
        "用户@例子.广告",
        "a@b.c1",
        "a@r3---sn.example",
    ] {
        assert!(EmailAddress::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn people_of_every_script_have_addresses() {
    for text in [
        "संपर्क@डाटामेल.भारत",
        "ยูนิโค้ด@ตัวอย่าง.ไทย",
        "যোগাযোগ@উদাহরণ.বাংলা",
        "தொடர்பு@எடுத்துக்காட்டு.இந்தியா",
        "ဆက်သွယ်ရန်@ဥပမာ.မြန်မာ",
        "పంపు@ఉదాహరణ.భారత్",
        "ព័ត៌មាន@ឧទាហរណ៍.ខ្មែរ",
        "נָעָה@דוגמה.קום",
        "مُحَمَّد@مثال.إختبار",
        // The non-joiner between letters that would join, and behind a virama; the joiner behind a virama.
        "می\u{200C}خواهم@نامه\u{200C}ای.example",
        "क्\u{200C}ष@क्\u{200C}ष.example",
        "ශ්\u{200D}රී@ශ්\u{200D}රී.example",
        "ക്\u{200D}@example.org",
        "日本・太郎@例え。テスト",
        "ё́@example.org",
    ] {
        assert!(EmailAddress::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn what_no_mail_reaches_is_none() {
    let long = format!("{}@example.org", "a".repeat(65));
    let decomposed = format!("{}@example.org", "u\u{308}".repeat(33));
    let endless = format!("a@{}example.org", "ü".repeat(500));
    for text in [
        "",
        "@",
        "alice",
        "alice@",
        "@example.org",
        "alice@localhost",
        "a@b@c.d",
        "a b@c.de",
        "alice@example..org",
        "alice@example.org.",
        "alice@example。。org",
        "alice@-example.org",
        "alice@example-.org",
        "alice@exam_ple.org",
        "alice@xn--a.org",
        ".alice@example.org",
        "alice.@example.org",
        "alice@10.0.0.1",
        "alice@１０.０.０.１",
        "alice@example.org\nBcc: bob@example.org",
        "a,b@c.de",
        "<a@b.de>",
        "\u{308}a@example.org",
        "a@\u{308}b.example",
        "a\u{A0}b@example.org",
        "a\u{378}@example.org",
        "a\u{E000}@example.org",
        "a\u{2800}@example.org",
        &long,
        &decomposed,
        &endless,
    ] {
        assert!(EmailAddress::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_passes_for_another_address_is_none() {
    for text in [
        "ſusan@example.org",
        "ａlice@example.org",
        "ﬁona@example.org",
        "alice²@example.org",
        "alice\u{200B}@example.org",
        "alice\u{AD}@example.org",
        "alice\u{FE0F}@example.org",
        "alice\u{3164}@example.org",
        "alice\u{34F}@example.org",
        "alice\u{202E}@example.org",
        "a@exam\u{3164}ple.example",
        "a@exam\u{AD}ple.example",
        "a@exam\u{200B}ple.example",
        "a@exam\u{FE0F}ple.example",
        "a@exam\u{1D173}ple.example",
        // Joiners where nothing would join.
        "ali\u{200D}ce@example.org",
        "ali\u{200C}ce@example.org",
        "मी\u{200D}@example.org",
        "می\u{200C}@example.org",
        "a@ali\u{200D}ce.example",
        "a@ali\u{200C}ce.example",
        "alice＠example.org",
        "ali＠ce@example.org",
    ] {
        assert!(EmailAddress::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn spellings_of_one_mailbox_are_one() {
    for (one, other) in [
        ("Alice@Example.ORG", " alice@example.org"),
        ("alice@bücher.example", "alice@XN--BCHER-KVA.example"),
        ("alice@bücher.example", "alice@bu\u{308}cher.example"),
        ("ju\u{308}rgen@example.org", "JÜRGEN@example.org"),
        ("a@例え。テスト", "a@例え.テスト"),
        ("a@ｅxample．org", "a@example.org"),
        ("J\u{30C}@example.org", "ǰ@example.org"),
    ] {
        assert_eq!(key(one), key(other), "{one} {other}");
    }
}

#[test]
fn what_is_delivered_to_two_mailboxes_is_two() {
    for (one, other) in [
        ("nikos@κοσμος.example", "nikos@κοσμοϲ.example"),
        ("a@faß.example", "a@fass.example"),
        ("a@βόλος.example", "a@βόλοσ.example"),
        ("straße@example.org", "strasse@example.org"),
        ("νίκος@example.org", "νίκοσ@example.org"),
        ("alice+a@example.org", "alice@example.org"),
        ("аlice@example.org", "alice@example.org"),
        ("می\u{200C}خواهم@example.org", "میخواهم@example.org"),
        ("a@می\u{200C}خواهم.example", "a@میخواهم.example"),
    ] {
        assert_ne!(key(one), key(other), "{one} {other}");
    }
}

#[test]
fn an_address_is_delivered_to_the_domain_by_which_it_is_compared() {
    for (text, local, domain) in [
        ("Alice@Example.ORG", "Alice", "example.org"),
        ("nikos@κοσμος.example", "nikos", "xn--vxaeibpd.example"),
        ("nikos@κοσμοϲ.example", "nikos", "xn--vxaeibsc.example"),
        (
            "Ju\u{308}rgen@例え。テスト",
            "Jürgen",
            "xn--r8jz45g.xn--zckzah",
        ),
    ] {
        let address = EmailAddress::parse(text).expect(text);
        assert_eq!(
            address.mailbox(),
            Some((local.to_owned(), domain.to_owned()))
        );
        let expected = format!("{}@{domain}", local.to_lowercase());
        assert_eq!(address.key().as_str(), expected);
        assert_eq!(
            EmailKey::of(address.key().as_str()),
            address.key(),
            "a key is its own"
        );
    }
}

#[test]
fn an_address_of_an_older_version_is_compared_by_where_it_was_delivered() {
    let old = |text: &str| EmailAddress::from_store(text.to_owned());
    assert_eq!(
        old("a@exam\u{3164}ple.example").key(),
        old("a@example.example").key()
    );
    assert_ne!(
        old("ſusan@example.org").key(),
        old("susan@example.org").key()
    );
    assert_eq!(old("a@not a domain").mailbox(), None);
    assert_eq!(old("A@Not a domain").key().as_str(), "a@not a domain");
}
