//! What the OpenAPI document says about each route: an example of the response, and the errors.

use std::time::Duration;

use password_auth_core::accounts::Invalid;
use password_auth_model::Role;
use password_auth_wire::rules::Violation;
use password_auth_wire::v1::{
    AccountStatus, Done, EventInfo, FactorsInfo, Health, InviteCreated, InviteInfo, JwkSet,
    PasskeyInfo, PasswordChanged, PasswordStrength, PersonalData, RecoveryCodes, RegistrationInfo,
    SessionInfo, TokenPair, TotpSetup, UserCount, UserInfo,
};
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem_openapi::types::Any;
use poem_openapi::types::Example as _;
use serde_json::{Value, json};

use super::messages::{
    CHANGE_SENT, DEACTIVATED, EMAIL_VERIFIED, LOGGED_OUT, PASSWORD_RESET, PROVED, RESET_REQUESTED,
    VERIFICATION_SENT,
};
use super::views::AuthHeaders;
use crate::error::{Dialect, Failure};
use crate::route::{NoBody, Route, refusals_of_callers as caller, second_factor_required};

macro_rules! routes {
    ($($name:ident: $status:ident $body:ty = $example:expr, $answer:literal, [$($refusals:expr),*];)+) => {
        $(
            pub(super) struct $name;

            impl Route for $name {
                type Body = $body;
                const DIALECT: Dialect = Dialect::V1;
                const STATUS: StatusCode = StatusCode::$status;
                const DESCRIPTION: &'static str = $answer;
                fn example() -> $body {
                    $example
                }
                fn refusals() -> Vec<Failure> {
                    let refusals: Vec<Vec<Failure>> = vec![$($refusals),*];
                    refusals.concat()
                }
            }
        )+
    };
}

