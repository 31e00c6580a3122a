//! Ten thousand connections.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::support::{ServerProcess, raw};

const CROWD: u32 = 10_000;

/// How many of them are there before somebody else asks: more than the server has places.
const AT_ONCE: u32 = 1_500;

/// How long somebody else waits at most. Silent connections give way within 2 s, so that this many are through in less.
const PATIENCE: Duration = Duration::from_secs(60);

/// As many descriptors as the crowd needs, or as there are; how many the crowd may be.
fn descriptors() -> u32 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = u64::from(CROWD) + 500;
    let wanted = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = Rlimit {
        current: Some(wanted),
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("below the hard limit");
    u32::try_from(wanted.saturating_sub(500)).expect("a number")
}

async fn connect_from(source: IpAddr, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(server).await
}

async fn ping(server: SocketAddr) -> String {
    let source = IpAddr::from([127, 9, 9, 9]);
    let mut stream = connect_from(source, server).await.expect("connected");
    stream
        .write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    raw::answer(&mut stream).await
}

#[tokio::test]
async fn ten_thousand_silent_connections_keep_nobody_away() {
    let crowd = descriptors();
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let address: SocketAddr = server
        .url
        .strip_prefix("http://")
        .expect("a URL")
        .parse()
        .expect("an address");
    // Of one address, and of so many that each is within its share.
    for addresses in [1_u32, 250] {
        let mut connecting = JoinSet::new();
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        for number in 0..crowd {
            let [.., high, low] = (number % addresses).to_be_bytes();
            let source = IpAddr::from([127, 7, high, low.saturating_add(1)]);
            let arrived = arrived.clone();
            connecting.spawn(async move {
                let mut stream = connect_from(source, address).await.ok()?;
                stream.write_all(b"GET /ping HTTP/1.1\r\nx: ").await.ok()?;
                arrived.send(()).ok()?;
                // Held until the test lets go of it.
                std::future::pending::<()>().await;
                Some(stream)
            });
        }
        // The others still wait for the kernel, which takes no more at once.
        for _ in 0..crowd.min(AT_ONCE) {
            let arrival = tokio::time::timeout(PATIENCE, arrivals.recv()).await;
            arrival
                .expect("it arrives")
                .expect("the test holds a sender");
        }
        let began = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, ping(address)).await;
        let answer = answer.expect("its turn came");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        eprintln!("among {crowd} of {addresses}: {:?}", began.elapsed());
        connecting.abort_all();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a peak");
    let kibibytes: u64 = peak
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    assert!(kibibytes < 96 << 10, "{kibibytes} KiB");
    assert!(server.terminate().await.success());
}
