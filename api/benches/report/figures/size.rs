//! What grows with the number of users: the same server on a store with a thousand users, and on one with as many
//! as `--users` says. Each user has two sessions; requests go to all that count, at random.

use std::cell::RefCell;

use tokio::runtime::Runtime;

use crate::report::{Figure, Goal};
use crate::side::{Asked, Side};
use crate::stats::{Short, Spread, duel};
use crate::storage::Engine;
use crate::traffic::{CONNECTIONS, Lookup, Rotation, Traffic};
use crate::{Outcome, Settings};

pub(super) const SLED: &str = "size-sled";
pub(super) const POSTGRES: &str = "size-postgres";

const FEW: u32 = 1_000;

/// What a lookup or a rotation among many may cost, by what it costs among few.
const COST: Goal = Goal::RatioAtMost(1.5);
/// What the start on a full store may take.
const START_MS: f64 = 3_000.0;
/// What a record may take on disk.
const RECORD_BYTES: f64 = 1_024.0;

pub(super) fn sled(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    measure(SLED, Engine::Sled, runtime, settings)
}

pub(super) fn postgres(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    measure(POSTGRES, Engine::Postgres, runtime, settings)
}

fn measure(
    name: &'static str,
    engine: Engine,
    runtime: &Runtime,
    settings: &Settings,
) -> Outcome<Vec<Figure>> {
    let few = Side::fill(runtime, engine, FEW)?;
    let many = Side::fill(runtime, engine, settings.users)?;
    let disk = disk(name, runtime, &many, &few)?;
    let first_start = many.start(settings)?;
    let mut figures = starts(name, settings, &many, &few)?;
    if let Some(start) = figures.first_mut() {
        start.notes.push(format!(
            "a store was filled, and its server then started and killed in turn; the first start, which finds \
             all that the filling wrote, took {} ms",
            Short(first_start)
        ));
    }
    figures.push(requests::<Lookup>(name, runtime, settings, &many, &few)?);
    figures.push(requests::<Rotation>(name, runtime, settings, &many, &few)?);
    let (many_memory, few_memory) = (many.memory()?, few.memory()?);
    figures.push(
        Figure::beside(
            name,
            format!("{name}: memory after these requests"),
            "MiB",
            (many_memory, few_memory),
            BESIDE,
            None,
        )
        .with_note("memory is the server's own: PostgreSQL's is its setting".to_owned()),
    );
    let last_start = many.start(settings)?;
    let again = many.bytes_each(runtime)?;
    figures.push(disk.with_note(format!(
        "after these requests {} bytes for each; a start then took {} ms",
        Short(again),
        Short(last_start)
    )));
    Ok(figures)
}

const BESIDE: &str = "a thousand users";

fn disk(name: &'static str, runtime: &Runtime, many: &Side, few: &Side) -> Outcome<Figure> {
    let bytes = (many.bytes_each(runtime)?, few.bytes_each(runtime)?);
    let goal = Some(Goal::AtMost(RECORD_BYTES));
    Ok(Figure::beside(
        name,
        format!("{name}: disk, each user and session"),
        "B",
        bytes,
        BESIDE,
        goal,
    ))
}

/// Start-up, and the memory that it leaves taken.
fn starts(
    name: &'static str,
    settings: &Settings,
    many: &Side,
    few: &Side,
) -> Outcome<Vec<Figure>> {
    let memories = RefCell::new((Vec::new(), Vec::new()));
    let starts = duel(
        settings,
        &mut || {
            let taken = many.start(settings)?;
            memories.borrow_mut().0.push(many.memory()?);
            Ok(taken)
        },
        &mut || {
            let taken = few.start(settings)?;
            memories.borrow_mut().1.push(few.memory()?);
            Ok(taken)
        },
    )?;
    let (many_memory, few_memory) = memories.into_inner();
    let memory = (
        Spread::of(&many_memory).median,
        Spread::of(&few_memory).median,
    );
    let users = many.population.users();
    Ok(vec![
        Figure::duel(
            name,
            format!("{name}: start, {users} users"),
            "ms",
            &starts,
            BESIDE,
            Some(Goal::AtMost(START_MS)),
        ),
        Figure::beside(
            name,
            format!("{name}: memory after the start"),
            "MiB",
            memory,
            BESIDE,
            None,
        ),
    ])
}

fn requests<T: Traffic>(
    name: &'static str,
    runtime: &Runtime,
    settings: &Settings,
    many: &Side,
    few: &Side,
) -> Outcome<Figure> {
    many.settle()?;
    let (many, few) = (Asked::<T>::new(many), Asked::<T>::new(few));
    let costs = duel(
        settings,
        &mut || Ok(many.ask(runtime, settings)?.microseconds),
        &mut || Ok(few.ask(runtime, settings)?.microseconds),
    )?;
    let (many, few) = (many.cost().rate, few.cost().rate);
    Ok(Figure::duel(
        name,
        format!("{name}: {}, processor time", T::WHAT),
        "µs",
        &costs,
        BESIDE,
        Some(COST),
    )
    .with_note(format!(
        "{}: {CONNECTIONS} connections; {} a second beside {}, ratio {:.2}",
        T::WHAT,
        Short(many),
        Short(few),
        many / few
    )))
}
