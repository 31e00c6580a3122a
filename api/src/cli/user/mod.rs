//! `user`: the operator's commands for users.

mod arguments;
mod prompt;
mod show;

use clap::error::ErrorKind;
use password_auth_model::{Role, visible};

pub(super) use self::arguments::{Command, Common};
use self::arguments::{Create, Delete, Invite, List, Named, Revoke, SetRole};
use self::show::UserList;
pub(super) use self::show::{json as show_json, minute};
use super::backend::Backend;
use super::log::start_log;
use super::{output, runtime};
use crate::operator::{Command as Asked, InviteUser, NewUser, Reply, UserRef, UserView};

/// Users per request.
const PAGE: u32 = 500;

/// The response does not fit the request. A server of the same version never sends such a response.
pub(super) const CONFUSED: &str = "unexpected response from the server";

pub(super) fn run(command: Command) -> Result<(), String> {
    let config = command.common().settings.config_of_command()?;
    let json = command.common().json;
    start_log(&config)?;
    let runtime = runtime()?;
    // Ask before anything is opened: a person may take their time to answer.
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
        _ => Err(CONFUSED.to_owned()),
    };
    let ask_factors = |asked| match ask(asked)? {
        Reply::Factors(factors) => Ok(factors),
        _ => Err(CONFUSED.to_owned()),
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
            report(&ask_user(Asked::Create(user))?, json, |user| {
                format!("Created {user}.")
            })
        }
        Command::Invite(Invite {
            email,
            role,
            expires,
            ..
        }) => {
            let invite = InviteUser {
                email,
                role,
                lifetime: expires,
            };
            match ask(Asked::Invite(invite))? {
                Reply::Invite(invite) if json => show::json(&invite),
                Reply::Invite(invite) => show::invite(&invite),
                _ => Err(CONFUSED.to_owned()),
            }
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
            let user = ask_user(Asked::SetRole(user_ref, role))?;
            report(&user, json, |user| format!("{user} is now {role}."))
        }
        Command::SetPassword(Named { user_ref, .. }) => {
            let asked = Asked::SetPassword(user_ref, prompt::password()?);
            report(&ask_user(asked)?, json, |user| {
                format!("Password of {user} changed; all sessions ended.")
            })
        }
        Command::Deactivate(Named { user_ref, .. }) => {
            let asked = Asked::SetActive(user_ref, false);
            report(&ask_user(asked)?, json, |user| {
                format!("Deactivated {user}; all sessions ended.")
            })
        }
        Command::Activate(Named { user_ref, .. }) => {
            let user = ask_user(Asked::SetActive(user_ref, true))?;
            report(&user, json, |user| format!("Activated {user}."))
        }
        Command::Delete(Delete { user_ref, yes, .. }) => {
            let user_ref = if yes {
                user_ref
            } else {
                confirmed(&ask_user, user_ref)?
            };
            let user = ask_user(Asked::Delete(user_ref))?;
            report(&user, json, |user| {
                format!("Deleted {user} and all their data.")
            })
        }
        Command::Sessions(Named { user_ref, .. }) => match ask(Asked::Sessions(user_ref))? {
            Reply::Sessions(sessions) if json => show::json(&sessions),
            Reply::Sessions(sessions) => show::sessions(&sessions),
            _ => Err(CONFUSED.to_owned()),
        },
        Command::Factors(Named { user_ref, .. }) => {
            let factors = ask_factors(Asked::Factors(user_ref))?;
            if json {
                show::json(&factors)
            } else {
                show::factors(&factors)
            }
        }
        Command::ResetFactors(Named { user_ref, .. }) => {
            let factors = ask_factors(Asked::ResetFactors(user_ref))?;
            report(&factors.user, json, |user| {
                format!("Removed all second factors of {user}: the password alone is enough.")
            })
        }
        Command::Revoke(Revoke {
            user_ref, session, ..
        }) => match ask(Asked::Revoke(user_ref, session))? {
            Reply::Ended(ended) => {
                if json {
                    output::say_json(&serde_json::json!({ "ended": ended }));
                } else {
                    output::say(format_args!("Sessions ended: {ended}"));
                }
                Ok(())
            }
            _ => Err(CONFUSED.to_owned()),
        },
    }
}

/// Says what was done to a user. In the sentence the user is `alice (ID)`.
fn report(user: &UserView, json: bool, sentence: impl Fn(&str) -> String) -> Result<(), String> {
    if json {
        output::say_json(user);
    } else {
        let user = format!("{} ({})", visible(&user.username), user.id);
        output::say(sentence(&user));
    }
    Ok(())
}

/// The id of the user to delete, once the operator has seen who it is and said yes.
fn confirmed(
    ask_user: &impl Fn(Asked) -> Result<UserView, String>,
    user_ref: UserRef,
) -> Result<UserRef, String> {
    if !prompt::is_possible() {
        let missing = "cannot prompt: standard input is not a terminal. Use --yes to delete without \
                       asking\n";
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
    let question = format!("Delete {username} ({id}{email}) and all their data?");
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
    // `None`: no limit.
    let mut left = limit;
    let mut after = None;
    loop {
        let limit = left.map_or(PAGE, |left| left.min(PAGE));
        let users = match backend
            .carry_out(Asked::List { role, after, limit })
            .await?
        {
            Reply::Users(users) => users,
            _ => return Err(CONFUSED.to_owned()),
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
