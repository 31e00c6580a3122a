//! Writes about sessions. A rotation is a single compare-and-swap.

use async_trait::async_trait;
use password_auth_model::{
    Generation, Identity, MAX_SESSIONS, Owner, Party, Rotation, Session, SessionId, Timestamp,
    User, UserId, decide,
};
use sled::IVec;

use super::change::{Batch, Change};
use super::codec::encode;
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, timed_key, user_key};
use super::{SledStore, user_entries};
use crate::{NewSession, SessionStore, StoreError};

#[async_trait]
impl SessionStore for SledStore {
    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError> {
        self.durable(move |tables| create(tables, &session, password_version))
            .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        let _timer = self.read_times.timer();
        let found = self.tables()?.session_and_user(id)?;
        Ok(found.map(|(session, user, _)| (session, user)))
    }

    async fn identity(&self, id: SessionId) -> Result<Option<Identity>, StoreError> {
        self.tables()?.identity(id, &self.read_times)
    }

    async fn identity_and_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Identity, User)>, StoreError> {
        self.tables()?.identity_and_user(id, &self.read_times)
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.tables()?.sessions_of(user)
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        by: Party,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError> {
        self.durable(move |tables| rotate(tables, id, presented, by, arrival))
            .await
    }

    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Option<Party>,
    ) -> Result<(), StoreError> {
        self.relaxed(move |tables| note_use(tables, id, generation, party))
            .await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.durable(move |tables| end(tables, id, None).map(|_| ()))
            .await
    }

    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.durable(move |tables| end(tables, id, Some(user)))
            .await
    }

    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError> {
        self.durable(move |tables| end_all_now(tables, user, keep))
            .await
    }
}

pub(super) fn create(
    tables: &Tables,
    session: &Session,
    password_version: u32,
) -> Result<NewSession, StoreError> {
    let user = tables.user(session.user)?.filter(|user| user.is_active);
    let Some(before) = user else {
        return Ok(NewSession::NoUser);
    };
    if before.password_version != password_version {
        return Ok(NewSession::PasswordChanged);
    }
    let mut batch = Batch::default();
    let after = User {
        last_login: Some(session.created),
        ..before.clone()
    };
    user_entries::replace(&mut batch, Some(&before), Some(&after))?;
    let others = tables.session_ids_of(session.user)?;
    // Older versions had no limit, so there may be several to remove.
    let too_many = (others.len() + 1).saturating_sub(MAX_SESSIONS);
    for id in &others[..too_many] {
        match tables.record(Tree::Sessions, id)? {
            Some(oldest) => remove(&mut batch, &oldest),
            None => batch.remove(Tree::UserSessions, &user_key(session.user, id)),
        }
    }
    for (tree, key, value) in entries(session)? {
        batch.put(tree, key, value);
    }
    batch.apply(tables)?;
    Ok(NewSession::Added)
}

pub(super) fn rotate(
    tables: &Tables,
    id: SessionId,
    presented: Generation,
    by: Party,
    arrival: Timestamp,
) -> Result<Option<Rotation>, StoreError> {
    let found = tables.look_up::<Session>(Tree::Sessions, id.as_bytes())?;
    let Some((bytes, session)) = found else {
        return Ok(None);
    };
    let owner = match tables.sessions.owner(id.as_bytes()) {
        Some(owner) => Some(owner),
        None => tables.user(session.user)?.as_ref().map(Owner::from),
    };
    let Some(owner) = owner.filter(|owner| owner.is_active) else {
        return Ok(None);
    };
    let decision = decide(&session, presented, by, arrival);
    let session = match decision.apply(&session, presented, by, arrival) {
        Some(changed) => {
            swap(tables, bytes, &changed, Some(owner.clone()))?;
            changed
        }
        None => session,
    };
    Ok(Some(Rotation {
        decision,
        session,
        owner,
    }))
}

