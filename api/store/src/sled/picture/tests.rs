use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::{Frame, Picture, Reader, Section, Step};
use crate::StoreError;
use crate::sled::CACHE_BYTES;
use crate::sled::change::Change;
use crate::sled::open::open;
use crate::sled::opened::Tables;
use crate::sled::tables::Table;

/// What happens between two steps of the reader.
#[derive(Clone, Debug)]
enum Event {
    Put(Table, u8, u8),
    Remove(Table, u8),
    /// Only if there is a value, which is then the expected one.
    Swap(Table, u8, u8),
    /// Several changes in one transaction.
    Together(Vec<(Table, u8, Option<u8>)>),
    /// The reader reads a step of this many records.
    Read(usize),
}

fn table() -> impl Strategy<Value = Table> {
    prop::sample::select(Table::ALL.to_vec())
}

fn event() -> impl Strategy<Value = Event> {
    // Few keys, so that they collide.
    let key = 0..12_u8;
    prop_oneof![
        (table(), key.clone(), any::<u8>()).prop_map(|(t, k, v)| Event::Put(t, k, v)),
        (table(), key.clone()).prop_map(|(t, k)| Event::Remove(t, k)),
        (table(), key.clone(), any::<u8>()).prop_map(|(t, k, v)| Event::Swap(t, k, v)),
        prop::collection::vec((table(), key, any::<Option<u8>>()), 2..6).prop_map(Event::Together),
        (1..6_usize).prop_map(Event::Read),
    ]
}

/// As long as the keys of the table. For an index, any length will do.
fn wide(table: Table, key: u8) -> Vec<u8> {
    vec![key; Section::of(table).map_or(16, Section::key_bytes)]
}

fn put(tables: &Tables, table: Table, key: u8, value: u8) {
    let (key, value) = (&wide(table, key), &[value]);
    let change = Change::Put { table, key, value };
    tables.apply(&[change]).expect("written");
}

fn happen(tables: &Tables, event: &Event) {
    match event {
        Event::Put(table, key, value) => put(tables, *table, *key, *value),
        Event::Remove(table, key) => {
            let (table, key) = (*table, &wide(*table, *key));
            tables.apply(&[Change::Remove { table, key }]).expect("ok");
        }
        Event::Swap(table, key, value) => {
            let (table, key, new) = (*table, &wide(*table, *key), &[*value]);
            let old = tables.tree(table).get(key).expect("read");
            let change = Change::Swap {
                table,
                key,
                old,
                new,
            };
            tables.apply(&[change]).expect("swapped");
        }
        Event::Together(several) => {
            let several: Vec<_> = several
                .iter()
                .map(|(table, key, value)| (*table, wide(*table, *key), value.map(|value| [value])))
                .collect();
            let changes: Vec<_> = several
                .iter()
                .map(|(table, key, value)| match value {
                    Some(value) => Change::Put {
                        table: *table,
                        key,
                        value,
                    },
                    None => Change::Remove { table: *table, key },
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
        for entry in tables.tree(section.table()) {
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
        .picture
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
            let reader = Arc::new(Reader::new(Arc::clone(&tables.picture)));
            tables.picture.take(Arc::downgrade(&reader)).expect("taken");
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
            let frame = tables.picture.lock();
            let picture = frame.as_ref().expect("the reader is there");
            assert_eq!((picture.kept_bytes, picture.kept.len()), (0, 0));
        });
    }
}

#[test]
fn a_reader_that_goes_takes_along_what_was_kept_for_it_and_another_may_come() {
    with_tables(|tables| {
        let frame: &Arc<Frame> = &tables.picture;
        let first = Arc::new(Reader::new(Arc::clone(frame)));
        frame.take(Arc::downgrade(&first)).expect("taken");
        put(tables, Table::Users, 1, 1);
        let second = Arc::new(Reader::new(Arc::clone(frame)));
        let refused = frame.take(Arc::downgrade(&second));
        assert!(matches!(refused, Err(StoreError::Busy)));
        // A reader that never got a snapshot must not end another one.
        drop(second);
        assert!(frame.lock().is_some());
        drop(first);
        assert!(frame.lock().is_none());
        let third = Arc::new(Reader::new(Arc::clone(frame)));
        frame.take(Arc::downgrade(&third)).expect("taken");
    });
}

#[test]
fn a_picture_whose_reader_went_before_it_was_taken_is_not_kept() {
    with_tables(|tables| {
        let reader = Arc::new(Reader::new(Arc::clone(&tables.picture)));
        let gone = Arc::downgrade(&reader);
        drop(reader);
        tables.picture.take(gone).expect("taken");
        put(tables, Table::Users, 1, 1);
        assert!(tables.picture.lock().is_none());
    });
}

#[test]
fn what_is_kept_for_a_slow_reader_is_bounded_and_it_is_told() {
    with_tables(|tables| {
        let reader = Arc::new(Reader::new(Arc::clone(&tables.picture)));
        tables.picture.take(Arc::downgrade(&reader)).expect("taken");
        *tables.picture.lock() = Some(Picture::new(Arc::downgrade(&reader), 1000));
        for key in 0..100 {
            put(tables, Table::Sessions, key, key);
        }
        assert!(
            tables
                .picture
                .lock()
                .as_ref()
                .expect("there")
                .kept
                .is_empty()
        );
        let refused = tables
            .picture
            .next(&tables.trees, step(1))
            .err()
            .expect("refused");
        assert!(matches!(refused, StoreError::BrokeOff(_)), "{refused}");
        assert!(refused.to_string().contains("too slowly"), "{refused}");
        // The store itself still works.
        let all: BTreeMap<_, _> = tables.tree(Table::Sessions).iter().flatten().collect();
        assert_eq!(all.len(), 100);
    });
}
