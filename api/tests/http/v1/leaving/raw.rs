//! The raw content of an engine: sled's trees by the sled crate, PostgreSQL's rows as text.

use std::path::Path;

use uuid::Uuid;

use crate::support::{Engine, TestServer};

/// Everything that is kept: where, and what.
pub struct Raw(Vec<(String, Vec<u8>)>);

impl Raw {
    /// sled's folder has one owner: its server is stopped, and started again on what it left.
    pub async fn of(server: TestServer, engine: Engine) -> (Self, TestServer) {
        match engine {
            Engine::Postgres => (Self(rows(&server).await), server),
            Engine::Sled => {
                let folder = server.stop().await;
                let kept = Self(pairs(&folder.path().join("sled")).await);
                (kept, TestServer::builder().start_in(folder).await)
            }
        }
    }

    /// The places that hold these bytes, as they are, in capitals, or written in hexadecimal.
    pub fn places_with(&self, bytes: &[u8]) -> Vec<&str> {
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.places(|content| {
            contains(&content.to_ascii_lowercase(), bytes)
                || contains(content, bytes)
                || contains(content, hexadecimal.as_bytes())
        })
    }

    /// The places that hold an identifier, as bytes or as text.
    pub fn places_with_id(&self, id: Uuid) -> Vec<&str> {
        self.places(|content| {
            contains(content, id.as_bytes()) || contains(content, id.to_string().as_bytes())
        })
    }

    fn places(&self, holds: impl Fn(&[u8]) -> bool) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, content)| holds(content));
        found.map(|(place, _)| place.as_str()).collect()
    }
}

fn contains(content: &[u8], bytes: &[u8]) -> bool {
    content.windows(bytes.len()).any(|window| window == bytes)
}

/// Keys and values of every tree.
async fn pairs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    // Threads of sled's hold its lock for a moment after it was closed.
    let db = loop {
        match sled::Config::new().path(folder).open() {
            Ok(db) => break db,
            Err(sled::Error::Io(error)) if error.kind() == std::io::ErrorKind::Other => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let mut found = Vec::new();
    for name in db.tree_names() {
        let tree = db.open_tree(&name).expect("a tree");
        for pair in &tree {
            let (key, value) = pair.expect("a record");
            let place = String::from_utf8_lossy(&name).into_owned();
            found.push((place, [&*key, &*value].concat()));
        }
    }
    found
}

/// Every row of every table, all columns in it.
async fn rows(server: &TestServer) -> Vec<(String, Vec<u8>)> {
    let database = server.database.as_ref().expect("a database");
    let (_, name) = database.url.rsplit_once('/').expect("a name");
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    let mut found = Vec::new();
    for table in database.cluster.sql_in(name, tables).await {
        let table = &table[0];
        let all = format!("SELECT kept::text FROM \"{table}\" AS kept");
        for row in database.cluster.sql_in(name, &all).await {
            found.push((table.clone(), row.concat().into_bytes()));
        }
    }
    found
}
