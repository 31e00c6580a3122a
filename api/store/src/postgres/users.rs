//! Users.

use password_auth_model::{
    AccountPrefix, Attempt, PasswordHash, SessionId, SignInAttempt, User, UserId, UsernameKey,
};
use uuid::Uuid;

use super::error::DatabaseError;
use super::reads::Reads;
use super::row::{self, get, user_columns};
use super::transact::Transaction;
use super::{locks, sessions};
use crate::{
    ChangePassword, ChangeUser, CreateUser, DeleteUser, StoreError, UserChange, UserFilter,
};

const OF_ROLE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users u WHERE u.id > $3 AND u.role = $4 ORDER BY u.id OFFSET $1 LIMIT $2"
);

pub(super) async fn create(
    transaction: &Transaction<'_>,
    user: &User,
) -> Result<CreateUser, DatabaseError> {
    // Waits for a transaction that is taking the name.
    const INSERT: &str = "INSERT INTO users \
         (id, username, username_key, password_hash, password_version, email, email_key, is_verified, \
          full_name, role, is_active, created_at, last_login, deactivated_by_self) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT DO NOTHING";
    let email_key = user.email.as_ref().map(|email| email.key());
    if name_is_somebodys(transaction, &user.username_key).await? {
        transaction.wait_for_what_was_read().await?;
        return Ok(CreateUser::NameTaken);
    }
    if let Some(key) = &email_key
        && locks::is_verified_by_another(transaction, key, user.id).await?
    {
        transaction.wait_for_what_was_read().await?;
        return Ok(CreateUser::EmailTaken);
    }
    let added = transaction
        .execute(
            INSERT,
            &[
                &row::user_id(user.id),
                &user.username.as_str(),
                &user.username_key.as_str(),
                &user.password.as_str(),
                &i64::from(user.password_version),
                &user.email.as_ref().map(|email| email.as_str()),
                &email_key.as_ref().map(|key| key.as_str()),
                &user.is_verified,
                &user.full_name.as_ref().map(|name| name.as_str()),
                &user.role.as_str(),
                &user.is_active,
                &row::millis(user.created_at),
                &user.last_login.map(row::millis),
                &user.deactivated_by_self,
            ],
        )
        .await?;
    if added == 1 {
        return Ok(CreateUser::Created);
    }
    transaction.wait_for_what_was_read().await?;
    Ok(CreateUser::NameTaken)
}

pub(super) async fn by_id(reads: &Reads, id: UserId) -> Result<Option<User>, StoreError> {
    const SELECT: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = $1");
    let found = reads.row(SELECT, &[&row::user_id(id)]).await?;
    found.map(|found| row::user(&found, 0)).transpose()
}

pub(super) async fn by_name(reads: &Reads, name: &UsernameKey) -> Result<Option<User>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users u WHERE u.username_key = $1"
    );
    let Some(key) = row::searchable(name.as_str()) else {
        return Ok(None);
    };
    let found = reads.row(SELECT, &[&key]).await?;
    found.map(|found| row::user(&found, 0)).transpose()
}

pub(super) async fn list(
    reads: &Reads,
    filter: UserFilter,
    skip: u32,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    const ALL: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users u WHERE u.id > $3 ORDER BY u.id OFFSET $1 LIMIT $2"
    );
    // No user has the lowest id: it contains no UUID version.
    let after = filter
        .after
        .map_or(Uuid::nil(), |id| Uuid::from_bytes(*id.as_bytes()));
    let (skip, limit) = (i64::from(skip), i64::from(limit));
    let found = match filter.role {
        None => reads.rows(ALL, &[&skip, &limit, &after]).await?,
        Some(role) => {
            reads
                .rows(OF_ROLE, &[&skip, &limit, &after, &role.as_str()])
                .await?
        }
    };
    found.iter().map(|found| row::user(found, 0)).collect()
}

