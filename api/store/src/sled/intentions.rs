//! The trait's methods: each is a read, or a write with the durability that it promises.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use password_auth_model::{
    Attempt, EmailKey, Event, EventId, Generation, OneTimeToken, Party, PasswordHash, QueuedEmail,
    QueuedEmailId, Rate, Rotation, Session, SessionId, SignInAttempt, Timestamp, TokenHash, User,
    UserId, UsernameKey, Verdict,
};

use super::deletion::{self, Progress};
use super::{SledStore, attempts, dump, email_queue, events, load, sessions, sweep, tokens, users};
use crate::{
    ChangePassword, ChangeUser, ConfirmEmail, CreateUser, DeleteUser, LoadError, Loaded,
    NewSession, Records, Store, StoreError, UserChange, UserFilter,
};

#[async_trait]
impl Store for SledStore {
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError> {
        self.durable(move |tables| users::create(tables, &user))
            .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.tables()?.user(id)
    }

    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        self.tables()?.user_by_name(name)
    }

    async fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError> {
        self.tables()?.users_by_email(email)
    }

    async fn users(
        &self,
        filter: UserFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let [skip, limit] = [skip, limit].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        self.on_a_thread(move |tables| tables.users(filter, skip, limit))
            .await
    }

    async fn count_users(&self) -> Result<u64, StoreError> {
        self.on_a_thread(|tables| tables.count_users()).await
    }

    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError> {
        if self.tables()?.user_by_name(name)?.is_none() {
            return Ok(false);
        }
        // A read may see what is not flushed yet.
        let name = name.clone();
        self.durable(move |tables| Ok(tables.user_by_name(&name)?.is_some()))
            .await
    }

    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError> {
        let old = old.clone();
        self.durable(move |tables| users::replace_password_hash(tables, user, &old, &new))
            .await
    }

    async fn change_user(
        &self,
        user: UserId,
        change: UserChange,
    ) -> Result<ChangeUser, StoreError> {
        self.durable(move |tables| users::change(tables, user, &change))
            .await
    }

    async fn reactivate_user(
        &self,
        user: UserId,
        password_version: u32,
    ) -> Result<ChangeUser, StoreError> {
        self.durable(move |tables| users::reactivate(tables, user, password_version))
            .await
    }

    async fn change_password(
        &self,
        user: UserId,
        version: u32,
        new: PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<ChangePassword, StoreError> {
        self.durable(move |tables| users::change_password(tables, user, version, new, keep))
            .await
    }

    async fn delete_user(&self, user: UserId) -> Result<DeleteUser, StoreError> {
        let first = self.durable(move |tables| deletion::delete(tables, user));
        let (answer, mut progress) = first.await?;
        while progress == Progress::More {
            let next = self.durable(move |tables| deletion::proceed(tables, user));
            progress = next.await?;
        }
        Ok(answer)
    }

    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError> {
        self.durable(move |tables| sessions::create(tables, &session, password_version))
            .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.tables()?.sessions_of(user)
    }

    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.durable(move |tables| sessions::end(tables, id, Some(user)))
            .await
    }

    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError> {
        self.durable(move |tables| sessions::end_all_now(tables, user, keep))
            .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.tables()?.session_and_user(id)
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        by: Party,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError> {
        self.durable(move |tables| sessions::rotate(tables, id, presented, by, arrival))
            .await
    }

    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Party,
    ) -> Result<(), StoreError> {
        self.relaxed(move |tables| sessions::note_use(tables, id, generation, party))
            .await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.durable(move |tables| sessions::end(tables, id, None).map(|_| ()))
            .await
    }

    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError> {
        self.durable(move |tables| tokens::add(tables, &token))
            .await
    }

    async fn one_time_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError> {
        self.tables()?.token_and_user(hash, now)
    }

    async fn reset_password(
        &self,
        hash: &TokenHash,
        new: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let hash = *hash;
        self.durable(move |tables| tokens::reset_password(tables, &hash, new, now))
            .await
    }

    async fn confirm_email(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<ConfirmEmail, StoreError> {
        let hash = *hash;
        self.durable(move |tables| tokens::confirm_email(tables, &hash, now))
            .await
    }

    async fn add_event(&self, event: Event) -> Result<(), StoreError> {
        self.relaxed(move |tables| events::add(tables, &event))
            .await
    }

    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.on_a_thread(move |tables| tables.events(user, before, limit))
            .await
    }

    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError> {
        self.durable(move |tables| email_queue::add(tables, &queued_email))
            .await
    }

    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError> {
        self.relaxed(move |tables| email_queue::claim(tables, now, until))
            .await
    }

    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.tables()?.next_email_due()
    }

    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError> {
        self.relaxed(move |tables| email_queue::postpone(tables, id, due))
            .await
    }

    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError> {
        self.durable(move |tables| email_queue::remove_one(tables, id))
            .await
    }

    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(move |tables| attempts::count(tables, attempt.key(), rate, now))
            .await
    }

    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(move |tables| attempts::count_sign_in(tables, attempt, rate, now))
            .await
    }

    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.relaxed(move |tables| attempts::remember_network(tables, attempt, until))
            .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        sweep::sweep(self, now).await
    }

    async fn dump(&self) -> Result<Records, StoreError> {
        dump::dump(self).await
    }

    async fn load(&self, records: Records) -> Result<Loaded, LoadError> {
        load::load(self, records).await
    }

    async fn failed(&self) {
        self.writer.failed().await;
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.writer.close().await;
    }
}
