//! Computes the keys of addresses again after their function has changed, which SQL cannot do. Runs inside the
//! migration's transaction, under its lock.

use password_auth_model::EmailAddress;
use tokio_postgres::{Client, Error, Row};
use uuid::Uuid;

use crate::SAME_ADDRESS;

/// Rows per batch.
const STEP: i64 = 1000;

pub(super) async fn addresses(client: &Client) -> Result<(), Error> {
    const USERS: &str = "SELECT id, email, email_key FROM users \
         WHERE email IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
    const EMAILS: &str = "SELECT id, recipient, recipient_key FROM letters \
         WHERE id > $1 ORDER BY id LIMIT $2";
    const SET_USERS: &str = "UPDATE users SET email_key = new.key \
         FROM unnest($1::uuid[], $2::text[]) AS new (id, key) WHERE users.id = new.id";
    const SET_EMAILS: &str = "UPDATE letters SET recipient_key = new.key \
         FROM unnest($1::uuid[], $2::text[]) AS new (id, key) WHERE letters.id = new.id";
    // Ids are in the order of time.
    const UNVERIFY: &str = "UPDATE users u SET is_verified = false \
         FROM users earlier WHERE u.is_verified AND earlier.is_verified \
         AND earlier.email_key = u.email_key AND earlier.id < u.id RETURNING u.id, earlier.id";
    // Only verified addresses are unique.
    const UNIQUE: &str =
        "CREATE UNIQUE INDEX users_by_verified_email ON users (email_key) WHERE is_verified";
    change(client, USERS, SET_USERS).await?;
    change(client, EMAILS, SET_EMAILS).await?;
    for row in client.query(UNVERIFY, &[]).await? {
        let (later, first): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        tracing::warn!(user.id = %later, first.id = %first, "{SAME_ADDRESS}");
    }
    client.batch_execute(UNIQUE).await
}

/// Reads id, address and key in batches, and sets the keys that have changed.
async fn change(client: &Client, select: &str, set: &str) -> Result<(), Error> {
    let mut last = Uuid::nil();
    loop {
        let rows = client.query(select, &[&last, &STEP]).await?;
        let Some(end) = rows.last() else {
            return Ok(());
        };
        last = end.try_get(0)?;
        let (mut ids, mut keys) = (Vec::new(), Vec::new());
        for row in &rows {
            if let Some((id, key)) = other_key(row)? {
                ids.push(id);
                keys.push(key);
            }
        }
        if !ids.is_empty() {
            client.execute(set, &[&ids, &keys]).await?;
        }
    }
}

fn other_key(row: &Row) -> Result<Option<(Uuid, String)>, Error> {
    let address = EmailAddress::from_store(row.try_get(1)?);
    let (id, old): (Uuid, Option<String>) = (row.try_get(0)?, row.try_get(2)?);
    let key = address.key();
    Ok((old.as_deref() != Some(key.as_str())).then(|| (id, key.as_str().to_owned())))
}
