//! What is kept about a person, as JSON that is made while it is sent: however much it is, a little of it is in memory.

use std::io;

use futures_util::stream;
use password_auth_core::accounts::Export;
use password_auth_core::sessions::Caller;
use poem::Body;
use poem_openapi::types::ToJSON;

use super::views;

/// The bytes of a [`UserInfoalData`](password_auth_wire::v1::PersonalData). They break off where the store fails: half of
/// it is no JSON, and no answer.
pub(super) fn body(export: Export, caller: Caller) -> Body {
    let head = |export: &Export| {
        let sessions = export.sessions.iter();
        let sessions: Vec<_> = sessions
            .map(|session| views::session(session, &caller))
            .collect();
        format!(
            r#"{{"user":{},"sessions":{},"events":["#,
            views::own_user(&export.user).to_json_string(),
            sessions.to_json_string()
        )
    };
    let start = Part::Events {
        text: head(&export),
        export: Box::new(export),
        is_first: true,
    };
    Body::from_bytes_stream(stream::try_unfold(start, next))
}

enum Part {
    /// What comes next, and events behind it.
    Events {
        text: String,
        export: Box<Export>,
        is_first: bool,
    },
    End,
}

async fn next(part: Part) -> io::Result<Option<(String, Part)>> {
    let Part::Events {
        mut text,
        mut export,
        is_first,
    } = part
    else {
        return Ok(None);
    };
    let events = export.next_events().await.map_err(|error| {
        tracing::warn!(user.id = %export.user.id, %error, "an export broke off");
        io::Error::other("the export broke off")
    })?;
    if events.is_empty() {
        text.push_str("]}");
        return Ok(Some((text, Part::End)));
    }
    for (number, event) in events.iter().enumerate() {
        if number > 0 || !is_first {
            text.push(',');
        }
        text.push_str(&views::event(event).to_json_string());
    }
    let rest = Part::Events {
        text: String::new(),
        export,
        is_first: false,
    };
    Ok(Some((text, rest)))
}
