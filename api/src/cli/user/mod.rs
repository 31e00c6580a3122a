//! `user`: the operator's commands about people.

mod backend;
mod prompt;
mod show;
mod table;

use clap::error::ErrorKind;
use password_auth_model::{Role, SessionId, visible};

use self::backend::Backend;
use self::show::UserList;
use super::log::start_log;
use super::{output, runtime, settings};
use crate::operator::{Command as Asked, NewUser, Reply, UserRef, UserView};

/// People that are asked for at once.
const PAGE: u32 = 500;

/// Not what was asked for: it can not happen with a server of the same version.
const CONFUSED: &str = "the server answers something else than it was asked";

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Make a user. The password is asked for; without a terminal it is the line on standard input
    Create(Create),
    /// Everybody, in the order in which they came
    List(List),
    /// One user
    Show(Named),
    /// Change what a user may do
    SetRole(SetRole),
    /// Set another password, asked for as by create, and end all sign-ins of the user
    SetPassword(Named),
    /// Disable a user: from the next request on no token of his counts
    Deactivate(Named),
    /// Enable a user again
    Activate(Named),
    /// Remove a user and everything about him
    Delete(Delete),
    /// The sign-ins of a user, the latest used first
    Sessions(Named),
    /// End one sign-in of a user, or all
    Revoke(Revoke),
}

#[derive(clap::Args)]
pub(super) struct Common {
    /// Print one JSON value
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: settings::Arguments,
}