routes! {
    RegisterRoute: CREATED UserInfo = UserInfo::example(), "The account was created.",
        [new_account(), vec![Failure::RegistrationClosed, Failure::Uninvited, too_many()]];
    RegistrationRoute: OK RegistrationInfo = RegistrationInfo::example(), "Who may register.", [];
    SecondFactorRoute: OK TokenPair = TokenPair::example(), "Signed in: a new session with its tokens.",
        [vec![
            Failure::WrongSecondFactor, Failure::ChallengeExpired, Failure::AccountDisabled, too_many(),
        ], bad_body("challenge")];
    LoginRoute: OK TokenPair = TokenPair::example(), "Signed in: a new session with its tokens.",
        [vec![
            Failure::InvalidCredentials, second_factor_required(), Failure::WrongSecondFactor,
            Failure::AccountDisabled, Failure::CredentialsRequired, too_many(),
        ], bad_body("username")];
    ReactivateRoute: OK TokenPair = TokenPair::example(), "The account was reactivated: a new session with its tokens.",
        [vec![
            Failure::InvalidCredentials, second_factor_required(), Failure::WrongSecondFactor,
            Failure::AccountDisabled, Failure::CredentialsRequired, too_many(),
        ], bad_body("username")];
    LoginFormRoute: OK TokenPair = TokenPair::example(), "Signed in: a new session with its tokens.",
        [vec![
            Failure::InvalidCredentials, second_factor_required(), Failure::WrongSecondFactor, Failure::CrossSite, Failure::AccountDisabled,
            Failure::CredentialsRequired, too_many(),
        ], bad_body("username")];
    RefreshRoute: OK TokenPair = TokenPair::example(),
        "The session's current refresh token and a new access token.",
        [vec![
            Failure::InvalidRefreshToken, Failure::RefreshTokenExpired, Failure::RefreshTokenReused,
        ], bad_body("refresh_token")];
    LogoutRoute: OK Done = Done::with(LOGGED_OUT), "The session has ended.",
        [vec![
            Failure::MissingToken, Failure::InvalidToken, Failure::InvalidRefreshToken,
        ], bad_body("refresh_token")];
    LogoutEverywhere: OK Done = Done::with(LOGGED_OUT), "All sessions have ended.", [counted()];
    SessionsRoute: OK Vec<SessionInfo> = vec![SessionInfo::example()], "The sessions, the most recently used first.", [counted()];
    EndSessionRoute: NO_CONTENT NoBody = NoBody {}, "The session has ended.", [counted(), vec![Failure::NotFound]];
    EndOtherSessionsRoute: NO_CONTENT NoBody = NoBody {}, "The other sessions have ended.", [counted()];

    ChangePasswordRoute: OK PasswordChanged = PasswordChanged::example(),
        "The password was changed. Use this pair from now on.",
        [caller(), vec![Failure::WrongPassword, too_many()], bad_body("new_password")];
    StrengthRoute: OK PasswordStrength = PasswordStrength::example(), "The strength.",
        [vec![too_many()], bad_body("password")];
    RequestResetRoute: OK Done = Done::with(RESET_REQUESTED), "If an account has this address, a link was sent.",
        [vec![too_many(), Failure::MailNotConfigured], bad_body("email")];
    ConfirmResetRoute: OK Done = Done::with(PASSWORD_RESET), "The password was changed.",
        [vec![Failure::InvalidOneTimeToken, too_many()], bad_body("new_password")];

    RequestVerificationRoute: OK Done = Done::with(VERIFICATION_SENT), "A link was sent.",
        [caller(), vec![Failure::NothingToVerify, too_many(), Failure::MailNotConfigured]];
    ConfirmEmailRoute: OK Done = Done::with(EMAIL_VERIFIED), "The address is verified.",
        [vec![Failure::InvalidOneTimeToken, Failure::EmailExists, too_many()], bad_body("token")];
    ChangeEmailRoute: OK Done = Done::with(CHANGE_SENT), "A link was sent to the new address.",
        [caller(), vec![
            Failure::WrongPassword, Failure::EmailExists, too_many(), Failure::MailNotConfigured,
        ], bad_body("new_email")];

    ProofRoute: OK Done = Done::with(PROVED), "For 5 minutes, the session may do more.",
        [caller(), vec![
            Failure::WrongPasskey, Failure::ChallengeExpired, Failure::WrongPassword, too_many(),
        ], bad_body("password")];
    PasskeyCreationRoute: OK Any<Value> = Any(creation_example()), "The options. They are good for 5 minutes.",
        [caller(), vec![Failure::WrongPassword, Failure::PasskeysNotConfigured, too_many()], bad_body("password")];
    AddPasskeyRoute: CREATED PasskeyInfo = PasskeyInfo::example(), "The passkey was added.",
        [counted(), vec![
            Failure::InvalidPasskey, Failure::ChallengeExpired, Failure::PasskeysNotConfigured,
        ], bad_body("credential")];
    PasskeyRequestRoute: OK Any<Value> = Any(request_example()), "The options. They are good for 5 minutes.",
        [vec![Failure::PasskeysNotConfigured]];
    PasskeyLoginRoute: OK TokenPair = TokenPair::example(), "Signed in: a new session with its tokens.",
        [vec![
            Failure::WrongPasskey, Failure::ChallengeExpired, Failure::AccountDisabled, too_many(),
        ], bad_body("credential")];
    RenamePasskeyRoute: OK PasskeyInfo = PasskeyInfo::example(), "The passkey after the change.",
        [counted(), vec![Failure::NotFound], bad_body("name")];
    RemovePasskeyRoute: NO_CONTENT NoBody = NoBody {}, "The passkey was removed.",
        [counted(), vec![Failure::ProofRequired, Failure::NotFound]];
    FactorsRoute: OK FactorsInfo = FactorsInfo::example(), "The second factors.", [caller()];
    SetUpTotpRoute: OK TotpSetup = TotpSetup::example(), "The app waits 10 minutes for its first code.",
        [caller(), vec![Failure::WrongPassword, Failure::FactorExists, too_many()], bad_body("password")];
    ConfirmTotpRoute: OK RecoveryCodes = RecoveryCodes::example(), "The app is enrolled. These are the recovery codes.",
        [caller(), vec![Failure::InvalidCode, Failure::FactorExists, too_many()], bad_body("code")];
    RemoveTotpRoute: NO_CONTENT NoBody = NoBody {}, "The app was removed.",
        [caller(), vec![Failure::WrongPassword, Failure::InvalidCode, too_many()], bad_body("code")];
    ReplaceRecoveryCodesRoute: OK RecoveryCodes = RecoveryCodes::example(), "The new recovery codes. The old ones are void.",
        [caller(), vec![Failure::WrongPassword, Failure::InvalidCode, too_many()], bad_body("code")];

    OwnUserRoute: OK UserInfo = UserInfo::example(), "The signed-in user.", [caller()];
    StatusRoute: OK AccountStatus = AccountStatus::example(), "The status of the account.", [caller()];
    DeactivateRoute: OK Done = Done::with(DEACTIVATED), "The account was deactivated.",
        [counted(), vec![Failure::LastAdmin]];
    ExportRoute: OK PersonalData = PersonalData::example(), "All stored data about the user.",
        [counted(), vec![Failure::ProofRequired]];
    DeleteAccountRoute: NO_CONTENT NoBody = NoBody {}, "The account was deleted.",
        [caller(), vec![Failure::WrongPassword, Failure::LastAdmin, too_many()], bad_body("password")];
    EventList: OK Vec<EventInfo> = vec![EventInfo::example()], "The events, the latest first.",
        [counted(), bad_parameter("limit")];
    AllEvents: OK Vec<EventInfo> = vec![EventInfo::example()], "The events, the latest first.",
        [admin(), bad_parameter("limit")];

    UsersRoute: OK Vec<UserInfo> = vec![UserInfo::example()], "The users.",
        [counted(), vec![Failure::PermissionDenied(&[Role::Admin])], bad_parameter("limit")];
    CreateUserRoute: CREATED UserInfo = UserInfo::example(), "The account was created.",
        [admin(), vec![Failure::ProofRequired], new_account()];
    InviteRoute: CREATED InviteCreated = InviteCreated::example(), "The invitation was made.",
        [admin(), vec![Failure::ProofRequired, Failure::MailNotConfigured], bad_body("email")];
    InvitesRoute: OK Vec<InviteInfo> = vec![InviteInfo::example()], "The invitations.",
        [admin(), bad_parameter("limit")];
    DeleteInviteRoute: NO_CONTENT NoBody = NoBody {}, "The invitation was taken back.",
        [admin(), vec![Failure::NotFound]];
    CountRoute: OK UserCount = UserCount::example(), "The number of users.", [admin()];
    UserRoute: OK UserInfo = UserInfo::example(), "The user.",
        [caller(), vec![Failure::PermissionDenied(&Role::SEEING_OTHERS), Failure::NotFound]];
    UpdateUserRoute: OK UserInfo = UserInfo::example(), "The user after the change.",
        [admin(), vec![Failure::ProofRequired, Failure::NotFound, Failure::LastAdmin], bad_body("full_name")];
    DeleteUserRoute: NO_CONTENT NoBody = NoBody {}, "The account was deleted.",
        [admin(), vec![Failure::NotFound, Failure::LastAdmin]];

    HealthRoute: OK Health = Health::example(), "The server is healthy.", [];
    LiveRoute: OK Health = Health::example(), "The server is healthy.", [];
}

