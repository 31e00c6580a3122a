//! A backend of your own in Rust, with poem. It verifies access tokens by the public keys of the Password Auth server
//! (`SIGNING_ALG=EdDSA`), so it does not know of a sign-out until the token expires, after 15 minutes at most.

use password_auth_guard::{Caller, Guard};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::Json;
use poem::{Endpoint, EndpointExt as _, Route, Server, get, handler};
use serde_json::{Value, json};

#[handler]
fn notes(caller: Caller) -> Json<Value> {
    Json(json!({"notes": [format!("A note of {}", caller.username)]}))
}

pub(crate) fn app(guard: Guard) -> impl Endpoint {
    Route::new().at("/notes", get(notes)).data(guard)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let setting =
        |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let server = setting("AUTH", "http://127.0.0.1:8000");
    let guard = Guard::new(&server).with_issuer(&setting("ISSUER", "password-auth"));
    let port = setting("PORT", "3000").parse()?;
    let acceptor = TcpListener::bind(("127.0.0.1", port))
        .into_acceptor()
        .await?;
    for address in acceptor.local_addr() {
        println!(
            "listening on {}",
            address
                .as_socket_addr()
                .map_or(port, |address| address.port())
        );
    }
    Ok(Server::new_with_acceptor(acceptor).run(app(guard)).await?)
}
