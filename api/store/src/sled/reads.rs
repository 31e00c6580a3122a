//! Reads. Short reads run inline, long ones on a thread of their own.
//!
//! There may be writes between two reads. What connects two records is read before and after: if it is the same both
//! times, the records belong together.

use std::ops::Bound;

use password_auth_model::measure::Histogram;
use password_auth_model::{
    EmailKey, Event, EventId, Identity, OneTimeToken, Owner, PasswordHash, Session, SessionId,
    Timestamp, TokenHash, User, UserId, UsernameKey,
};

use super::codec::decode;
use super::opened::Tables;
use super::trees::{
    Tree, email_password_prefix, email_prefix, read_moment, role_key, role_number, unavailable,
    user_key,
};
use crate::{MAX_NAMESAKES, StoreError, UserFilter};

impl Tables {
    pub(super) fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.record(Tree::Users, id.as_bytes())
    }

    pub(super) fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        match self.bytes(Tree::Usernames, name.as_str().as_bytes())? {
            Some(id) => self.record(Tree::Users, &id),
            None => Ok(None),
        }
    }

    /// The user who has verified the address.
    pub(super) fn verified_owner(&self, email: &EmailKey) -> Result<Option<UserId>, StoreError> {
        let id = self.bytes(Tree::VerifiedEmails, email.as_str().as_bytes())?;
        id.map(|id| {
            let id = id.as_ref().try_into();
            id.map(UserId::from_bytes)
                .map_err(|_| StoreError::Corrupt("a value of verified_emails".to_owned()))
        })
        .transpose()
    }

    pub(super) fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError> {
        loop {
            let ids = self.ids_by_email(email)?;
            let users = ids.iter().map(|id| self.user(*id));
            let users = users.collect::<Result<Vec<_>, _>>()?;
            if self.ids_by_email(email)? == ids {
                return Ok(users.into_iter().flatten().collect());
            }
        }
    }

    pub(super) fn user_by_email_and_hash(
        &self,
        email: &EmailKey,
        password: &PasswordHash,
    ) -> Result<Option<User>, StoreError> {
        let mut first = None;
        for id in self.suffixes(
            Tree::EmailPasswords,
            &email_password_prefix(email, password),
        ) {
            // The user may have been deleted or changed since the index was read.
            let user = self.user(UserId::from_bytes(id?))?.filter(|user| {
                let is_theirs = user.email.as_ref().is_some_and(|own| own.key() == *email);
                is_theirs && !user.is_verified && user.password == *password
            });
            match user {
                Some(user) if user.is_active => {
                    first = Some(user);
                    break;
                }
                other => first = first.or(other),
            }
        }
        // Checked last, so that a verification before this call is seen.
        let is_verified = self.verified_owner(email)?.is_some();
        Ok(first.filter(|_| !is_verified))
    }

    fn ids_by_email(&self, email: &EmailKey) -> Result<Vec<UserId>, StoreError> {
        if let Some(owner) = self.verified_owner(email)? {
            return Ok(vec![owner]);
        }
        let all = || self.suffixes(Tree::Emails, &email_prefix(email));
        let mut ids = all()
            .take(MAX_NAMESAKES / 2)
            .collect::<Result<Vec<_>, _>>()?;
        let first_half = ids.last().copied();
        let mut last = all()
            .rev()
            .take(MAX_NAMESAKES / 2)
            .take_while(|id| id.as_ref().map_or(true, |id| Some(*id) > first_half))
            .collect::<Result<Vec<_>, _>>()?;
        last.reverse();
        ids.append(&mut last);
        Ok(ids.into_iter().map(UserId::from_bytes).collect())
    }

    pub(super) fn users(
        &self,
        filter: UserFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<User>, StoreError> {
        let after = filter.after.map(|id| *id.as_bytes());
        let Some(role) = filter.role else {
            let after = after
                .as_ref()
                .map_or(Bound::Unbounded, |id| Bound::Excluded(&id[..]));
            let behind = self
                .tree(Tree::Users)
                .range::<&[u8], _>((after, Bound::Unbounded));
            let some = behind.values().skip(skip).take(limit);
            return some
                .map(|user| decode(&user.map_err(unavailable)?))
                .collect();
        };
        // No user has the lowest id: it contains no UUID version.
        let after = role_key(role, UserId::from_bytes(after.unwrap_or_default()));
        let end = [role_number(role) + 1];
        let range = (Bound::Excluded(&after[..]), Bound::Excluded(&end[..]));
        let behind = self.tree(Tree::Roles).range::<&[u8], _>(range);
        let mut users = Vec::new();
        for key in behind.keys().skip(skip) {
            if users.len() == limit {
                break;
            }
            let key = key.map_err(unavailable)?;
            let user = self.record::<User>(Tree::Users, &key[1..])?;
            // The user may have been deleted or got another role since the index was read.
            users.extend(user.filter(|user| user.role == role));
        }
        Ok(users)
    }

    /// Counts the keys in the index of roles: they are short, so that many fit in a page.
    pub(super) fn count_users(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        for user in self.tree(Tree::Roles).iter().keys() {
            user.map_err(unavailable)?;
            count += 1;
        }
        Ok(count)
    }

    /// A session and its user, and the user's [stamp](super::cache::SessionCache::stamp) before it was read.
    pub(super) fn session_and_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Session, User, u64)>, StoreError> {
        loop {
            let read = self.look_up::<Session>(Tree::Sessions, id.as_bytes())?;
            let Some((bytes, session)) = read else {
                return Ok(None);
            };
            let stamp = self.sessions.stamp(session.user.as_bytes());
            let Some(user) = self.user(session.user)? else {
                return Ok(None);
            };
            // A session never returns to an earlier state.
            if self.bytes(Tree::Sessions, id.as_bytes())? == Some(bytes) {
                return Ok(Some((session, user, stamp)));
            }
        }
    }

    /// What is in memory is not timed.
    pub(super) fn identity(
        &self,
        id: SessionId,
        times: &Histogram,
    ) -> Result<Option<Identity>, StoreError> {
        self.sessions.get(id.as_bytes(), || {
            let _timer = times.timer();
            let found = self.session_and_user(id)?;
            Ok(found
                .map(|(session, user, stamp)| (Identity::of(&session, Owner::from(&user)), stamp)))
        })
    }

    pub(super) fn identity_and_user(
        &self,
        id: SessionId,
        times: &Histogram,
    ) -> Result<Option<(Identity, User)>, StoreError> {
        let Some(mut identity) = self.identity(id, times)? else {
            return Ok(None);
        };
        loop {
            let _timer = times.timer();
            let user = self.user(identity.user)?;
            let Some(after) = self.identity(id, times)? else {
                return Ok(None);
            };
            // So it was also when the user was read: what says so of the session never returns to an earlier state.
            if let Some(user) = user
                && identity == after
                && identity.is_of(&user)
            {
                return Ok(Some((identity, user)));
            }
            identity = after;
        }
    }

    pub(super) fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        loop {
            let ids = self.session_ids_of(user)?;
            let sessions = ids.iter().map(|id| self.record(Tree::Sessions, id));
            let sessions = sessions.collect::<Result<Vec<_>, _>>()?;
            if self.session_ids_of(user)? == ids {
                return Ok(sessions.into_iter().flatten().collect());
            }
        }
    }

    pub(super) fn session_ids_of(&self, user: UserId) -> Result<Vec<[u8; 16]>, StoreError> {
        self.suffixes(Tree::UserSessions, user.as_bytes()).collect()
    }

    /// A token that has not expired and its user, if the user may have it.
    pub(super) fn token_and_user(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError> {
        let token = self.record::<OneTimeToken>(Tree::Tokens, hash.as_bytes())?;
        let Some(token) = token.filter(|token| now < token.expires) else {
            return Ok(None);
        };
        let user = self.user(token.user)?;
        let user = user.filter(|user| user.may_have_token(&token.purpose));
        // A token never changes, and never comes back once it is removed.
        let is_there = self.contains(Tree::Tokens, hash.as_bytes())?;
        Ok(user.filter(|_| is_there).map(|user| (token, user)))
    }

    pub(super) fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let before = before.unwrap_or(EventId::from_bytes([u8::MAX; 16]));
        let mut events = Vec::new();
        match user {
            None => {
                let older = self
                    .tree(Tree::Events)
                    .range::<&[u8], _>(..&before.as_bytes()[..]);
                for event in older.values().rev().take(limit) {
                    events.push(decode(&event.map_err(unavailable)?)?);
                }
            }
            Some(user) => {
                let (first, end) = (user_key(user, &[0; 16]), user_key(user, before.as_bytes()));
                let older = self.tree(Tree::UserEvents).range(first..end);
                for key in older.keys().rev() {
                    if events.len() == limit {
                        break;
                    }
                    let key = key.map_err(unavailable)?;
                    events.extend(self.record::<Event>(Tree::Events, &key[16..])?);
                }
            }
        }
        Ok(events)
    }

    /// When the next mail is due.
    pub(super) fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let first = self
            .tree(Tree::QueuedEmailsDue)
            .first()
            .map_err(unavailable)?;
        Ok(first.and_then(|(key, _)| read_moment(key.get(..8)?)))
    }
}
