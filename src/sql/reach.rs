//! Where code that takes values of users' types could be met.
//!
//! A value of such a type comes from a relation that holds it, from a cast to an enum, or from a function that the owner
//! allowed. That is not all: PostgreSQL makes a domain's value of any value of its base type, a row type's of any row, and
//! another type's of a string constant, where no other operator or function suits the arguments better.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::calls;
use super::lexer::{Kind, Token};
use super::walk::Found;
use crate::catalog::code::{Code, Routine, Type};

/// The first oid that PostgreSQL gives to what users make.
pub(super) const USERS_FIRST: u32 = 16384;

/// Where a piece of code could be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// In every statement.
    Everywhere,
    /// In statements that read one of the relations, by schema and name, or hold values of any type.
    Relations {
        relations: BTreeSet<(String, String)>,
        /// Whether a row made in the statement would do as well.
        rows: bool,
    },
}

/// What of a statement tells which types its values may be of.
pub(super) struct Statement<'a> {
    found: &'a Found,
    any: bool,
    /// Whether it has string constants, parameters or NULLs, which become values of any type.
    pub(super) literals: bool,
    /// Whether casts are written in it.
    pub(super) casts: bool,
}

impl<'a> Statement<'a> {
    pub(super) fn new(tokens: &[Token<'_>], found: &'a Found, policy: &Policy) -> Self {
        let has = |is: &dyn Fn(&Token<'_>) -> bool| tokens.iter().any(is);
        let names = |token: &Token<'_>| token.is_name() && policy.overloads.castable.contains(&*token.text);
        // A named argument tells functions apart that have as many.
        let any = calls::calls_allowed(tokens, policy) || has(&|token| token.is_symbol("=>") || names(token));
        let casts = ["cast", "columns", "returning"];
        Self {
            found,
            any,
            literals: has(&|token| {
                matches!(token.kind, Kind::Text | Kind::Parameter) || token.is_word("null") || fills_records(token)
            }),
            casts: has(&|token| token.is_symbol("::") || (token.kind == Kind::Word && casts.contains(&&*token.text))),
        }
    }

    pub(super) fn meets(&self, reach: &Reach, rows: bool) -> bool {
        let Reach::Relations { relations, rows: of_rows } = reach else { return true };
        // Within a view's body, a name without a schema stands in one of no name.
        let read = |read: &(String, String)| {
            relations.contains(read) || (read.0.is_empty() && relations.iter().any(|(_, name)| *name == read.1))
        };
        self.any || (*of_rows && rows) || (!relations.is_empty() && self.found.relations.iter().any(read))
    }
}

/// A function that makes values of JSON, as a string constant would.
fn fills_records(token: &Token<'_>) -> bool {
    token.is_name() && token.text.contains("_populate_record")
}

/// Which relations hold values of which types.
pub(super) struct Holders<'code> {
    relations: BTreeMap<u32, BTreeSet<&'code (String, String)>>,
    types: BTreeMap<u32, &'code Type>,
}

/// What a value of a type can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Making {
    /// Of values of PostgreSQL's own types.
    Own,
    /// Of rows.
    Row,
    /// Of nothing but such values, and strings.
    Closed,
}

impl<'code> Holders<'code> {
    pub(super) fn new(code: &'code Code) -> Self {
        let types = code.types.iter().map(|made| (made.oid, made)).collect::<BTreeMap<_, _>>();
        let mut relations: BTreeMap<u32, BTreeSet<&(String, String)>> = BTreeMap::new();
        for (name, held) in &code.relations {
            let mut seen = BTreeSet::new();
            let mut open = held.clone();
            while let Some(oid) = open.pop() {
                if seen.insert(oid) {
                    open.extend(types.get(&oid).into_iter().flat_map(|made| &made.holds));
                    relations.entry(oid).or_default().insert(name);
                }
            }
        }
        Self { relations, types }
    }

    /// Where an operator could be met. `literals` tells which may be taken for strings.
    pub(super) fn of_operator(&self, made: &Routine) -> Reach {
        if made.literals { Reach::Everywhere } else { self.of_types(&made.types) }
    }

    /// Where a function could be met: one that takes PostgreSQL's own types too may be taken for a string beside them.
    pub(super) fn of_function(&self, made: &Routine) -> Reach {
        let own = made.types.iter().any(|oid| self.is_own(*oid));
        if made.literals || own { Reach::Everywhere } else { self.of_types(&made.types) }
    }

    /// Where values of these types meet.
    pub(super) fn of_types(&self, types: &[u32]) -> Reach {
        let made = types.iter().map(|oid| (*oid, self.making(*oid))).filter(|(_, making)| *making != Making::Own);
        let made = made.collect::<Vec<_>>();
        if made.is_empty() {
            return Reach::Everywhere;
        }
        let rows = made.iter().any(|(_, making)| *making == Making::Row);
        Reach::Relations { relations: self.holding(made.into_iter().map(|(oid, _)| oid)), rows }
    }

    /// The relations that hold values of one of the types.
    pub(super) fn holding(&self, types: impl IntoIterator<Item = u32>) -> BTreeSet<(String, String)> {
        types.into_iter().filter_map(|oid| self.relations.get(&oid)).flatten().map(|name| (*name).clone()).collect()
    }

    /// Whether values of PostgreSQL's own types become values of the type.
    pub(super) fn is_own(&self, oid: u32) -> bool {
        self.making(oid) == Making::Own
    }

    fn making(&self, oid: u32) -> Making {
        if oid < USERS_FIRST {
            return Making::Own;
        }
        let Some(made) = self.types.get(&oid) else { return Making::Own };
        match (made.kind.as_str(), made.holds.as_slice()) {
            _ if made.loose => Making::Own,
            // A domain is what its base is, if that is a user's, and an array what its elements are.
            ("d" | "b", [of]) => self.making(*of),
            ("c", _) => Making::Row,
            ("e" | "b" | "r" | "m", _) => Making::Closed,
            _ => Making::Own,
        }
    }
}
