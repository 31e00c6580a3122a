//! What the commands take.

use password_auth_model::{InviteLifetime, Role, SessionId};

use crate::cli::settings;
use crate::operator::UserRef;

#[derive(clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Create a user. Prompts for the password; without a terminal, reads it from standard input
    Create(Create),
    /// Make an invitation: whoever has its link may register, once
    Invite(Invite),
    /// List users, in the order in which they registered
    List(List),
    /// Show a user
    Show(Named),
    /// Change the role of a user
    SetRole(SetRole),
    /// Set a new password and end all sessions of the user. The password is read as by `create`
    SetPassword(Named),
    /// Deactivate a user: all their tokens are invalid from the next request on
    Deactivate(Named),
    /// Activate a user again
    Activate(Named),
    /// Delete a user and all their data
    Delete(Delete),
    /// List the sessions of a user, the most recently used first
    Sessions(Named),
    /// Show the second factors of a user
    Factors(Named),
    /// Remove all second factors of a user who lost them: the password alone is enough again
    ResetFactors(Named),
    /// End one session of a user, or all
    Revoke(Revoke),
}

#[derive(clap::Args)]
pub(in crate::cli) struct Common {
    /// Print the result as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) settings: settings::Arguments,
}

#[derive(clap::Args)]
pub(in crate::cli) struct Named {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    pub(super) user_ref: UserRef,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(clap::Args)]
pub(in crate::cli) struct Create {
    /// The user name
    pub(super) name: String,
    /// The e-mail address. A link to verify it is sent there
    #[arg(long)]
    pub(super) email: Option<String>,
    /// The full name
    #[arg(long)]
    pub(super) full_name: Option<String>,
    /// The role: user, admin or guest
    #[arg(long, default_value_t)]
    pub(super) role: Role,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(clap::Args)]
pub(in crate::cli) struct Invite {
    /// Mail it to this address, which the account gets unless its user gives another
    #[arg(long)]
    pub(super) email: Option<String>,
    /// The role of the account: user, admin or guest
    #[arg(long, default_value_t)]
    pub(super) role: Role,
    /// How long it is valid: minutes, hours or days, such as 30m, 12h or 7d
    #[arg(long, value_name = "TIME", default_value_t = InviteLifetime::DEFAULT)]
    pub(super) expires: InviteLifetime,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(clap::Args)]
pub(in crate::cli) struct List {
    /// Only users with this role
    #[arg(long)]
    pub(super) role: Option<Role>,
    /// The maximum number of users
    #[arg(long)]
    pub(super) limit: Option<u32>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(clap::Args)]
pub(in crate::cli) struct SetRole {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    pub(super) user_ref: UserRef,
    /// user, admin or guest
    pub(super) role: Role,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(clap::Args)]
pub(in crate::cli) struct Delete {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    pub(super) user_ref: UserRef,
    /// Delete without asking
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(clap::Args)]
#[command(override_usage = "password-auth user revoke [OPTIONS] <NAME> <SESSION|--all>")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["session", "all"])))]
pub(in crate::cli) struct Revoke {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    pub(super) user_ref: UserRef,
    /// The id of the session, as `user sessions` shows it
    #[arg(value_parser = session_id)]
    pub(super) session: Option<SessionId>,
    /// End all sessions
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

impl Command {
    pub(super) const fn common(&self) -> &Common {
        match self {
            Self::Create(Create { common, .. })
            | Self::Invite(Invite { common, .. })
            | Self::List(List { common, .. })
            | Self::SetRole(SetRole { common, .. })
            | Self::Delete(Delete { common, .. })
            | Self::Revoke(Revoke { common, .. })
            | Self::Show(Named { common, .. })
            | Self::SetPassword(Named { common, .. })
            | Self::Deactivate(Named { common, .. })
            | Self::Activate(Named { common, .. })
            | Self::Factors(Named { common, .. })
            | Self::ResetFactors(Named { common, .. })
            | Self::Sessions(Named { common, .. }) => common,
        }
    }
}

fn session_id(text: &str) -> Result<SessionId, &'static str> {
    text.parse()
        .map_err(|_| "Not a session id; `user sessions NAME` lists them.")
}
