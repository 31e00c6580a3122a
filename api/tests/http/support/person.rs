//! A user with the tokens of one session.

use password_auth_model::{Role, UserId};
use password_auth_store::UserChange;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::{PASSWORD, Reply, TestClient, TestServer};

/// What the routes of the account system begin with.
pub const V1: &str = "/api/v1";

#[derive(Clone)]
pub struct Person {
    pub client: TestClient,
    pub id: String,
    pub name: String,
    pub access: String,
    pub refresh: String,
}

/// The address that people in tests register with.
pub fn email_of(name: &str) -> String {
    format!("{name}@example.org")
}

impl Person {
    /// Registers, with an address, and signs in.
    pub async fn sign_up(server: &TestServer, name: &str) -> Self {
        let client = server.client();
        let account = json!({"username": name, "email": email_of(name), "password": PASSWORD});
        let reply = client.post(&format!("{V1}/auth/register"), &account).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let id = text(&reply.json()["id"]);
        Self::sign_in(&client, &id, name, PASSWORD).await
    }

    /// As [`sign_up`](Self::sign_up); the operator gives the role.
    pub async fn of_role(server: &TestServer, name: &str, role: Role) -> Self {
        let person = Self::sign_up(server, name).await;
        let change = UserChange {
            role: Some(role),
            ..UserChange::default()
        };
        let changed = server.store.change_user(person.user_id(), change).await;
        changed.expect("the store answers");
        person
    }

    pub async fn admin(server: &TestServer, name: &str) -> Self {
        Self::of_role(server, name, Role::Admin).await
    }

    /// The same person on another device.
    pub async fn once_more(&self) -> Self {
        Self::sign_in(&self.client, &self.id, &self.name, PASSWORD).await
    }

    /// Somebody who registered in another way.
    pub async fn sign_in_as(client: &TestClient, id: &str, name: &str) -> Self {
        Self::sign_in(client, id, name, PASSWORD).await
    }

    async fn sign_in(client: &TestClient, id: &str, name: &str, password: &str) -> Self {
        let reply = login(client, name, password).await.expect_ok().json();
        Self {
            client: client.clone(),
            id: id.to_owned(),
            name: name.to_owned(),
            access: text(&reply["access_token"]),
            refresh: text(&reply["refresh_token"]),
        }
    }

    pub fn user_id(&self) -> UserId {
        self.id.parse().expect("an id")
    }

    pub fn email(&self) -> String {
        email_of(&self.name)
    }

    /// Without a body.
    pub async fn ask(&self, method: Method, path: &str) -> Reply {
        self.client
            .send(self.authorized(method, &format!("{V1}{path}")))
            .await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path).await
    }

    /// With a body.
    pub async fn tell(&self, method: Method, path: &str, body: &Value) -> Reply {
        self.client
            .send(self.authorized(method, &format!("{V1}{path}")).json(body))
            .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.tell(Method::POST, path, body).await
    }

    fn authorized(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, path)
            .header(AUTHORIZATION, format!("Bearer {}", self.access))
    }

    /// Exchanges the refresh token; the pair of this value stays.
    pub async fn refresh(&self) -> Reply {
        let body = json!({"refresh_token": self.refresh});
        self.client.post(&format!("{V1}/auth/refresh"), &body).await
    }

    /// The same person with the pair that an answer holds.
    #[track_caller]
    pub fn with(&self, answer: Reply) -> Self {
        let pair = answer.expect_ok().json();
        Self {
            access: text(&pair["access_token"]),
            refresh: text(&pair["refresh_token"]),
            ..self.clone()
        }
    }

    /// Proves with the password who uses the session.
    pub async fn prove(&self) {
        let body = json!({"password": PASSWORD});
        self.post("/auth/proof", &body).await.expect_ok();
    }

    /// The id of the sign-in that asks.
    pub async fn session(&self) -> String {
        let all = self.get("/auth/sessions").await.expect_ok().json();
        let all = all.as_array().expect("a list");
        let current = all.iter().find(|session| session["current"] == true);
        text(&current.expect("one of them asks")["id"])
    }

    /// Has the address verified.
    pub async fn verify(&self) {
        let path = "/auth/email/verification/request";
        let token = self.ask(Method::POST, path).await.expect_ok().dev_token();
        confirm_email(&self.client, &token).await.expect_ok();
    }

    /// Whether the access token counts.
    #[track_caller]
    pub fn is_let_in(&self) -> impl Future<Output = bool> + '_ {
        let place = std::panic::Location::caller();
        async move {
            match self.get("/auth/me").await.status {
                200 => true,
                401 => false,
                status => panic!("{status} at {place}"),
            }
        }
    }
}

pub async fn login(client: &TestClient, name: &str, password: &str) -> Reply {
    let body = json!({"username": name, "password": password});
    client.post(&format!("{V1}/auth/login"), &body).await
}

pub async fn request_reset(client: &TestClient, email: &str) -> Reply {
    let path = format!("{V1}/auth/password/reset/request");
    client.post(&path, &json!({"email": email})).await
}

pub async fn confirm_reset(client: &TestClient, token: &str, password: &str) -> Reply {
    let path = format!("{V1}/auth/password/reset/confirm");
    let body = json!({"token": token, "new_password": password});
    client.post(&path, &body).await
}

pub async fn confirm_email(client: &TestClient, token: &str) -> Reply {
    let path = format!("{V1}/auth/email/verification/confirm");
    client.post(&path, &json!({"token": token})).await
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}
