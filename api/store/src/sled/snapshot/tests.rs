use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::{Reader, Section, Snapshot, SnapshotSlot, Step};
use crate::StoreError;
use crate::sled::CACHE_BYTES;
use crate::sled::change::Change;
use crate::sled::open::open;
use crate::sled::opened::Tables;
use crate::sled::trees::Tree;

/// What happens between two steps of the reader.
#[derive(Clone, Debug)]
enum Event {
    Put(Tree, u8, u8),
    Remove(Tree, u8),
    /// Only if there is a value, which is then the expected one.
    Swap(Tree, u8, u8),
    /// Several changes in one transaction.
    Together(Vec<(Tree, u8, Option<u8>)>),
    /// The reader reads a step of this many records.
    Read(usize),
}

fn tree() -> impl Strategy<Value = Tree> {
    prop::sample::select(Tree::ALL.to_vec())
}

fn event() -> impl Strategy<Value = Event> {
    // Few keys, so that they collide.
    let key = 0..12_u8;
    prop_oneof![
        (tree(), key.clone(), any::<u8>()).prop_map(|(t, k, v)| Event::Put(t, k, v)),
        (tree(), key.clone()).prop_map(|(t, k)| Event::Remove(t, k)),
        (tree(), key.clone(), any::<u8>()).prop_map(|(t, k, v)| Event::Swap(t, k, v)),
        prop::collection::vec((tree(), key, any::<Option<u8>>()), 2..6).prop_map(Event::Together),
        (1..6_usize).prop_map(Event::Read),
    ]
}

/// As long as the keys of the table. For an index, any length will do.
fn wide(tree: Tree, key: u8) -> Vec<u8> {
    vec![key; Section::of(tree).map_or(16, Section::key_bytes)]
}

fn put(tables: &Tables, tree: Tree, key: u8, value: u8) {
    let (key, value) = (&wide(tree, key), &[value]);
    let change = Change::Put { tree, key, value };
    tables.apply(&[change]).expect("written");
}

fn happen(tables: &Tables, event: &Event) {
    match event {
        Event::Put(tree, key, value) => put(tables, *tree, *key, *value),
        Event::Remove(tree, key) => {
            let (tree, key) = (*tree, &wide(*tree, *key));
            tables.apply(&[Change::Remove { tree, key }]).expect("ok");
        }
        Event::Swap(tree, key, value) => {
            let (tree, key, new) = (*tree, &wide(*tree, *key), &[*value]);
            let old = tables.tree(tree).get(key).expect("read");
            let change = Change::Swap {
                tree,
                key,
                old,
                new,
            };
            tables.apply(&[change]).expect("swapped");
        }
        Event::Together(several) => {
            let several: Vec<_> = several
                .iter()
                .map(|(tree, key, value)| (*tree, wide(*tree, *key), value.map(|value| [value])))
                .collect();
            let changes: Vec<_> = several
                .iter()
                .map(|(tree, key, value)| match value {
                    Some(value) => Change::Put {
                        tree: *tree,
                        key,
                        value,
                    },
                    None => Change::Remove { tree: *tree, key },
                })
                .collect();
            tables.apply(&changes).expect("applied");
        }
        Event::Read(_) => {}
    }
}

type Shown = Vec<(Section, Box<[u8]>, Vec<u8>)>;

fn standing(tables: &Tables) -> Shown {
    let mut all = Vec::new();
    let mut next = Some(Section::Users);
    while let Some(section) = next {
        for entry in tables.tree(section.tree()) {
            let (key, value) = entry.expect("read");
            all.push((section, (*key).into(), value.to_vec()));
        }
        next = section.next();
    }
    all
}

fn step(records: usize) -> Step {
    let time = Duration::MAX;
    Step { time, records }
}

/// Adds the next part. Returns whether it was the last.
fn read(tables: &Tables, records: usize, shown: &mut Shown) -> bool {
    let part = tables
        .snapshot
        .next(&tables.trees, step(records))
        .expect("a part");
    let records = part.records.into_iter();
    shown.extend(records.map(|(section, key, value)| (section, key, value.to_vec())));
    part.last
}

