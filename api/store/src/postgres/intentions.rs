//! The trait's methods. Each calls into the module for its subject.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use password_auth_model::{
    Attempt, EmailKey, Event, EventId, Generation, OneTimeToken, Party, PasswordHash, QueuedEmail,
    QueuedEmailId, Rate, Rotation, Session, SessionId, SignInAttempt, Timestamp, TokenHash, User,
    UserId, UsernameKey, Verdict,
};

use super::{
    PostgresStore, attempts, dump, email_queue, emails, events, load, sessions, sweep, users,
};
use crate::{
    ChangePassword, ChangeUser, ConfirmEmail, CreateUser, DeleteUser, LoadError, Loaded,
    NewSession, Records, Store, StoreError, UserChange, UserFilter,
};

/// A closure for [`PostgresStore::durable`] and [`PostgresStore::relaxed`], which may call it twice, so it copies its
/// captures.
macro_rules! work {
    ($($taken:ident),*; |$transaction:ident| $work:expr) => {
        move |$transaction| {
            $(let $taken = $taken.clone();)*
            Box::pin(async move { $work.await })
        }
    };
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError> {
        self.durable(work!(user; |t| users::create(t, &user))).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        users::by_id(&self.reads, id).await
    }

    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        users::by_name(&self.reads, name).await
    }

    async fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError> {
        emails::users_with(&self.reads, email).await
    }

    async fn users(
        &self,
        filter: UserFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let reads = Arc::clone(&self.long_reads);
        let reading = async move { users::list(&reads, filter, skip, limit).await };
        self.gate.run(reading).await
    }

    async fn count_users(&self) -> Result<u64, StoreError> {
        let reads = Arc::clone(&self.long_reads);
        let reading = async move { users::count(&reads).await };
        self.gate.run(reading).await
    }

    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError> {
        if users::by_name(&self.reads, name).await?.is_none() {
            return Ok(false);
        }
        let name = name.clone();
        self.durable(work!(name; |t| users::name_is_taken(t, &name)))
            .await
    }

    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError> {
        let old = old.clone();
        self.durable(work!(old, new; |t| users::replace_hash(t, user, &old, &new)))
            .await
    }

    async fn change_user(
        &self,
        user: UserId,
        change: UserChange,
    ) -> Result<ChangeUser, StoreError> {
        self.durable(work!(change; |t| users::change(t, user, &change)))
            .await
    }

    async fn reactivate_user(
        &self,
        user: UserId,
        password_version: u32,
    ) -> Result<ChangeUser, StoreError> {
        self.durable(work!(; |t| users::reactivate(t, user, password_version)))
            .await
    }

    async fn change_password(
        &self,
        user: UserId,
        version: u32,
        new: PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<ChangePassword, StoreError> {
        self.durable(work!(new; |t| users::change_password(t, user, version, &new, keep)))
            .await
    }

    async fn delete_user(&self, user: UserId) -> Result<DeleteUser, StoreError> {
        self.durable(work!(; |t| users::delete(t, user))).await
    }

    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError> {
        self.durable(work!(session; |t| sessions::create(t, &session, password_version)))
            .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        sessions::with_user(&self.reads, id).await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        sessions::of_user(&self.reads, user).await
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        by: Party,
        _arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError> {
        self.durable(work!(; |t| sessions::rotate(t, id, presented, by)))
            .await
    }

    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Party,
    ) -> Result<(), StoreError> {
        self.relaxed(work!(; |t| sessions::note_use(t, id, generation, party)))
            .await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.durable(work!(; |t| sessions::end(t, id))).await
    }

    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.durable(work!(; |t| sessions::end_of(t, user, id)))
            .await
    }

    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError> {
        self.durable(work!(; |t| sessions::end_all(t, user, keep)))
            .await
    }

    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError> {
        self.durable(work!(token; |t| emails::add_token(t, &token)))
            .await
    }

    async fn one_time_token(
        &self,
        hash: &TokenHash,
        _now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError> {
        emails::token(&self.reads, hash).await
    }

    async fn reset_password(
        &self,
        hash: &TokenHash,
        new: PasswordHash,
        _now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let hash = *hash;
        self.durable(work!(new; |t| emails::reset_password(t, &hash, &new)))
            .await
    }

    async fn confirm_email(
        &self,
        hash: &TokenHash,
        _now: Timestamp,
    ) -> Result<ConfirmEmail, StoreError> {
        let hash = *hash;
        self.durable(work!(; |t| emails::confirm(t, &hash))).await
    }

    async fn add_event(&self, event: Event) -> Result<(), StoreError> {
        self.relaxed(work!(event; |t| events::add(t, &event))).await
    }

    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let reads = Arc::clone(&self.long_reads);
        let reading = async move { events::latest(&reads, user, before, limit).await };
        self.gate.run(reading).await
    }

    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError> {
        self.durable(work!(queued_email; |t| email_queue::add(t, &queued_email)))
            .await
    }

    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError> {
        let lease = i64::try_from(until.since(now).as_millis()).unwrap_or(i64::MAX);
        self.relaxed(work!(; |t| email_queue::claim(t, lease)))
            .await
    }

    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError> {
        email_queue::next_due(&self.reads).await
    }

    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError> {
        self.relaxed(work!(; |t| email_queue::postpone(t, id, due)))
            .await
    }

    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError> {
        self.durable(work!(; |t| email_queue::remove(t, id))).await
    }

    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        _now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(work!(; |t| attempts::count(t, attempt, rate)))
            .await
    }

    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        _now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(work!(; |t| attempts::count_sign_in(t, attempt, rate)))
            .await
    }

    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.relaxed(work!(; |t| attempts::remember(t, attempt, until)))
            .await
    }

    async fn sweep(&self, _now: Timestamp) -> Result<usize, StoreError> {
        sweep::sweep(self).await
    }

    async fn dump(&self) -> Result<Records, StoreError> {
        dump::dump(self.reads.connector()?).await
    }

    async fn load(&self, records: Records) -> Result<Loaded, LoadError> {
        load::load(self.reads.connector()?, records).await
    }

    /// Never completes: a database that fails is used again once it is back.
    async fn failed(&self) {
        pending().await
    }

    async fn close(&self) {
        self.durable.close();
        self.relaxed.close();
        self.reads.close();
        self.long_reads.close();
    }
}
