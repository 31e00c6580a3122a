//! An engine with a time of its own: everything that a test of the trait may do.

mod postgres;
mod sled;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use password_auth_model::{
    Decision, Generation, Identity, Owner, Party, PasswordHash, Rate, Rotation, Session, SessionId,
    SignInAttempt, Timestamp, User, UserId, Username, UsernameKey, Verdict, decide,
};
use password_auth_store::{ChangeUser, CreateUser, NewSession, Store, UserChange};

use crate::database::Database;

/// Who presents tokens, where it does not matter.
pub const PARTY: Party = Party {
    network: 1,
    device: 2,
};

/// How long a session of these tests lasts.
pub const LIFETIME: Duration = Duration::from_secs(180 * 86_400);

/// When every test begins. A moment with milliseconds, since moments have them.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_123);

/// What an engine keeps its records in, and where it takes the time from.
#[async_trait]
pub trait Ground: Send + Sync {
    /// Stores on what is there: one for each node that may share it.
    async fn open(&self) -> Vec<Arc<dyn Store>>;

    /// Makes it this late for an engine that has a clock of its own.
    async fn turn_clock_to(&self, now: Timestamp);

    /// How much earlier than it is the engine may take a request to have come: one that does not go by the
    /// arrival that it is handed reckons how long the request has waited.
    fn waiting(&self) -> Duration;
}

/// A store, empty at first, whose time stands until it is moved.
pub struct Engine {
    ground: Box<dyn Ground>,
    nodes: Vec<Arc<dyn Store>>,
    next_node: AtomicUsize,
    now: AtomicU64,
}

impl Engine {
    pub async fn sled() -> Self {
        Self::on(Box::new(sled::Folder::new())).await
    }

    pub async fn postgres() -> Self {
        Self::on(Box::new(Database::new().await)).await
    }

    async fn on(ground: Box<dyn Ground>) -> Self {
        let engine = Self {
            nodes: ground.open().await,
            ground,
            next_node: AtomicUsize::new(0),
            now: AtomicU64::default(),
        };
        engine.turn_clock_to(START).await;
        engine
    }

    /// Closes the store, opens it again.
    pub async fn reopen(&mut self) {
        for node in &self.nodes {
            node.close().await;
        }
        self.nodes.clear();
        self.nodes = self.ground.open().await;
    }

