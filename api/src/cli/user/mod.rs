//! `user`: the operator's commands for users.

mod ask;
mod door;
mod show;
mod table;

use clap::error::ErrorKind;
use password_auth_model::{Role, SessionId, visible};

use self::door::Door;
use self::show::People;
use super::log::start_log;
use super::{output, runtime, settings};
use crate::operator::{Command as Asked, NewUser, Person, Reply, Who};

/// Users per request.
const PAGE: u32 = 500;

/// The response does not fit the request. A server of the same version never sends such a response.
const CONFUSED: &str = "unexpected response from the server";

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create a user. Prompts for the password; without a terminal, reads it from standard input
    Create(Create),
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
    /// End one session of a user, or all
    Revoke(Revoke),
}

#[derive(clap::Args)]
pub(super) struct Common {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: settings::Arguments,
}

#[derive(clap::Args)]
pub(super) struct Named {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    who: Who,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// The user name
    name: String,
    /// The e-mail address. A link to verify it is sent there
    #[arg(long)]
    email: Option<String>,
    /// The full name
    #[arg(long)]
    full_name: Option<String>,
    /// The role: user, admin or guest
    #[arg(long, default_value_t)]
    role: Role,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Only users with this role
    #[arg(long)]
    role: Option<Role>,
    /// The maximum number of users
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct SetRole {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    who: Who,
    /// user, admin or guest
    role: Role,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Delete {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    who: Who,
    /// Delete without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
#[command(override_usage = "password-auth user revoke [OPTIONS] <NAME> <SESSION|--all>")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["session", "all"])))]
pub(super) struct Revoke {
    /// A user name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    who: Who,
    /// The id of the session, as `user sessions` shows it
    #[arg(value_parser = session_id)]
    session: Option<SessionId>,
    /// End all sessions
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
    // Ask before anything is opened: a person may take their time to answer.
    let ask = |asked| {
        runtime.block_on(async {
            let mut door = Door::to(&config);
            let reply = door.ask(asked).await;
            door.close().await;
            reply
        })
    };
    let person = |asked| match ask(asked)? {
        Reply::Person(person) => Ok(person),
        Reply::People(_) | Reply::SignIns(_) | Reply::Ended(_) => Err(CONFUSED.to_owned()),
    };
    match command {
        Command::List(List { role, limit, .. }) => {
            runtime.block_on(list(Door::to(&config), role, limit, json))
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
                password: ask::password()?,
                email,
                full_name,
                role,
            };
            report(&person(Asked::Create(user))?, json, |user| {
                format!("Created {user}.")
            })
        }
        Command::Show(Named { who, .. }) => {
            let person = person(Asked::Show(who))?;
            if json {
                show::json(&person)
            } else {
                show::person(&person)
            }
        }
        Command::SetRole(SetRole { who, role, .. }) => {
            let person = person(Asked::SetRole(who, role))?;
            report(&person, json, |user| format!("{user} is now {role}."))
        }
        Command::SetPassword(Named { who, .. }) => {
            let asked = Asked::SetPassword(who, ask::password()?);
            report(&person(asked)?, json, |user| {
                format!("Password of {user} changed; all sessions ended.")
            })
        }
        Command::Deactivate(Named { who, .. }) => {
            let asked = Asked::SetActive(who, false);
            report(&person(asked)?, json, |user| {
                format!("Deactivated {user}; all sessions ended.")
            })
        }
        Command::Activate(Named { who, .. }) => {
            let person = person(Asked::SetActive(who, true))?;
            report(&person, json, |user| format!("Activated {user}."))
        }
        Command::Delete(Delete { who, yes, .. }) => {
            let who = if yes { who } else { confirmed(&person, who)? };
            let person = person(Asked::Delete(who))?;
            report(&person, json, |user| {
                format!("Deleted {user} and all their data.")
            })
        }
        Command::Sessions(Named { who, .. }) => match ask(Asked::SignIns(who))? {
            Reply::SignIns(sign_ins) if json => show::json(&sign_ins),
            Reply::SignIns(sign_ins) => show::sign_ins(&sign_ins),
            Reply::Person(_) | Reply::People(_) | Reply::Ended(_) => Err(CONFUSED.to_owned()),
        },
        Command::Revoke(Revoke { who, session, .. }) => match ask(Asked::Revoke(who, session))? {
            Reply::Ended(ended) => {
                if json {
                    output::say_json(&serde_json::json!({ "ended": ended }));
                } else {
                    output::say(format_args!("Sessions ended: {ended}"));
                }
                Ok(())
            }
            Reply::Person(_) | Reply::People(_) | Reply::SignIns(_) => Err(CONFUSED.to_owned()),
        },
    }
}

/// Says what was done to a user. In the sentence the user is `alice (ID)`.
fn report(person: &Person, json: bool, sentence: impl Fn(&str) -> String) -> Result<(), String> {
    if json {
        output::say_json(person);
    } else {
        let user = format!("{} ({})", visible(&person.username), person.id);
        output::say(sentence(&user));
    }
    Ok(())
}

fn session_id(text: &str) -> Result<SessionId, &'static str> {
    text.parse()
        .map_err(|_| "Not a session id; `user sessions NAME` lists them.")
}

/// The id of the user to delete, once the operator has seen who it is and said yes.
fn confirmed(person: &impl Fn(Asked) -> Result<Person, String>, who: Who) -> Result<Who, String> {
    if !ask::is_possible() {
        let missing = "cannot prompt: standard input is not a terminal. Use --yes to delete without \
                       asking\n";
        let error: clap::Error = clap::Error::raw(ErrorKind::MissingRequiredArgument, missing);
        error.exit();
    }
    let Person {
        id,
        username,
        email,
        ..
    } = person(Asked::Show(who))?;
    let email = email.map(|email| format!(", {email}")).unwrap_or_default();
    let question = format!("Delete {username} ({id}{email}) and all their data?");
    if ask::yes_or_no(&question) {
        Ok(id.into())
    } else {
        Err("nothing was deleted".to_owned())
    }
}

async fn list(
    mut door: Door<'_>,
    role: Option<Role>,
    limit: Option<u32>,
    json: bool,
) -> Result<(), String> {
    let mut shown = People::new(json);
    // `None`: no limit.
    let mut left = limit;
    let mut after = None;
    loop {
        let limit = left.map_or(PAGE, |left| left.min(PAGE));
        let people = match door.ask(Asked::List { role, after, limit }).await? {
            Reply::People(people) => people,
            Reply::Person(_) | Reply::SignIns(_) | Reply::Ended(_) => {
                return Err(CONFUSED.to_owned());
            }
        };
        shown.next(&people)?;
        let found = u32::try_from(people.len()).unwrap_or(u32::MAX);
        left = left.map(|left| left.saturating_sub(found));
        after = people.last().map(|person| person.id);
        if found < limit || left == Some(0) {
            break;
        }
    }
    door.close().await;
    shown.end()
}
