//! Stores that are created and filled before the server starts: a folder with sled, or a PostgreSQL server of our own.

use std::fs;
use std::path::Path;
use std::process::Command;

use password_auth_core::tokens::{SigningKey, SigningKeys};
use password_auth_model::{Clock as _, SystemClock};
use password_auth_store::postgres::PostgresStore;
use password_auth_store::sled::SledStore;
use password_auth_store::{Loaded, Records, Store};
use password_auth_testing::Cluster;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::machine::{cpu_seconds_of, folder};

/// Signs the tokens of every server on a place, so that they can be made without signing in.
const SECRET: &str = "a secret for measuring, of more than 32 bytes";

/// PostgreSQL's own default. `Cluster` takes less, since tests run many side by side.
const SHARED_BUFFERS: &str = "128MB";

pub(crate) enum Storage {
    Sled(TempDir),
    Postgres {
        cluster: Cluster,
        url: String,
        /// The process that all of the server's processes are children of.
        postmaster: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sled,
    Postgres,
}

impl Storage {
    /// An empty one.
    pub(crate) fn new(runtime: &Runtime, engine: Engine) -> Outcome<Self> {
        if engine == Engine::Sled {
            return Ok(Self::Sled(folder()?));
        }
        runtime.block_on(async {
            let cluster = Cluster::start().await;
            cluster
                .sql(&format!(
                    "ALTER SYSTEM SET shared_buffers = '{SHARED_BUFFERS}'"
                ))
                .await;
            cluster.restart().await;
            let url = cluster.create_database().await;
            let file = cluster.sql("SELECT pg_read_file('postmaster.pid')").await;
            let file = file.first().and_then(|row| row.first());
            let postmaster = file
                .and_then(|file| file.lines().next())
                .ok_or("postmaster.pid")?
                .parse()?;
            Ok(Self::Postgres {
                cluster,
                url,
                postmaster,
            })
        })
    }

    /// Fills it, and removes what has expired, as the server would.
    pub(crate) fn fill(&self, runtime: &Runtime, records: Records) -> Outcome<Loaded> {
        runtime.block_on(async {
            let store: Box<dyn Store> = match self {
                Self::Sled(folder) => Box::new(SledStore::open(folder.path())?),
                Self::Postgres { url, .. } => {
                    Box::new(PostgresStore::connect(&url.parse()?, false).await?)
                }
            };
            let loaded = store.load(records).await?;
            store.sweep(SystemClock.now()).await?;
            store.close().await;
            if let Self::Postgres { cluster, url, .. } = self {
                // What a day of its own housekeeping does.
                cluster.sql_in(database(url), "VACUUM ANALYZE").await;
                cluster.sql("CHECKPOINT").await;
            }
            Ok(loaded)
        })
    }

    /// PostgreSQL removes dead rows once a minute. Where a day passes in a minute, it does so every second.
    pub(crate) fn hurry_housekeeping(&self, runtime: &Runtime) {
        if let Self::Postgres { cluster, .. } = self {
            runtime.block_on(async {
                cluster
                    .sql("ALTER SYSTEM SET autovacuum_naptime = '1s'")
                    .await;
                cluster.sql("SELECT pg_reload_conf()").await;
            });
        }
    }

    /// What makes a server use it.
    pub(crate) fn set(&self, command: &mut Command) {
        command.env("JWT_SECRET", SECRET);
        match self {
            Self::Sled(folder) => {
                command.arg("--data-dir").arg(folder.path());
            }
            Self::Postgres { url, .. } => {
                command.env("DATABASE_URL", url);
            }
        }
    }

    /// How PostgreSQL is reached.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Sled(_) => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }

    pub(crate) fn keys() -> Outcome<SigningKeys> {
        let key = SigningKey::new(SECRET.as_bytes()).ok_or("too short a secret")?;
        Ok(SigningKeys::new(key, Vec::new()))
    }

    /// Bytes on disk: for sled, of all its files; for PostgreSQL, of the database, without the log of writes, whose
    /// size is a setting.
    pub(crate) fn bytes(&self, runtime: &Runtime) -> Outcome<f64> {
        match self {
            Self::Sled(folder) => bytes_in(folder.path()),
            Self::Postgres { cluster, url, .. } => {
                let size = format!("SELECT pg_database_size('{}')", database(url));
                one_number(&runtime.block_on(cluster.sql(&size)))
            }
        }
    }

    /// Processor time that the database's own processes have used.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        let Self::Postgres { postmaster, .. } = self else {
            return Ok(0.0);
        };
        let path = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(path)?;
        let mut sum = cpu_seconds_of(*postmaster)?.with_children;
        for child in children.split_whitespace() {
            // One that has ended meanwhile counts as the first one's.
            sum += cpu_seconds_of(child.parse()?).map_or(0.0, |seconds| seconds.own);
        }
        Ok(sum)
    }
}

fn database(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn one_number(rows: &[Vec<String>]) -> Outcome<f64> {
    let cell = rows.first().and_then(|row| row.first());
    Ok(cell.ok_or("no answer")?.parse()?)
}

/// Blocks that are taken, not lengths: a file may have holes.
fn bytes_in(path: &Path) -> Outcome<f64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut blocks = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                blocks += metadata.blocks();
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    Ok((blocks * 512) as f64)
}
