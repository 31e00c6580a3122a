//! No reply of a mail server makes the dialogue panic or wait for more than there is.

use password_auth_testing::fuzz;

use super::dialogue::Dialogue;

#[test]
fn fuzz_smtp_replies() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    fuzz("smtp_replies", move |bytes| {
        runtime.block_on(async {
            let stream = tokio::io::join(bytes, tokio::io::sink());
            let mut dialogue = Dialogue::new(stream);
            // Each reply takes at least a line, so there is an end.
            let mut replies = 0;
            while dialogue.listen().await.is_ok() {
                replies += 1;
            }
            assert!(replies <= bytes.len());
        });
    });
}
