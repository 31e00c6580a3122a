//! One name and whoever has it, as a register.

use password_auth_model::{PasswordHash, User, UserId};
use password_auth_store::CreateUser;

use super::Model;

pub struct NameRegister;

#[derive(Clone, Debug)]
pub enum Op {
    Create(User),
    Read,
    IsTaken,
    Replace(UserId, PasswordHash, PasswordHash),
    Allow(UserId, bool),
}

#[derive(Clone, Debug)]
pub enum Answer {
    Created(CreateUser),
    Found(Option<User>),
    Said(bool),
    Allowed(Option<()>),
}

impl Model for NameRegister {
    type State = Option<User>;
    type Op = Op;
    type Answer = Answer;

    fn step(owner: &Option<User>, op: &Op, answer: &Answer) -> Vec<Option<User>> {
        let mut after = owner.clone();
        let fits = match (op, answer) {
            (Op::Create(user), Answer::Created(CreateUser::Created)) => {
                after = Some(user.clone());
                owner.is_none()
            }
            (Op::Create(_), Answer::Created(CreateUser::NameTaken)) => owner.is_some(),
            (Op::Read, Answer::Found(found)) => found == owner,
            (Op::IsTaken, Answer::Said(taken)) => *taken == owner.is_some(),
            (Op::Replace(id, old, new), Answer::Said(replaced)) => {
                let fitting = |user: &&mut User| user.id == *id && user.password == *old;
                let user = after.as_mut().filter(fitting);
                let fits = user.is_some();
                if let Some(user) = user {
                    user.password = new.clone();
                }
                fits == *replaced
            }
            (Op::Allow(id, active), Answer::Allowed(allowed)) => {
                let user = after.as_mut().filter(|user| user.id == *id);
                let is_there = user.is_some();
                if let Some(user) = user {
                    user.is_active = *active;
                }
                is_there == allowed.is_some()
            }
            _ => false,
        };
        fits.then_some(after).into_iter().collect()
    }
}
