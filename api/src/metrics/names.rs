//! The name and the help of each metric. Dashboards and alerts use these names: a change breaks them.

/// Name and help. A counter's name gets `_total` when it is shown.
pub(super) type Name = (&'static str, &'static str);

pub(super) const REQUESTS: Name = (
    "password_auth_http_requests",
    "Answered requests by route, method and status",
);
pub(super) const REQUEST_TIMES: Name = (
    "password_auth_http_request_duration_seconds",
    "Time until the head of the answer was ready, by route and method",
);
pub(super) const CONNECTIONS: Name = ("password_auth_connections", "Open connections");
pub(super) const MAX_CONNECTIONS: Name = (
    "password_auth_connections_max",
    "The most connections at once; more wait",
);
pub(super) const CONNECTIONS_OPENED: Name = (
    "password_auth_connections_opened",
    "Connections that were accepted",
);
pub(super) const CONNECTIONS_REFUSED: Name = (
    "password_auth_connections_refused",
    "Connections that were refused because their network had its share",
);
pub(super) const FAILED_HANDSHAKES: Name = (
    "password_auth_tls_handshakes_failed",
    "TLS handshakes that failed or took too long",
);
pub(super) const HASHING_WORKERS: Name = (
    "password_auth_hashing_workers",
    "The most passwords that are hashed at once",
);
pub(super) const HASHING_RUNNING: Name = (
    "password_auth_hashing_running",
    "Passwords that are being hashed",
);
pub(super) const HASHING_WAITING: Name = (
    "password_auth_hashing_waiting",
    "Passwords that wait to be hashed",
);
pub(super) const HASHING_WAITS: Name = (
    "password_auth_hashing_wait_seconds",
    "Time in the queue of the hashing pool",
);
pub(super) const HASHING_TIMES: Name = (
    "password_auth_hashing_duration_seconds",
    "Time to hash one password",
);
pub(super) const HASHING_REFUSED: Name = (
    "password_auth_hashing_refused",
    "Passwords that were not hashed because the queue or the client's share of it was full",
);
pub(super) const SESSIONS: Name = (
    "password_auth_session_events",
    "What happened to sessions: started, refreshed, replayed, stolen (ended as a theft), refused, signed_out",
);
pub(super) const THROTTLED: Name = ("password_auth_throttled", "Attempts over a limit, by limit");
pub(super) const MAIL: Name = (
    "password_auth_mail_events",
    "What happened to mail: queued, sent, postponed, dropped; failed: the mail server could not be used",
);
pub(super) const MAIL_OVERDUE: Name = (
    "password_auth_mail_overdue_seconds",
    "How long the mail that has been due longest waits",
);
pub(super) const STORE_TIMES: Name = (
    "password_auth_store_duration_seconds",
    "Time of the store's operations, by kind; write: until it is on disk",
);
pub(super) const FLUSHED_WRITES: Name = (
    "password_auth_store_flushed_writes",
    "Writes that one flush of the embedded store acknowledged",
);
pub(super) const BUILD: Name = ("password_auth_build_info", "The version that runs");
pub(super) const CPU: Name = (
    "process_cpu_seconds",
    "Processor time of the process, in seconds",
);
pub(super) const MEMORY: Name = ("process_resident_memory_bytes", "Resident memory, in bytes");
pub(super) const DESCRIPTORS: Name = ("process_open_fds", "Open file descriptors");
