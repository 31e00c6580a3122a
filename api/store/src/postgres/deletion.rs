//! A user's end.

use password_auth_model::{AccountPrefix, Attempt, SignInAttempt, UserId};

use super::error::DatabaseError;
use super::transact::Transaction;
use super::{locks, row};
use crate::DeleteUser;

/// The foreign keys of the schema remove sessions, one-time tokens and queued mails together with the user.
pub(super) async fn delete(
    transaction: &Transaction<'_>,
    id: UserId,
) -> Result<DeleteUser, DatabaseError> {
    const USER: &str = "DELETE FROM users WHERE id = $1";
    const EVENTS: &str = "DELETE FROM events WHERE user_id = $1";
    // Queued mails to the address that name no user, unless another user has the address and this user has not verified
    // it.
    const EMAILS: &str = "DELETE FROM letters WHERE recipient_key = $1 AND user_id IS NULL \
         AND ($2 OR NOT EXISTS (SELECT FROM users WHERE email_key = $1))";
    const INVITES: &str = "DELETE FROM invites WHERE email_key = $1";
    const ATTEMPTS: &str = "DELETE FROM sign_in_attempts \
         WHERE key >= $1 AND key <= $2 OR key >= $3 AND key <= $4 OR key = ANY ($5)";
    let Some(user) = locks::user(transaction, id).await? else {
        transaction.wait_for_what_was_read().await?;
        return Ok(DeleteUser::Unknown);
    };
    if user.is_active_admin() && !locks::another_active_admin(transaction, id).await? {
        transaction.wait_for_what_was_read().await?;
        return Ok(DeleteUser::LastAdmin);
    }
    let key = row::user_id(id);
    transaction.execute(USER, &[&key]).await?;
    transaction.execute(EVENTS, &[&key]).await?;
    let email = user.email.as_ref().map(|email| email.key());
    if let Some(email) = &email {
        transaction
            .execute(EMAILS, &[&email.as_str(), &user.is_verified])
            .await?;
    }
    let range = |prefix: AccountPrefix| [[prefix, [0; 8]].concat(), [prefix, [0xFF; 8]].concat()];
    let [first, last] = range(SignInAttempt::prefix(&user.username_key));
    // A user who has not verified the address must not reset its counters: registering and deleting again and again
    // would get around the limits.
    let email = email.filter(|_| user.is_verified);
    if let Some(email) = &email {
        transaction.execute(INVITES, &[&email.as_str()]).await?;
    }
    let mail = email
        .as_ref()
        .map(|email| Attempt::of_mailbox(email).map(|count| count.key().to_vec()));
    let mail = mail.as_ref().map(|keys| &keys[..]);
    let address = email.map(|email| range(SignInAttempt::address_prefix(&email)));
    let (first_by_address, last_by_address) = address.map(Into::into).unzip();
    let (first_by_address, last_by_address): (Option<Vec<u8>>, Option<Vec<u8>>) =
        (first_by_address, last_by_address);
    transaction
        .execute(
            ATTEMPTS,
            &[&first, &last, &first_by_address, &last_by_address, &mail],
        )
        .await?;
    Ok(DeleteUser::Deleted)
}
