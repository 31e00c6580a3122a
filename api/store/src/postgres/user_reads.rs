//! Users, as they are read.

use password_auth_model::{EmailKey, PasswordHash, User, UserId, UsernameKey};
use uuid::Uuid;

use super::reads::Reads;
use super::row::{self, get, user_columns};
use crate::{MAX_NAMESAKES, StoreError, UserFilter};

const OF_ROLE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users u WHERE u.id > $3 AND u.role = $4 ORDER BY u.id OFFSET $1 LIMIT $2"
);

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

pub(super) async fn by_email(reads: &Reads, email: &EmailKey) -> Result<Vec<User>, StoreError> {
    // A verified address comes first, and is the only result.
    const SELECT: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users u WHERE u.id IN (\
         (SELECT id FROM users WHERE email_key = $1 AND is_verified) \
         UNION (SELECT id FROM users WHERE email_key = $1 ORDER BY id LIMIT $2) \
         UNION (SELECT id FROM users WHERE email_key = $1 ORDER BY id DESC LIMIT $2)) \
         ORDER BY u.is_verified DESC, u.id"
    );
    let Some(key) = row::searchable(email.as_str()) else {
        return Ok(Vec::new());
    };
    let half = i64::try_from(MAX_NAMESAKES / 2).unwrap_or(i64::MAX);
    let found = reads.rows(SELECT, &[&key, &half]).await?;
    let mut users = found
        .iter()
        .map(|found| row::user(found, 0))
        .collect::<Result<Vec<_>, _>>()?;
    if users.first().is_some_and(|user| user.is_verified) {
        users.truncate(1);
    }
    Ok(users)
}

pub(super) async fn by_email_and_hash(
    reads: &Reads,
    email: &EmailKey,
    password: &PasswordHash,
) -> Result<Option<User>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users u WHERE u.email_key = $1 AND u.password_hash = $2 AND NOT u.is_verified \
         AND NOT EXISTS (SELECT 1 FROM users v WHERE v.email_key = $1 AND v.is_verified) \
         ORDER BY u.is_active DESC, u.id LIMIT 1"
    );
    let Some(key) = row::searchable(email.as_str()) else {
        return Ok(None);
    };
    let found = reads.row(SELECT, &[&key, &password.as_str()]).await?;
    found.map(|found| row::user(&found, 0)).transpose()
}

#[cfg(test)]
mod tests {
    use super::super::plans::{FilledDatabase, GENERIC};
    use super::OF_ROLE;

    #[tokio::test]
    async fn those_of_a_role_are_found_by_an_index_however_few_they_are() {
        const MANY: &str = "INSERT INTO users (id, username, username_key, password_hash, is_active, created_at, role) \
             SELECT gen_random_uuid(), 'a', number, '', true, 0, CASE number WHEN 1 THEN 'guest' ELSE 'user' END \
               FROM generate_series(1, 20000) number";
        let database = FilledDatabase::with(MANY).await;
        let arguments = format!("0, 10, '{}', 'guest'", uuid::Uuid::nil());
        let plan = database.plan(GENERIC, OF_ROLE, &arguments).await;
        assert!(plan.contains("users_by_role"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}
