//! Nodes on one database, and everything that can happen to them and to it, under load: what was acknowledged stays, no
//! token is rotated twice, nobody is signed out, and whatever cannot be answered is a 503.

mod hang;
mod load;
mod nodes;
mod standby;

use std::time::Duration;

use password_auth_testing::{Cluster, Partition};

use self::load::Load;
use self::nodes::Node;
use crate::actor::{Servers, Tally};
use crate::support::{Random, everyday_or_long};

const NODES: usize = 3;

/// Every day, and with `PASSWORD_AUTH_LONG=1`.
const LOSSES: (usize, usize) = (4, 40);
const TURNS: (usize, usize) = (7, 70);
const CUT_OFF_MILLIS: (usize, usize) = (3_000, 45_000);

/// Acknowledged answers after which a node, or all of them, counts as back at work.
const AT_WORK: usize = 100;

/// How long a primary without its standby goes on before it is killed.
const CUT_OFF: Duration = Duration::from_millis(500);

/// How a primary ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    /// In order, for maintenance.
    Stopped,
    /// It loses its standby first: what it acknowledged alone would be lost.
    CutOffAndKilled,
    /// It hangs, with its connections open, and nobody ends it before the standby takes over.
    Frozen,
}

const ENDS: [End; 4] = [End::Killed, End::Stopped, End::CutOffAndKilled, End::Frozen];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_loss_of_the_primary() {
    let (seed, losses) = (Random::seed(), everyday_or_long(LOSSES.0, LOSSES.1));
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices of these {losses} losses");
    let mut random = Random::new(seed);
    let mut primary = Cluster::start().await;
    let mut link = Partition::to(primary.port()).await;
    let mut standby = Cluster::standby_through(&link, "standby").await;
    primary.make_synchronous(&["standby"]).await;
    // Primary and standby change places and keep their ports.
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres",
        primary.port(),
        standby.port()
    );
    // All at once on an empty database.
    let (a, b, c) = tokio::join!(Node::start(&url), Node::start(&url), Node::start(&url));
    let nodes: [Node; NODES] = [a, b, c];
    let servers = Servers::default();
    for node in &nodes {
        servers.add(node.server.clone());
    }
    let mut load = Load::new(&mut random, &servers);
    let first_end = random.below(ENDS.len());
    for loss in 0..losses {
        if loss > 0 {
            link = Partition::to(standby.port()).await;
            let rebuilt = primary.replaced_by_standby_through(&link, "standby").await;
            (primary, standby) = (standby, rebuilt);
            primary.make_synchronous(&["standby"]).await;
        }
        for node in &nodes {
            node.server.forget_unavailable();
        }
        load.start();
        load.for_a_while().await;
        for node in &nodes {
            assert_eq!(node.server.unavailable(), 0, "503 without need");
        }
        let end = ENDS[(first_end + loss) % ENDS.len()];
        println!("{end:?}");
        match end {
            End::Killed => load.until(primary.kill()).await,
            End::Stopped => load.until(primary.stop_fast()).await,
            End::CutOffAndKilled => {
                link.cut();
                // What it could acknowledge alone, it has the time to acknowledge.
                load.until(tokio::time::sleep(CUT_OFF)).await;
                load.until(primary.kill()).await;
            }
            End::Frozen => primary.freeze().await,
        }
        for node in &nodes {
            load.until(node.server.until_unavailable(3)).await;
        }
        load.until(standby.promote()).await;
        for node in &nodes {
            let took = load.until(node.until_it_serves()).await;
            println!("back {took:?} after the promotion");
        }
        load.until_acknowledged(AT_WORK).await;
        load.stop().await;
        load.check(false).await;
    }
    load.check(true).await;
    finish(nodes, load.tally()).await;
}

/// What can happen to nodes and to a database that is one server.
#[derive(Clone, Copy, Debug)]
enum Turn {
    NodeKilled,
    NodeStopped,
    NodeAdded,
    NodeCutOff,
    DatabaseRestarted,
    DatabaseKilled,
    ConnectionsCut,
}

