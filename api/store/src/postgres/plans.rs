//! How PostgreSQL executes our statements, for tests.

use password_auth_testing::Cluster;

use super::PostgresStore;

/// Like the generic plan that a prepared statement gets after some executions.
pub(super) const GENERIC: &str = "SET plan_cache_mode = force_generic_plan";

/// A database of a store, with rows of a test.
pub(super) struct FilledDatabase {
    cluster: &'static Cluster,
    name: String,
}

impl FilledDatabase {
    /// With what `rows` inserts.
    pub(super) async fn with(rows: &str) -> Self {
        let cluster = Cluster::shared().await;
        let url = cluster.create_database().await;
        let name = url.rsplit('/').next().expect("a name").to_owned();
        PostgresStore::connect(&url.parse().expect("a URL"), false)
            .await
            .expect("a store");
        cluster.sql_in(&name, rows).await;
        cluster.sql_in(&name, "VACUUM ANALYZE").await;
        Self { cluster, name }
    }

    /// The plan of `statement` with these arguments, on a connection with these settings.
    pub(super) async fn plan(&self, settings: &str, statement: &str, arguments: &str) -> String {
        let explain =
            format!("{settings}; PREPARE asked AS {statement}; EXPLAIN EXECUTE asked({arguments})");
        let plan = self.cluster.sql_in(&self.name, &explain).await;
        plan.concat().join("\n")
    }
}
