//! Who asks.

use std::sync::atomic::{AtomicUsize, Ordering};

use password_auth_model::{Role, UsernameKey};
use password_auth_store::UserChange;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use super::operations::{Body, Operation};
use crate::support::{PASSWORD, Person, TestServer};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Stranger,
    OfRole(Role),
    Deactivated,
    /// Whose session was ended.
    Revoked,
}

pub const CALLERS: [(&str, Caller); 6] = [
    ("stranger", Caller::Stranger),
    ("guest", Caller::OfRole(Role::Guest)),
    ("user", Caller::OfRole(Role::User)),
    ("deactivated", Caller::Deactivated),
    ("revoked", Caller::Revoked),
    ("admin", Caller::OfRole(Role::Admin)),
];

/// Where a name is one to be given, and not one to sign in with.
const REGISTERING: [&str; 3] = ["/register", "/api/v1/auth/register", "/api/v1/users"];

/// A caller, made for one request.
pub struct Walker {
    person: Option<Person>,
    /// Ids of the caller's: their own id and one of their sessions.
    own: Option<(String, String)>,
    other: Person,
    other_session: String,
}

impl Walker {
    pub async fn new(server: &TestServer, caller: Caller) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let other = Person::sign_up(server, &format!("other{number}")).await;
        let other_session = other.session().await;
        let name = format!("walker{number}");
        let person = match caller {
            Caller::Stranger => None,
            Caller::OfRole(role) => Some(Person::of_role(server, &name, role).await),
            Caller::Deactivated | Caller::Revoked => Some(Person::sign_up(server, &name).await),
        };
        let own = match &person {
            Some(person) => Some((person.id.clone(), person.once_more().await.session().await)),
            None => None,
        };
        if let Some(person) = &person {
            person.become_so(server, caller).await;
        }
        Self {
            person,
            own,
            other,
            other_session,
        }
    }

    /// The status of the answer.
    pub async fn ask(&self, server: &TestServer, operation: &Operation) -> u16 {
        let client = server.client();
        let mut request = client.request(operation.method.clone(), &self.path(&operation.path));
        if let Some(person) = &self.person {
            request = request.header(AUTHORIZATION, format!("Bearer {}", person.access));
        }
        let request = match &operation.body {
            None => request,
            Some(Body::Json(example)) => {
                request.json(&self.filled(&operation.method, &operation.path, example))
            }
            Some(Body::Form(fields)) => {
                let fields: Vec<String> = fields.iter().map(|name| self.field(name)).collect();
                request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(fields.join("&"))
            }
        };
        client.send(request).await.status
    }

    fn path(&self, template: &str) -> String {
        let of_sessions = template.contains("/sessions/");
        let other = if of_sessions {
            &self.other_session
        } else {
            &self.other.id
        };
        let own = match &self.own {
            // A user who has nothing of their own asks for another user's.
            None => other,
            Some((_, session)) if of_sessions => session,
            Some((id, _)) => id,
        };
        template.replace("{own}", own).replace("{other}", other)
    }

    /// The example, with what is the caller's own.
    fn filled(&self, method: &Method, path: &str, example: &Value) -> Value {
        let mut body = example.clone();
        let registers = method == Method::POST && REGISTERING.contains(&path);
        if let Some(person) = self.person.as_ref().filter(|_| !registers) {
            for (name, own) in [
                ("username", &person.name),
                ("refresh_token", &person.refresh),
            ] {
                if let Some(value) = body.get_mut(name) {
                    *value = own.as_str().into();
                }
            }
        }
        body
    }

    fn field(&self, name: &str) -> String {
        match (name, &self.person) {
            ("username", Some(person)) => format!("username={}", person.name),
            ("password", _) => format!("password={}", PASSWORD.replace(' ', "+")),
            _ => format!("{name}=nobody"),
        }
    }

    /// Whoever the request made is gone, so that the next one finds the server as this one did.
    pub async fn leave(self, server: &TestServer) {
        let alice = UsernameKey::of("alice");
        let found = server.store.user_by_name(&alice).await;
        if let Some(alice) = found.expect("the store answers") {
            let deleted = server.store.delete_user(alice.id).await;
            deleted.expect("the store answers");
        }
    }
}

impl Person {
    async fn become_so(&self, server: &TestServer, caller: Caller) {
        match caller {
            Caller::Stranger | Caller::OfRole(_) => {}
            Caller::Deactivated => {
                let change = UserChange {
                    is_active: Some(false),
                    ..UserChange::default()
                };
                let changed = server.store.change_user(self.user_id(), change).await;
                changed.expect("the store answers");
            }
            Caller::Revoked => {
                let ended = server.store.end_sessions_of(self.user_id(), None).await;
                assert!(ended.expect("the store answers") > 0);
            }
        }
    }
}