fn with_tables(test: impl FnOnce(&Tables)) {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, _disk, _mark) = open(folder.path(), CACHE_BYTES).expect("opened");
    test(&tables);
}

proptest! {
    #![proptest_config(Config { cases: 200, ..Config::default() })]

    #[test]
    fn whatever_is_written_meanwhile_the_picture_is_of_its_start(
        before in prop::collection::vec(event(), 0..60),
        meanwhile in prop::collection::vec(event(), 0..120),
    ) {
        with_tables(|tables| {
            before.iter().for_each(|event| happen(tables, event));
            let start = standing(tables);
            let reader = Arc::new(Reader::new(Arc::clone(&tables.snapshot)));
            tables.snapshot.take(Arc::downgrade(&reader)).expect("taken");
            let (mut shown, mut last) = (Vec::new(), false);
            for event in &meanwhile {
                match event {
                    Event::Read(records) if !last => last = read(tables, *records, &mut shown),
                    event => happen(tables, event),
                }
            }
            while !last {
                last = read(tables, 7, &mut shown);
            }
            assert_eq!(shown, start);
            // All saved values were counted and used.
            let slot = tables.snapshot.lock();
            let snapshot = slot.as_ref().expect("the reader is there");
            assert_eq!((snapshot.kept_bytes, snapshot.kept.len()), (0, 0));
        });
    }
}

#[test]
fn a_reader_that_goes_takes_along_what_was_kept_for_it_and_another_may_come() {
    with_tables(|tables| {
        let slot: &Arc<SnapshotSlot> = &tables.snapshot;
        let first = Arc::new(Reader::new(Arc::clone(slot)));
        slot.take(Arc::downgrade(&first)).expect("taken");
        put(tables, Tree::Users, 1, 1);
        let second = Arc::new(Reader::new(Arc::clone(slot)));
        let refused = slot.take(Arc::downgrade(&second));
        assert!(matches!(refused, Err(StoreError::Busy)));
        // A reader that never got a snapshot must not end another one.
        drop(second);
        assert!(slot.lock().is_some());
        drop(first);
        assert!(slot.lock().is_none());
        let third = Arc::new(Reader::new(Arc::clone(slot)));
        slot.take(Arc::downgrade(&third)).expect("taken");
    });
}

#[test]
fn a_picture_whose_reader_went_before_it_was_taken_is_not_kept() {
    with_tables(|tables| {
        let reader = Arc::new(Reader::new(Arc::clone(&tables.snapshot)));
        let gone = Arc::downgrade(&reader);
        drop(reader);
        tables.snapshot.take(gone).expect("taken");
        put(tables, Tree::Users, 1, 1);
        assert!(tables.snapshot.lock().is_none());
    });
}

#[test]
fn what_is_kept_for_a_slow_reader_is_bounded_and_it_is_told() {
    with_tables(|tables| {
        let reader = Arc::new(Reader::new(Arc::clone(&tables.snapshot)));
        tables
            .snapshot
            .take(Arc::downgrade(&reader))
            .expect("taken");
        *tables.snapshot.lock() = Some(Snapshot::new(Arc::downgrade(&reader), 1000));
        for key in 0..100 {
            put(tables, Tree::Sessions, key, key);
        }
        assert!(
            tables
                .snapshot
                .lock()
                .as_ref()
                .expect("there")
                .kept
                .is_empty()
        );
        let refused = tables
            .snapshot
            .next(&tables.trees, step(1))
            .err()
            .expect("refused");
        assert!(matches!(refused, StoreError::BrokeOff(_)), "{refused}");
        assert!(refused.to_string().contains("too slowly"), "{refused}");
        // The store itself still works.
        let all: BTreeMap<_, _> = tables.tree(Tree::Sessions).iter().flatten().collect();
        assert_eq!(all.len(), 100);
    });
}
