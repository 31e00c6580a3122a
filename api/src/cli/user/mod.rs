//! `user`: the operator's commands about people.

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
    who: Who,
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
    who: Who,
    /// user, admin or guest
    role: Role,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Delete {
    /// Whom: a name, an e-mail address or an id
    #[arg(value_name = "NAME")]
    who: Who,
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
    who: Who,
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
            shown(&person(Asked::Create(user))?, json, "was made")
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
            let said = format!("is {role} now");
            shown(&person(Asked::SetRole(who, role))?, json, &said)
        }
        Command::SetPassword(Named { who, .. }) => {
            let asked = Asked::SetPassword(who, ask::password()?);
            shown(
                &person(asked)?,
                json,
                "has the new password, and no sign-in any more",
            )
        }
        Command::Deactivate(Named { who, .. }) => {
            let asked = Asked::SetActive(who, false);
            shown(
                &person(asked)?,
                json,
                "is deactivated, and has no sign-in any more",
            )
        }
        Command::Activate(Named { who, .. }) => {
            shown(&person(Asked::SetActive(who, true))?, json, "may sign in")
        }
        Command::Delete(Delete { who, yes, .. }) => {
            let who = if yes { who } else { confirmed(&person, who)? };
            shown(
                &person(Asked::Delete(who))?,
                json,
                "was deleted: nothing is left",
            )
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
                    output::say(format_args!("sign-ins ended: {ended}"));
                }
                Ok(())
            }
            Reply::Person(_) | Reply::People(_) | Reply::SignIns(_) => Err(CONFUSED.to_owned()),
        },
    }
}

fn shown(person: &Person, json: bool, said: &str) -> Result<(), String> {
    if json {
        output::say_json(person);
    } else {
        let name = visible(&person.username);
        output::say(format_args!("{name} ({}) {said}", person.id));
    }
    Ok(())
}

/// Who is to go, by the id, once whoever is at the terminal has seen and said so.
fn confirmed(person: &impl Fn(Asked) -> Result<Person, String>, who: Who) -> Result<Who, String> {
    if !ask::is_possible() {
        let missing = "nobody can be asked: without a terminal `user delete` needs --yes\n";
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
    let question = format!("Delete {username} ({id}{email}), and everything about this user?");
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
    // `None`: however many there are.
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