    /// The store: of several nodes, one after the other, so that whoever writes and reads reads elsewhere.
    pub fn store(&self) -> Arc<dyn Store> {
        let next = self.next_node.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.nodes[next % self.nodes.len()])
    }

    /// Every node's.
    pub fn nodes(&self) -> &[Arc<dyn Store>] {
        &self.nodes
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    pub async fn advance(&self, by: Duration) {
        self.turn_clock_to(self.now().plus(by)).await;
    }

    pub async fn set_back(&self, by: Duration) {
        self.turn_clock_to(self.now().minus(by)).await;
    }

    pub async fn turn_clock_to(&self, now: Timestamp) {
        self.ground.turn_clock_to(now).await;
        self.now.store(now.as_millis(), Ordering::SeqCst);
    }

    /// How much earlier than it is an engine may take a request to have come.
    pub fn waiting(&self) -> Duration {
        self.ground.waiting()
    }

    /// Whether a request that comes now may be taken to have come at `arrival`.
    pub fn may_be_arrival(&self, arrival: Timestamp) -> bool {
        (self.now().minus(self.waiting())..=self.now()).contains(&arrival)
    }

    /// Moves on so far that `by` at least lies between any request before and any after.
    pub async fn pass_at_least(&self, by: Duration) {
        self.advance(by + self.waiting()).await;
    }

    /// Moves on so far that `by` at most lies between any request before and any after.
    pub async fn pass_at_most(&self, by: Duration) {
        self.advance(by - self.waiting()).await;
    }

    /// A user, not in the store yet.
    pub fn user(&self, name: &str) -> User {
        let username = Username::parse(name).expect("a name");
        User::new(username, hash("at first"), self.now())
    }

    /// A new session, not in the store yet.
    pub fn session_of(&self, user: &User) -> Session {
        let now = self.now();
        Session::new(user.id, "Firefox".to_owned(), now, now.plus(LIFETIME))
    }

    pub async fn register(&self, name: &str) -> User {
        let user = self.user(name);
        let created = self.store().create_user(user.clone()).await;
        assert_eq!(created.expect("an answer"), CreateUser::Created, "{name:?}");
        user
    }

    pub async fn user_named(&self, name: &str) -> Option<User> {
        let key = UsernameKey::of(name);
        self.store().user_by_name(&key).await.expect("an answer")
    }

    pub async fn name_is_taken(&self, name: &str) -> bool {
        let key = UsernameKey::of(name);
        self.store().name_is_taken(&key).await.expect("an answer")
    }

    pub async fn allow(&self, user: &User, active: bool) -> Option<()> {
        allow(&*self.store(), user.id, active).await
    }

    /// Adds a session of a user who has never changed their password.
    pub async fn keep(&self, session: &Session) -> bool {
        let kept = self.store().create_session(session.clone(), 0).await;
        kept.expect("an answer") == NewSession::Added
    }

    /// Registers and signs in; the user after it.
    pub async fn signed_in(&self, name: &str) -> (Session, User) {
        let user = self.register(name).await;
        let session = self.session_of(&user);
        assert!(self.keep(&session).await, "a session for {name:?}");
        let user = since(&session, user);
        (session, user)
    }

    pub async fn session(&self, id: SessionId) -> Option<(Session, User)> {
        read_on(&*self.store(), id).await
    }

    pub async fn rotate(&self, id: SessionId, presented: u32) -> Option<Rotation> {
        self.rotate_by(PARTY, id, presented).await
    }

    pub async fn rotate_by(&self, by: Party, id: SessionId, presented: u32) -> Option<Rotation> {
        let (presented, arrival) = (Generation(presented), self.now());
        let store = self.store();
        let rotated = store.rotate_session(id, presented, by, arrival);
        rotated.await.expect("an answer")
    }

    /// Rotates, and checks that the answer and the record are what the pure function says.
    #[track_caller]
    pub fn expect_rotation(
        &self,
        id: SessionId,
        presented: u32,
        expected: Decision,
    ) -> impl Future<Output = Session> {
        self.expect_rotation_by(PARTY, id, presented, expected)
    }

    /// As [`expect_rotation`](Self::expect_rotation), by somebody else.
    #[track_caller]
    pub fn expect_rotation_by(
        &self,
        by: Party,
        id: SessionId,
        presented: u32,
        expected: Decision,
    ) -> impl Future<Output = Session> {
        let caller = std::panic::Location::caller();
        async move {
            let (before, user) = self.session(id).await.expect("a session");
            let rotation = self.rotate_by(by, id, presented).await;
            let rotation = rotation.expect("a rotation");
            assert_eq!(rotation.decision, expected, "at {caller}");
            // What rotated says when; nothing else depends on it to the millisecond.
            let arrival = match expected {
                Decision::Rotate | Decision::Adopt => rotation.session.last_used,
                Decision::ReplayElsewhere | Decision::ReplayElsewhereInNewEpoch => {
                    rotation.session.trail.elsewhere.last().expect("one").at
                }
                _ => self.now(),
            };
            assert!(self.may_be_arrival(arrival), "{arrival:?}, at {caller}");
            let presented = Generation(presented);
            let decided = decide(&before, presented, by, arrival);
            assert_eq!(decided, expected, "at {caller}");
            let after = expected.apply(&before, presented, by, arrival);
            let after = after.unwrap_or(before);
            assert_eq!(rotation.session, after, "at {caller}");
            assert_eq!(rotation.owner, Owner::from(&user), "at {caller}");
            assert_eq!(self.session(id).await, Some((after, user)), "at {caller}");
            rotation.session
        }
    }

    pub async fn confirm(&self, id: SessionId, generation: u32) {
        self.use_by(PARTY, id, generation).await;
    }

    /// An access token of that generation, issued to `party`, is accepted.
    pub async fn use_by(&self, party: Party, id: SessionId, generation: u32) {
        let store = self.store();
        let noted = store.note_use(id, Generation(generation), Some(party));
        noted.await.expect("an answer");
    }

    pub async fn end(&self, id: SessionId) {
        self.store().end_session(id).await.expect("an answer");
    }

    pub async fn attempt(&self, attempt: SignInAttempt, rate: Rate) -> Verdict {
        let verdict = self.store().count_attempt(attempt, rate, self.now()).await;
        verdict.expect("an answer")
    }

    pub async fn forgive(&self, attempt: SignInAttempt, rate: Rate) {
        let (attempt, now) = (attempt.counter(), self.now());
        let forgiven = self.store().forgive(attempt, rate, now).await;
        forgiven.expect("an answer");
    }

    pub async fn remember(&self, attempt: SignInAttempt, until: Timestamp) {
        let remembered = self.store().remember_network(attempt, until).await;
        remembered.expect("an answer");
    }

    pub async fn is_remembered(&self, attempt: SignInAttempt) -> bool {
        let found = self
            .store()
            .network_is_remembered(attempt, self.now())
            .await;
        found.expect("an answer")
    }

    pub async fn sweep(&self) -> usize {
        self.store().sweep(self.now()).await.expect("an answer")
    }
}

/// The user after a sign-in.
pub fn since(session: &Session, user: User) -> User {
    User {
        last_login: Some(session.created),
        ..user
    }
}

/// Activates or deactivates a user; `None` if there is no such user.
pub async fn allow(store: &dyn Store, user: UserId, active: bool) -> Option<()> {
    let change = UserChange {
        is_active: Some(active),
        ..UserChange::default()
    };
    match store.change_user(user, change).await.expect("an answer") {
        ChangeUser::Changed { after, .. } => {
            assert_eq!(after.is_active, active);
            Some(())
        }
        ChangeUser::Unknown => None,
        ChangeUser::LastAdmin | ChangeUser::NewAdmin => panic!("nobody is an admin"),
    }
}

/// A stored hash; its text means nothing to a store.
pub fn hash(text: &str) -> PasswordHash {
    serde_json::from_value(serde_json::Value::from(text)).expect("a text")
}

/// A try at the account of that name.
pub fn attempt(name: &str, address: &str) -> SignInAttempt {
    let address: IpAddr = address.parse().expect("an address");
    SignInAttempt::new(&UsernameKey::of(name), address)
}

/// What one node says of the session, by each way to read it, while nothing changes.
pub async fn read_on(node: &dyn Store, id: SessionId) -> Option<(Session, User)> {
    let found = node.session(id).await.expect("an answer");
    let identity = found
        .as_ref()
        .map(|(session, user)| Identity::of(session, Owner::from(user)));
    // The second time from memory, where there is such a thing.
    for _ in 0..2 {
        assert_eq!(node.identity(id).await.expect("an answer"), identity);
    }
    let both = node.identity_and_user(id).await.expect("an answer");
    let user = found.as_ref().map(|(_, user)| user.clone());
    assert_eq!(both, identity.zip(user));
    found
}
