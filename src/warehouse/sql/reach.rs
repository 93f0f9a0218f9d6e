//! Where code that takes values of users' types could be met.
//!
//! A value of such a type comes from a relation that holds it, from a cast to it or a column declared as it, or from a
//! function that the owner allowed. That is not all: PostgreSQL makes a domain's value of any value of its base type, a row type's of any row, and
//! another type's of a string constant, where no other operator or function suits the arguments better.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Kind, Token};
use super::walk::Found;
use super::{Policy, calls};
use crate::warehouse::catalog::code::{Code, Routine, Type};

/// The first oid that PostgreSQL gives to what users make.
pub(super) const USERS_FIRST: u32 = 16384;

/// Where a piece of code could be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// In every statement.
    Everywhere,
    /// In statements that read one of the relations, by schema and name, make values of one of the types, by oid, or hold
    /// values of any type.
    Relations {
        relations: BTreeSet<(String, String)>,
        types: BTreeSet<u32>,
        /// Whether a row made in the statement would do as well.
        rows: bool,
    },
}

/// What of a statement tells which types its values may be of.
#[expect(clippy::struct_excessive_bools, reason = "each is another fact of the same text")]
pub(super) struct Statement<'a> {
    found: &'a Found,
    types: &'a BTreeSet<u32>,
    any: bool,
    /// Whether arguments are given by their names.
    pub(super) named_arguments: bool,
    /// Whether it has string constants, parameters or NULLs, which become values of any type.
    pub(super) literals: bool,
    /// Whether casts are written in it.
    pub(super) casts: bool,
}

impl<'a> Statement<'a> {
    /// `types` are the users' types that values are made of in it.
    pub(super) fn new(tokens: &[Token<'_>], found: &'a Found, types: &'a BTreeSet<u32>, policy: &Policy) -> Self {
        let has = |is: &dyn Fn(&Token<'_>) -> bool| tokens.iter().any(is);
        let casts = ["cast", "columns", "returning"];
        Self {
            found,
            types,
            any: calls::calls_allowed(tokens, policy),
            named_arguments: has(&|token| token.is_symbol("=>")),
            literals: has(&|token| {
                matches!(token.kind, Kind::Text | Kind::Parameter) || token.is_word("null") || fills_records(token)
            }),
            casts: has(&|token| token.is_symbol("::") || (token.kind == Kind::Word && casts.contains(&&*token.text))),
        }
    }

    pub(super) fn meets(&self, reach: &Reach, rows: bool) -> bool {
        let Reach::Relations { relations, types, rows: of_rows } = reach else { return true };
        // Within a view's body, a name without a schema stands in one of no name.
        let read = |read: &(String, String)| {
            relations.contains(read) || (read.0.is_empty() && relations.iter().any(|(_, name)| *name == read.1))
        };
        self.any
            || (*of_rows && rows)
            || !types.is_disjoint(self.types)
            || (!relations.is_empty() && self.found.relations.iter().any(read))
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
        self.holding(made.into_iter().flat_map(|(oid, _)| self.made_of(oid)), rows)
    }

    /// Where values of one of the types are held or made.
    pub(super) fn holding(&self, types: impl IntoIterator<Item = u32>, rows: bool) -> Reach {
        let types = types.into_iter().collect::<BTreeSet<_>>();
        let relations = types.iter().filter_map(|oid| self.relations.get(oid)).flatten();
        Reach::Relations { relations: relations.map(|name| (*name).clone()).collect(), types, rows }
    }

    /// The type, and those that values of it are made of without a word: of a domain its base, of an array its elements.
    fn made_of(&self, oid: u32) -> Vec<u32> {
        let mut made = vec![oid];
        while let Some(Type { kind, holds, .. }) = made.last().and_then(|oid| self.types.get(oid))
            && matches!(kind.as_str(), "d" | "b")
            && let [of] = holds.as_slice()
            && !made.contains(of)
        {
            made.push(*of);
        }
        made
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