#[derive(clap::Args)]
pub(super) struct Named {
    /// Whom: a name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    user_ref: UserRef,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// What he signs in as
    name: String,
    /// Where mail goes; a link to verify it is sent there
    #[arg(long)]
    email: Option<String>,
    /// What the person is called
    #[arg(long)]
    full_name: Option<String>,
    /// What he may do: user, admin or guest
    #[arg(long, default_value_t)]
    role: Role,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Only those with this role
    #[arg(long)]
    role: Option<Role>,
    /// How many at most
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct SetRole {
    /// Whom: a name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    user_ref: UserRef,
    /// user, admin or guest
    role: Role,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Delete {
    /// Whom: a name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    user_ref: UserRef,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
#[command(override_usage = "password-auth user revoke [OPTIONS] <NAME> <SESSION|--all>")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["session", "all"])))]
pub(super) struct Revoke {
    /// Whose: a name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    user_ref: UserRef,
    /// Which: an id that `user sessions` shows
    session: Option<SessionId>,
    /// All of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    common: Common,
}

impl Command {
    const fn common(&self) -> &Common {
        match self {
            Self::Create(Create { common, .. })
            | Self::List(List { common, .. })
            | Self::SetRole(SetRole { common, .. })
            | Self::Delete(Delete { common, .. })
            | Self::Revoke(Revoke { common, .. })
            | Self::Show(Named { common, .. })
            | Self::SetPassword(Named { common, .. })
            | Self::Deactivate(Named { common, .. })
            | Self::Activate(Named { common, .. })
            | Self::Sessions(Named { common, .. }) => common,
        }
    }
}

pub(super) fn run(command: Command) -> Result<(), String> {
    let config = command.common().settings.config_of_command()?;
    let json = command.common().json;
    start_log(&config)?;
    let runtime = runtime()?;
    // What a person takes his time to say is asked for while nothing is open.
    let ask = |asked| {
        runtime.block_on(async {
            let mut backend = Backend::to(&config);
            let reply = backend.carry_out(asked).await;
            backend.close().await;
            reply
        })
    };
    let ask_user = |asked| match ask(asked)? {
        Reply::User(user) => Ok(user),
        Reply::Users(_) | Reply::Sessions(_) | Reply::Ended(_) => Err(CONFUSED.to_owned()),
    };
    match command {
        Command::List(List { role, limit, .. }) => {
            runtime.block_on(list(Backend::to(&config), role, limit, json))
        }
        Command::Create(Create {
            name,
            email,
            full_name,
            role,
            ..
        }) => {
            let user = NewUser {
                username: name,
                password: prompt::password()?,
                email,
                full_name,
                role,
            };
            shown(&ask_user(Asked::Create(user))?, json, "was made")
        }
        Command::Show(Named { user_ref, .. }) => {
            let user = ask_user(Asked::Show(user_ref))?;
            if json {
                show::json(&user)
            } else {
                show::user(&user)
            }
        }
        Command::SetRole(SetRole { user_ref, role, .. }) => {
            let said = format!("is {role} now");
            shown(&ask_user(Asked::SetRole(user_ref, role))?, json, &said)
        }
        Command::SetPassword(Named { user_ref, .. }) => {
            let asked = Asked::SetPassword(user_ref, prompt::password()?);
            shown(
                &ask_user(asked)?,
                json,
                "has the new password, and no sign-in any more",
            )
        }
        Command::Deactivate(Named { user_ref, .. }) => {
            let asked = Asked::SetActive(user_ref, false);
            shown(
                &ask_user(asked)?,
                json,
                "is deactivated, and has no sign-in any more",
            )
        }
        Command::Activate(Named { user_ref, .. }) => shown(
            &ask_user(Asked::SetActive(user_ref, true))?,
            json,
            "may sign in",
        ),
        Command::Delete(Delete { user_ref, yes, .. }) => {
            let user_ref = if yes {
                user_ref
            } else {
                confirmed(&ask_user, user_ref)?
            };
            shown(
                &ask_user(Asked::Delete(user_ref))?,
                json,
                "was deleted: nothing is left",
            )
        }
        Command::Sessions(Named { user_ref, .. }) => match ask(Asked::Sessions(user_ref))? {
            Reply::Sessions(sessions) if json => show::json(&sessions),
            Reply::Sessions(sessions) => show::sessions(&sessions),
            Reply::User(_) | Reply::Users(_) | Reply::Ended(_) => Err(CONFUSED.to_owned()),
        },
        Command::Revoke(Revoke {
            user_ref, session, ..
        }) => match ask(Asked::Revoke(user_ref, session))? {
            Reply::Ended(ended) => {
                if json {
                    output::say_json(&serde_json::json!({ "ended": ended }));
                } else {
                    output::say(format_args!("sign-ins ended: {ended}"));
                }
                Ok(())
            }
            Reply::User(_) | Reply::Users(_) | Reply::Sessions(_) => Err(CONFUSED.to_owned()),
        },
    }
}

fn shown(user: &UserView, json: bool, said: &str) -> Result<(), String> {
    if json {
        output::say_json(user);
    } else {
        let name = visible(&user.username);
        output::say(format_args!("{name} ({}) {said}", user.id));
    }
    Ok(())
}

/// Who is to go, by the id, once whoever is at the terminal has seen and said so.
fn confirmed(
    ask_user: &impl Fn(Asked) -> Result<UserView, String>,
    user_ref: UserRef,
) -> Result<UserRef, String> {
    if !prompt::is_possible() {
        let missing = "nobody can be asked: without a terminal `user delete` needs --yes\n";
        let error: clap::Error = clap::Error::raw(ErrorKind::MissingRequiredArgument, missing);
        error.exit();
    }
    let UserView {
        id,
        username,
        email,
        ..
    } = ask_user(Asked::Show(user_ref))?;
    let email = email.map(|email| format!(", {email}")).unwrap_or_default();
    let question = format!("Delete {username} ({id}{email}), and everything about this user?");
    if prompt::yes_or_no(&question) {
        Ok(id.into())
    } else {
        Err("nothing was deleted".to_owned())
    }
}

async fn list(
    mut backend: Backend<'_>,
    role: Option<Role>,
    limit: Option<u32>,
    json: bool,
) -> Result<(), String> {
    let mut shown = UserList::new(json);
    // `None`: however many there are.
    let mut left = limit;
    let mut after = None;
    loop {
        let limit = left.map_or(PAGE, |left| left.min(PAGE));
        let users = match backend
            .carry_out(Asked::List { role, after, limit })
            .await?
        {
            Reply::Users(users) => users,
            Reply::User(_) | Reply::Sessions(_) | Reply::Ended(_) => {
                return Err(CONFUSED.to_owned());
            }
        };
        shown.next(&users)?;
        let found = u32::try_from(users.len()).unwrap_or(u32::MAX);
        left = left.map(|left| left.saturating_sub(found));
        after = users.last().map(|user| user.id);
        if found < limit || left == Some(0) {
            break;
        }
    }
    backend.close().await;
    shown.end()
}