pub(super) fn note_use(
    tables: &Tables,
    id: SessionId,
    generation: Generation,
    party: Option<Party>,
) -> Result<(), StoreError> {
    let found = tables.look_up::<Session>(Tree::Sessions, id.as_bytes())?;
    let Some((bytes, session)) = found else {
        return Ok(());
    };
    if let Some(after) = session.after_use(generation, party) {
        let owner = tables.sessions.owner(id.as_bytes());
        swap(tables, bytes, &after, owner)?;
    }
    Ok(())
}

/// Replaces a session. Whose it is stays in memory, if that is known: somebody will ask soon.
fn swap(tables: &Tables, old: IVec, new: &Session, owner: Option<Owner>) -> Result<(), StoreError> {
    tables.apply(&[Change::Swap {
        tree: Tree::Sessions,
        key: new.id.as_bytes(),
        old: Some(old),
        new: &encode(new)?,
    }])?;
    if let Some(owner) = owner {
        let identity = Identity::of(new, owner);
        tables.sessions.put(new.id.as_bytes(), identity);
    }
    Ok(())
}

/// Removes a session; if a user is given, only a session of that user. Returns whether it was removed. A session that
/// ended by a theft is kept: the thief must not remove what the owner should be told.
pub(super) fn end(tables: &Tables, id: SessionId, of: Option<UserId>) -> Result<bool, StoreError> {
    let found = tables.record::<Session>(Tree::Sessions, id.as_bytes())?;
    let session = found
        .filter(|session| session.ended.is_none() && of.is_none_or(|user| user == session.user));
    let Some(session) = session else {
        return Ok(false);
    };
    let mut batch = Batch::default();
    remove(&mut batch, &session);
    batch.apply(tables)?;
    Ok(true)
}

/// A session of this user that has not ended.
pub(super) fn live_of(
    tables: &Tables,
    id: SessionId,
    user: UserId,
) -> Result<Option<Session>, StoreError> {
    let found = tables.record::<Session>(Tree::Sessions, id.as_bytes())?;
    Ok(found.filter(|session| session.ended.is_none() && session.user == user))
}

pub(super) fn end_all_now(
    tables: &Tables,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<u64, StoreError> {
    let mut batch = Batch::default();
    let ended = end_all(&mut batch, tables, user, keep)?;
    batch.apply(tables)?;
    Ok(ended)
}

/// Like [`end`], for all sessions of a user except one. Returns how many were removed.
pub(super) fn end_all(
    batch: &mut Batch,
    tables: &Tables,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<u64, StoreError> {
    let mut ended = 0;
    for session in tables.sessions_of(user)? {
        if session.ended.is_none() && Some(session.id) != keep {
            remove(batch, &session);
            ended += 1;
        }
    }
    Ok(ended)
}

/// Removes all sessions of a user, whatever their state.
pub(super) fn remove_all(
    batch: &mut Batch,
    tables: &Tables,
    user: UserId,
) -> Result<(), StoreError> {
    for session in tables.sessions_of(user)? {
        remove(batch, &session);
    }
    Ok(())
}

/// Removes a session and its index entries.
pub(super) fn remove(batch: &mut Batch, session: &Session) {
    let id = session.id.as_bytes();
    batch.remove(Tree::Sessions, id);
    batch.remove(Tree::SessionExpiry, &timed_key(session.expires, id));
    batch.remove(Tree::UserSessions, &user_key(session.user, id));
}

/// The tree entries of a session.
pub(super) fn entries(session: &Session) -> Result<[IndexEntry; 3], StoreError> {
    let id = session.id.as_bytes();
    Ok([
        (Tree::Sessions, id.to_vec(), encode(session)?),
        (
            Tree::SessionExpiry,
            timed_key(session.expires, id).to_vec(),
            Vec::new(),
        ),
        (
            Tree::UserSessions,
            user_key(session.user, id).to_vec(),
            Vec::new(),
        ),
    ])
}
