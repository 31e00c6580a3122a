//! Exports a user's data as JSON that is built while it is sent, so that only a little of it is in memory.

use std::io;

use futures_util::stream;
use password_auth_core::accounts::Export;
use password_auth_core::sessions::Caller;
use poem::Body;
use poem_openapi::types::ToJSON;

use super::views;

/// The bytes of a [`UserInfoalData`](password_auth_wire::v1::PersonalData). If the store fails, the response is cut off,
/// so that it is not valid JSON.
pub(super) fn body(export: Export, caller: Caller) -> Body {
    let head = |export: &Export| {
        let sessions = export.sessions.iter();
        let sessions: Vec<_> = sessions
            .map(|session| views::session(session, &caller))
            .collect();
        format!(
            r#"{{"user":{},"sessions":{},"factors":{},"events":["#,
            views::own_user(&export.user).to_json_string(),
            sessions.to_json_string(),
            views::factors(&export.factors).to_json_string()
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
    /// The next text, and the events after it.
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
        tracing::warn!(user.id = %export.user.id, %error, "an export failed");
        io::Error::other("the export failed")
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
