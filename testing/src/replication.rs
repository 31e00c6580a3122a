//! A primary, its synchronous standby, and the change from one to the other.

use tokio::task::spawn_blocking;

use crate::cluster::Cluster;
use crate::folder::Folder;
use crate::partition::Partition;

impl Cluster {
    /// A standby that follows `primary` under that name, by which it can be made a synchronous one.
    pub async fn standby_of(primary: &Self, name: &str) -> Self {
        Self::follow(primary.port, name, None).await
    }

    /// As [`standby_of`](Self::standby_of) the server that the network leads to.
    pub async fn standby_through(network: &Partition, name: &str) -> Self {
        Self::follow(network.port(), name, None).await
    }

    /// A standby as [`standby_through`](Self::standby_through) makes it, in the place of this server, which is
    /// gone with all that it had: on the same port.
    pub async fn replaced_by_standby_through(self, network: &Partition, name: &str) -> Self {
        let port = self.port;
        spawn_blocking(move || drop(self)).await.expect("it ended");
        Self::follow(network.port(), name, Some(port)).await
    }

    async fn follow(primary: u16, name: &str, port: Option<u16>) -> Self {
        let source = format!("host=127.0.0.1 port={primary} user=postgres application_name={name}");
        let copying = spawn_blocking(move || {
            let folder = Folder::new();
            let data = folder.data();
            let data = data.to_str().expect("a readable path");
            folder.run(
                "pg_basebackup",
                &[
                    "--pgdata",
                    data,
                    "--dbname",
                    &source,
                    "--checkpoint=fast",
                    "--wal-method=stream",
                    "--write-recovery-conf",
                    "--no-sync",
                ],
            );
            folder
        });
        let standby = Self::serve(copying.await.expect("a copy"), port).await;
        // The copy has the primary's setting, and will have no standby of its own when it is promoted.
        standby
            .sql("ALTER SYSTEM RESET synchronous_standby_names")
            .await;
        standby.sql("SELECT pg_reload_conf()").await;
        standby
    }

    /// From now on a commit waits for one of these standbys, the first one of them that is there. Returns
    /// once that holds.
    pub async fn make_synchronous(&self, names: &[&str]) {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let server = self.server.lock().await;
        let server = server.as_ref().expect("it runs");
        let logged = server.logged();
        let wanted = quoted.join(", ");
        self.sql(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = '{wanted}'"
        ))
        .await;
        self.sql("SELECT pg_reload_conf()").await;
        // Who is synchronous is decided when a standby says how far it is, and it says so for what is new.
        let write = self.sql("SELECT pg_logical_emit_message(true, 'password-auth', '')");
        let decided = server.logs(logged, "is now a synchronous standby");
        let ((), decided) = tokio::join!(async { drop(write.await) }, decided);
        assert!(decided, "no standby: {}", server.log());
        // The process that makes commits wait is the one that writes checkpoints, and it reads its settings
        // before it writes one.
        self.sql("CHECKPOINT").await;
        let synchronous = self
            .sql("SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'")
            .await;
        assert_eq!(synchronous.len(), 1, "{synchronous:?} of {names:?}");
    }

    /// Makes a standby the primary. Returns once it takes writes.
    pub async fn promote(&self) {
        let promoted = self.sql("SELECT pg_promote(true, 60)").await;
        assert_eq!(promoted, [["t"]], "{}", self.log().await);
    }
}