const EVERY_TURN: [Turn; 7] = [
    Turn::NodeKilled,
    Turn::NodeStopped,
    Turn::NodeAdded,
    Turn::NodeCutOff,
    Turn::DatabaseRestarted,
    Turn::DatabaseKilled,
    Turn::ConnectionsCut,
];

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_come_and_go_and_a_database_that_restarts_lose_nothing() {
    let (seed, turns) = (Random::seed(), everyday_or_long(TURNS.0, TURNS.1));
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices of these {turns} turns");
    let mut random = Random::new(seed);
    let database = Cluster::start().await;
    let network = Partition::to(database.port()).await;
    let url = database.url("postgres");
    let far =
        Node::start(&url.replace(&database.port().to_string(), &network.port().to_string())).await;
    let mut scene = Scene {
        nodes: vec![Node::start(&url).await, Node::start(&url).await],
        servers: Servers::default(),
        database,
        network,
        far,
        url,
    };
    for node in scene.nodes() {
        scene.servers.add(node.server.clone());
    }
    let mut load = Load::new(&mut random, &scene.servers);
    load.start();
    load.for_a_while().await;
    for node in scene.nodes() {
        assert_eq!(node.server.unavailable(), 0, "503 without need");
    }
    let mut left = Vec::new();
    for _ in 0..turns {
        if left.is_empty() {
            left = EVERY_TURN.to_vec();
        }
        let turn = left.swap_remove(random.below(left.len()));
        println!("{turn:?}");
        load.for_a_while().await;
        scene.play(turn, &mut load, &mut random).await;
        for node in scene.nodes() {
            let took = load.until(node.until_it_serves()).await;
            println!("    back after {took:?}");
        }
        load.until_acknowledged(AT_WORK).await;
    }
    load.stop().await;
    load.check(true).await;
    scene.nodes.push(scene.far);
    finish(scene.nodes, load.tally()).await;
}

struct Scene {
    database: Cluster,
    network: Partition,
    url: String,
    /// Reaches the database through the network.
    far: Node,
    nodes: Vec<Node>,
    servers: Servers,
}

impl Scene {
    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().chain([&self.far])
    }

    async fn play(&mut self, turn: Turn, load: &mut Load, random: &mut Random) {
        match turn {
            Turn::NodeKilled | Turn::NodeStopped => {
                let node = self.nodes.swap_remove(random.below(self.nodes.len()));
                let server = node.server.clone();
                if matches!(turn, Turn::NodeKilled) {
                    load.until(node.kill()).await;
                } else {
                    load.until(node.stop()).await;
                }
                self.servers.remove(&server);
                if self.nodes.is_empty() {
                    self.add(load).await;
                }
            }
            Turn::NodeAdded => self.add(load).await,
            Turn::NodeCutOff => {
                self.far.server.forget_unavailable();
                self.network.cut();
                load.until(self.far.server.until_unavailable(3)).await;
                // What it had begun keeps nobody waiting for long.
                for node in &self.nodes {
                    load.until(node.until_it_serves()).await;
                }
                // Longer than the window of a replay, too: what arrives after it must have no effect.
                let longest = everyday_or_long(CUT_OFF_MILLIS.0, CUT_OFF_MILLIS.1);
                let longer = u64::try_from(random.below(longest)).expect("fits");
                let longer = Duration::from_millis(longer);
                load.until(tokio::time::sleep(longer)).await;
                self.network.heal();
            }
            Turn::DatabaseRestarted => load.until(self.database.restart()).await,
            Turn::DatabaseKilled => {
                load.until(self.database.kill()).await;
                load.until(self.database.restart()).await;
            }
            Turn::ConnectionsCut => load.until(self.database.cut_connections()).await,
        }
    }

    async fn add(&mut self, load: &mut Load) {
        let node = load.until(Node::start(&self.url)).await;
        self.servers.add(node.server.clone());
        self.nodes.push(node);
    }
}

/// The nodes stop in order; everything was done, and something was refused.
async fn finish(nodes: impl IntoIterator<Item = Node>, tally: Tally) {
    for node in nodes {
        node.stop().await;
    }
    println!("{tally:?}");
    let Tally {
        registered,
        contended,
        signed_in,
        refreshed,
        refreshed_twice_at_once,
        replayed,
        signed_out,
        unavailable,
        ..
    } = tally;
    for counted in [
        registered,
        contended,
        signed_in,
        refreshed,
        refreshed_twice_at_once,
        replayed,
        signed_out,
        unavailable,
    ] {
        assert!(counted > 0, "no load, or nothing happened: {tally:?}");
    }
}