pub(super) async fn count(reads: &Reads) -> Result<u64, StoreError> {
    const COUNT: &str = "SELECT count(*) FROM users";
    let found = reads.row(COUNT, &[]).await?;
    let count = found.map_or(Ok(0), |found| get::<i64>(&found, 0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

pub(super) async fn name_is_taken(
    transaction: &Transaction<'_>,
    name: &UsernameKey,
) -> Result<bool, DatabaseError> {
    let taken = name_is_somebodys(transaction, name).await?;
    transaction.wait_for_what_was_read().await?;
    Ok(taken)
}

async fn name_is_somebodys(
    transaction: &Transaction<'_>,
    name: &UsernameKey,
) -> Result<bool, DatabaseError> {
    const SELECT: &str = "SELECT 1 FROM users WHERE username_key = $1";
    let Some(key) = row::searchable(name.as_str()) else {
        return Ok(false);
    };
    Ok(transaction.row(SELECT, &[&key]).await?.is_some())
}

pub(super) async fn replace_hash(
    transaction: &Transaction<'_>,
    user: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, DatabaseError> {
    const UPDATE: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    let replaced = transaction
        .execute(UPDATE, &[&row::user_id(user), &old.as_str(), &new.as_str()])
        .await?;
    if replaced == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(replaced == 1)
}

pub(super) async fn change_password(
    transaction: &Transaction<'_>,
    user: UserId,
    version: u32,
    new: &PasswordHash,
    keep: Option<SessionId>,
) -> Result<ChangePassword, DatabaseError> {
    const UPDATE: &str = "UPDATE users \
         SET password_hash = $2, password_version = password_version + 1 WHERE id = $1";
    let found = locks::user(transaction, user).await?;
    if found.is_none_or(|user| user.password_version != version) {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangePassword::Outdated);
    }
    let kept = match keep {
        None => None,
        Some(keep) => {
            let renewed = sessions::renew(transaction, keep, user).await?;
            if renewed.is_none() {
                transaction.wait_for_what_was_read().await?;
                return Ok(ChangePassword::SessionOver);
            }
            renewed
        }
    };
    transaction
        .execute(UPDATE, &[&row::user_id(user), &new.as_str()])
        .await?;
    sessions::end_all(transaction, user, keep).await?;
    void_tokens(transaction, user).await?;
    Ok(ChangePassword::Changed(kept))
}

pub(super) async fn reactivate(
    transaction: &Transaction<'_>,
    id: UserId,
    password_version: u32,
) -> Result<ChangeUser, DatabaseError> {
    const UPDATE: &str =
        "UPDATE users SET is_active = true, deactivated_by_self = false WHERE id = $1";
    let found = locks::user(transaction, id).await?;
    let Some(before) = found.filter(|user| user.may_reactivate(password_version)) else {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::Unknown);
    };
    transaction.execute(UPDATE, &[&row::user_id(id)]).await?;
    let after = before.reactivated();
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

pub(super) async fn change(
    transaction: &Transaction<'_>,
    id: UserId,
    change: &UserChange,
) -> Result<ChangeUser, DatabaseError> {
    const UPDATE: &str = "UPDATE users SET full_name = $2, role = $3, is_active = $4, \
         deactivated_by_self = $5 WHERE id = $1";
    const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1";
    let Some(before) = locks::user(transaction, id).await? else {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::Unknown);
    };
    let after = change.apply(&before);
    if before.is_active_admin()
        && !after.is_active_admin()
        && !locks::another_active_admin(transaction, id).await?
    {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::LastAdmin);
    }
    let key = row::user_id(id);
    if before.is_active && !after.is_active {
        // Sessions first. A rotation locks its session and reads the user without a lock, so a session must not be
        // rotated after others see the user as deactivated.
        transaction.execute(END_SESSIONS, &[&key]).await?;
        void_tokens(transaction, id).await?;
    }
    transaction
        .execute(
            UPDATE,
            &[
                &key,
                &after.full_name.as_ref().map(|name| name.as_str()),
                &after.role.as_str(),
                &after.is_active,
                &after.deactivated_by_self,
            ],
        )
        .await?;
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

/// The foreign keys of the schema remove sessions, one-time tokens and queued mails together with the user.
pub(super) async fn delete(
    transaction: &Transaction<'_>,
    id: UserId,
) -> Result<DeleteUser, DatabaseError> {
    const USER: &str = "DELETE FROM users WHERE id = $1";
    const EVENTS: &str = "DELETE FROM events WHERE user_id = $1";
    // Queued mails to the address that name no user, unless another user has the address and this user has not verified
    // it.
    const LETTERS: &str = "DELETE FROM letters WHERE recipient_key = $1 AND user_id IS NULL \
         AND ($2 OR NOT EXISTS (SELECT FROM users WHERE email_key = $1))";
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
            .execute(LETTERS, &[&email.as_str(), &user.is_verified])
            .await?;
    }
    let range = |prefix: AccountPrefix| [[prefix, [0; 8]].concat(), [prefix, [0xFF; 8]].concat()];
    let [first, last] = range(SignInAttempt::prefix(&user.username_key));
    // A user who has not verified the address must not reset its counters: registering and deleting again and again
    // would get around the limits.
    let email = email.filter(|_| user.is_verified);
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

pub(super) async fn void_tokens(
    transaction: &Transaction<'_>,
    user: UserId,
) -> Result<(), DatabaseError> {
    const DELETE: &str = "DELETE FROM one_time_tokens WHERE user_id = $1";
    transaction.execute(DELETE, &[&row::user_id(user)]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use password_auth_testing::Cluster;

    use super::OF_ROLE;
    use crate::postgres::PostgresStore;

    #[tokio::test]
    async fn those_of_a_role_are_found_by_an_index_however_few_they_are() {
        const MANY: &str = "INSERT INTO users (id, username, username_key, password_hash, is_active, created_at, role) \
             SELECT gen_random_uuid(), 'a', number, '', true, 0, CASE number WHEN 1 THEN 'guest' ELSE 'user' END \
               FROM generate_series(1, 20000) number; \
             ANALYZE";
        let cluster = Cluster::shared().await;
        let url = cluster.create_database().await;
        let database = url.rsplit('/').next().expect("a name");
        PostgresStore::connect(&url.parse().expect("a URL"), false)
            .await
            .expect("a store");
        cluster.sql_in(database, MANY).await;
        // Like the generic plan that a prepared statement gets after some executions.
        let explain = format!(
            "SET plan_cache_mode = force_generic_plan; PREPARE listed AS {OF_ROLE}; \
             EXPLAIN EXECUTE listed(0, 10, '{}', 'guest')",
            uuid::Uuid::nil()
        );
        let plan = cluster.sql_in(database, &explain).await.concat().join("\n");
        assert!(plan.contains("users_by_role"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}
