//! Tests of the checker: a checker that accepts everything would prove nothing.

use super::{Call, Model, is_explained};

/// A number that is written and read.
struct Register;

#[derive(Debug)]
enum Op {
    Write(u32),
    Read,
}

impl Model for Register {
    type State = u32;
    type Op = Op;
    type Answer = u32;

    fn step(state: &u32, op: &Op, answer: &u32) -> Vec<u32> {
        match op {
            Op::Write(number) => vec![*number],
            Op::Read => (answer == state).then_some(*state).into_iter().collect(),
        }
    }
}

const fn write(number: u32, begin: usize, end: usize) -> Call<Register> {
    Call {
        op: Op::Write(number),
        answer: 0,
        begin,
        end,
    }
}

const fn read(answer: u32, begin: usize, end: usize) -> Call<Register> {
    Call {
        op: Op::Read,
        answer,
        begin,
        end,
    }
}

#[test]
fn calls_that_overlap_may_have_happened_in_either_order() {
    for answer in [0, 1] {
        assert!(is_explained(0, &[write(1, 0, 3), read(answer, 1, 2)]));
    }
    // The third reader explains the second.
    assert!(is_explained(
        0,
        &[write(1, 0, 7), write(2, 1, 6), read(2, 2, 3), read(1, 4, 5)]
    ));
}

#[test]
fn a_read_that_misses_what_was_written_before_it_began_is_not_explained() {
    assert!(is_explained(0, &[write(1, 0, 1), read(1, 2, 3)]));
    assert!(!is_explained(0, &[write(1, 0, 1), read(0, 2, 3)]));
}

#[test]
fn a_value_that_was_seen_to_change_does_not_change_back() {
    let flicker = [write(1, 0, 5), read(1, 1, 2), read(0, 3, 4)];
    assert!(!is_explained(0, &flicker));
    let twice = [
        write(1, 0, 9),
        write(2, 1, 8),
        read(2, 2, 3),
        read(1, 4, 5),
        read(2, 6, 7),
    ];
    assert!(!is_explained(0, &twice));
}

#[test]
fn a_value_that_nobody_wrote_is_not_explained() {
    assert!(!is_explained(0, &[write(1, 0, 3), read(2, 1, 2)]));
}

#[test]
fn the_order_of_the_list_does_not_matter() {
    assert!(is_explained(0, &[read(1, 2, 3), write(1, 0, 1)]));
    assert!(!is_explained(0, &[read(0, 2, 3), write(1, 0, 1)]));
}