fn creation_example() -> Value {
    json!({
        "rp": {"id": "auth.example.org", "name": "Password Auth"},
        "user": {"id": "AZrPWjwbfS6fBFtsfY6fAA", "name": "alice", "displayName": "alice"},
        "challenge": "AQQBms9aPBt9Lp8EW2x9jp8A",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    })
}

fn request_example() -> Value {
    json!({
        "challenge": "AQUAAAAAAAAAAAAAAAAAAAAA",
        "rpId": "auth.example.org",
        "allowCredentials": [],
        "userVerification": "required",
    })
}

pub(super) struct KeysRoute;

impl Route for KeysRoute {
    type Body = JwkSet;
    const DESCRIPTION: &'static str = "The keys.";
    fn example() -> JwkSet {
        JwkSet::example()
    }
    fn headers(_: &JwkSet) -> Vec<(HeaderName, HeaderValue)> {
        // A new key is published much earlier than it signs.
        let kept = HeaderValue::from_static("max-age=300");
        vec![(header::CACHE_CONTROL, kept)]
    }
    fn refusals() -> Vec<Failure> {
        Vec::new()
    }
}

pub(super) struct CheckRoute;

impl Route for CheckRoute {
    type Body = AuthHeaders;
    const DIALECT: Dialect = Dialect::V1;
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    const DESCRIPTION: &'static str = "The token is valid. The headers say whose it is.";
    fn example() -> AuthHeaders {
        AuthHeaders {
            user_id: "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00".to_owned(),
            username: "alice".to_owned(),
            role: "user".to_owned(),
        }
    }
    fn headers(body: &AuthHeaders) -> Vec<(HeaderName, HeaderValue)> {
        let AuthHeaders {
            user_id,
            username,
            role,
        } = body;
        [
            ("x-auth-user-id", user_id),
            ("x-auth-username", username),
            ("x-auth-role", role),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            let value = HeaderValue::from_str(value).ok()?;
            Some((HeaderName::from_static(name), value))
        })
        .collect()
    }
    fn refusals() -> Vec<Failure> {
        let denied = Failure::PermissionDenied(&[Role::Admin]);
        [caller(), vec![denied], bad_parameter("role")].concat()
    }
}

fn counted() -> Vec<Failure> {
    [caller(), vec![too_many()]].concat()
}

fn admin() -> Vec<Failure> {
    [counted(), vec![Failure::PermissionDenied(&[Role::Admin])]].concat()
}

fn new_account() -> Vec<Failure> {
    let short = Invalid {
        password: Some(Violation::PasswordTooShort),
        ..Invalid::default()
    };
    vec![
        Failure::UserExists,
        Failure::EmailExists,
        Failure::CredentialsRequired,
        Failure::Malformed,
        Failure::UnsupportedMediaType,
        short.into(),
    ]
}

fn bad_body(field: &str) -> Vec<Failure> {
    let missing = Failure::of_field(field, "required", format!("The field {field} is required."));
    vec![Failure::Malformed, Failure::UnsupportedMediaType, missing]
}

fn bad_parameter(name: &str) -> Vec<Failure> {
    vec![Failure::of_parameter(name)]
}

const fn too_many() -> Failure {
    Failure::TooManyAttempts(Duration::from_secs(12))
}
