//! Exports a user's data as JSON that is built while it is sent, so that only a little of it is in memory.

use std::io;

use futures_util::stream;
use password_auth_core::accounts::Export;
use password_auth_core::sessions::Caller;
use poem::Body;
use poem_openapi::types::ToJSON;

use super::views;

/// The bytes of a [`PersonalData`](password_auth_wire::v1::PersonalData). If the store fails, the response is cut off,
/// so that it is not valid JSON.
pub(super) fn body(export: Export, caller: Caller) -> Body {
    let head = |export: &Export| {
        let sessions = export.sessions.iter();
        let sessions: Vec<_> = sessions
            .map(|session| views::session(session, &caller))
            .collect();
        format!(
            r#"{{"user":{},"sessions":{},"factors":{},"invites":["#,
            views::own_user(&export.user).to_json_string(),
            sessions.to_json_string(),
            views::factors(&export.factors).to_json_string()
        )
    };
    let start = Part::List {
        list: List::Invites,
        text: head(&export),
        export: Box::new(export),
        is_first: true,
    };
    Body::from_bytes_stream(stream::try_unfold(start, next))
}

/// The lists that may be long, in their order.
#[derive(Clone, Copy)]
enum List {
    Invites,
    Events,
}

enum Part {
    /// The next text, and what of the list comes after it.
    List {
        list: List,
        text: String,
        export: Box<Export>,
        is_first: bool,
    },
    End,
}

async fn next(part: Part) -> io::Result<Option<(String, Part)>> {
    let Part::List {
        list,
        mut text,
        mut export,
        is_first,
    } = part
    else {
        return Ok(None);
    };
    let read = match list {
        List::Invites => {
            let invites = export.next_invites().await;
            invites.map(|some| json(some.iter().map(views::invite)))
        }
        List::Events => {
            let events = export.next_events().await;
            events.map(|some| json(some.iter().map(views::event)))
        }
    };
    let some = read.map_err(|error| {
        tracing::warn!(user.id = %export.user.id, %error, "an export failed");
        io::Error::other("the export failed")
    })?;
    let (list, is_first) = match list {
        List::Events if some.is_empty() => {
            text.push_str("]}");
            return Ok(Some((text, Part::End)));
        }
        List::Invites if some.is_empty() => {
            text.push_str(r#"],"events":["#);
            (List::Events, true)
        }
        List::Invites | List::Events => {
            if !is_first {
                text.push(',');
            }
            text.push_str(&some.join(","));
            (list, false)
        }
    };
    let rest = Part::List {
        list,
        text: String::new(),
        export,
        is_first,
    };
    Ok(Some((text, rest)))
}

fn json(items: impl Iterator<Item = impl ToJSON>) -> Vec<String> {
    items.map(|item| item.to_json_string()).collect()
}
