//! Lines of files of users.

/// The password behind [`HASHES`].
pub const THEIR_PASSWORD: &str = "pässwörd ❤ correct";

/// A hash of each form, with cheap parameters: made by Django 5.2.19, argon2-cffi 25.1.0, passlib 1.7.4 and
/// bcrypt 4.0.1 of Python.
pub const HASHES: [(&str, &str); 12] = [
    (
        "django-pbkdf2",
        "pbkdf2_sha256$1000$saltySALT12345678901xy$5qAQDEziHRhqNX8YxPCQv/54rwBBR0/XBecIm6ZH6jc=",
    ),
    (
        "django-scrypt",
        "scrypt$16$saltySALT12345678901xy$8$2$5itCc9hQQAZUsegaaJ2FEjZI4HKrsWjM3QC9bv2IAm8X0PR9EJjoOQbFPA+2qp4x3IYcABBlXHu+rvqfVheOHQ==",
    ),
    (
        "django-argon2",
        "argon2$argon2id$v=19$m=64,t=2,p=8$R2dlS2lLU1lzS0RQd1RMZ1BvUDBEbg$n3aAtcdF5WJcBtIk1eKXjixXZKhcj36eTGs/FnVpqPg",
    ),
    (
        "django-bcrypt",
        "bcrypt$$2b$04$BjsW9R93iDPOlMjQ7KvoFejfoTkD0e9W4/9e/Vc7EpZBfSDCVxhLS",
    ),
    (
        "argon2id",
        "$argon2id$v=19$m=64,t=2,p=2$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
    ),
    (
        "argon2i",
        "$argon2i$v=19$m=64,t=2,p=2$AcZduO9+c4Ck4VwsRhqFTg$Iin08QoPv6V/rXGBF0dGNJ4ltYeknmXvJedQsGUfzLw",
    ),
    (
        "argon2d",
        "$argon2d$v=19$m=64,t=2,p=2$Fcl0aRqYrHXvRGzj4OoJMg$NhZry/Ju5wsI6a2l2xgzysQ8SDqIR1fq+eu8niiKZsg",
    ),
    (
        "passlib-pbkdf2",
        "$pbkdf2-sha256$1000$wrh3LmWs1ZpTyhmDcO699w$AG8I2xROGmblbq1ievYsPqaCZSNOGeNyo0w5DclRNHw",
    ),
    (
        "passlib-scrypt",
        "$scrypt$ln=4,r=8,p=2$AMBYa+2d8947ZyzFuFeKMQ$yb2YEJ0xBcbGQHWXDNSd4dssp8oSZACSParyITtBOzc",
    ),
    (
        "bcrypt-2a",
        "$2a$04$1bXQv90tChgnsn9JxCHKmu8h9izjw2lXSxWosiwGv9JFMmQJlEPi2",
    ),
    (
        "bcrypt-2b",
        "$2b$04$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu",
    ),
    (
        "bcrypt-2y",
        "$2y$04$Ga6/PzTDe.ZQ0Kml5Y.kcOEFuLzErCdRAXqxbjG88cQNWWCyPs/W.",
    ),
];

/// A line that is no user, and what is said of it.
pub const BAD: [(&str, &str); 24] = [
    ("geheim", "is not a JSON object"),
    ("\"geheim\"", "is not a JSON object"),
    ("[\"geheim\"]", "is not a JSON object"),
    (
        "{\"username\": \"geheim\"",
        "is not valid JSON, from column",
    ),
    ("{}", "username: is missing"),
    ("{\"username\": null}", "username: is missing"),
    ("{\"username\": 7}", "username: must be a string"),
    (
        "{\"username\": \"bad@name\"}",
        "username: Username must not contain an @.",
    ),
    ("{\"username\": \" \"}", "username: "),
    (
        "{\"username\": \"bad\", \"username\": \"worse\"}",
        "duplicate field `username`",
    ),
    (
        "{\"username\": \"bad\", \"is_superuser\": true}",
        "unknown field `is_superuser`",
    ),
    (
        "{\"username\": \"bad\", \"is_active\": \"geheim\"}",
        "is_active: must be true or false",
    ),
    (
        "{\"username\": \"bad\", \"role\": \"root\"}",
        "role: the role must be user, admin or guest",
    ),
    (
        "{\"username\": \"bad\", \"email\": \"geheim\"}",
        "email: is not an e-mail address",
    ),
    (
        "{\"username\": \"bad\", \"email_verified\": true}",
        "email_verified: is true, but there is no",
    ),
    (
        "{\"username\": \"bad\", \"full_name\": \"a\\u0000b\"}",
        "full_name: The name must not",
    ),
    (
        "{\"username\": \"bad\", \"created_at\": \"yesterday\"}",
        "created_at: is not a time",
    ),
    (
        "{\"username\": \"bad\", \"created_at\": \"1969-12-31T23:59:59Z\"}",
        "created_at: is not a time",
    ),
    (
        "{\"username\": \"bad\", \"created_at\": \"9999-01-01T00:00:00Z\"}",
        "created_at: is in the future",
    ),
    (
        "{\"username\": \"bad\", \"password_hash\": 7}",
        "password_hash: must be a string",
    ),
    (
        "{\"username\": \"bad\", \"password_hash\": \"geheim\"}",
        "password_hash: cannot be used: it is not",
    ),
    (
        "{\"username\": \"bad\", \"password_hash\": \"$2b$04$geheim\"}",
        "password_hash: cannot be used: it looks like bcrypt",
    ),
    (
        "{\"username\": \"bad\", \"password_hash\": \"$2b$20$IypThKWqWVPy.0X9Qw.mkeySYwU6hz08L2iIyfkfmyKMpED0NaDuu\"}",
        "password_hash: cannot be used: it is too expensive",
    ),
    (
        "{\"username\": \"bad\", \"password_hash\": \"$argon2id$v=19$m=4194304,t=3,p=4$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc\"}",
        "password_hash: cannot be used: it is too expensive",
    ),
];
