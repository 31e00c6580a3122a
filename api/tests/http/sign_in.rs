//! The main way: register, sign in, reach what is protected, stay signed in, sign out.

use crate::support::TestServer;

#[tokio::test]
async fn somebody_registers_signs_in_and_is_greeted() {
    let server = TestServer::start().await;
    let client = server.client();
    let registered = client.register("Alice").await.expect_ok();
    assert_eq!(
        registered.json()["message"],
        "User registered successfully."
    );
    let tokens = client
        .authenticate(" aLICE", super::support::PASSWORD)
        .await
        .tokens();
    assert_eq!(tokens.token_type, "Bearer");
    assert_eq!(tokens.expires_in, 900);
    let greeting = client.protected(&tokens).await.expect_ok();
    assert_eq!(greeting.json()["message"], "Hello, Alice!");
}
