//! Finds where code that takes values of the users' types could run.
//!
//! A value of such a type comes from a relation that holds it, from a cast to it, from a column declared as it, or from
//! a function that the owner allowed. PostgreSQL also makes a domain's value of any value of its base type, a row
//! type's value of any row, and another type's value of a string constant, if no other operator or function suits the
//! arguments better.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Kind, Token};
use super::walk::Found;
use super::{Policy, calls};
use crate::warehouse::catalog::code::{Code, Routine, Type};

/// The first oid that PostgreSQL gives to objects that users create.
pub(super) const USERS_FIRST: u32 = 16384;

/// The statements in which a piece of code could run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every statement.
    Everywhere,
    /// Statements that read one of the relations, by schema and name, make values of one of the types, by oid, or hold
    /// values of any type.
    Relations {
        relations: BTreeSet<(String, String)>,
        types: BTreeSet<u32>,
        /// Whether a row made in the statement suffices too.
        rows: bool,
    },
}

/// The properties of a statement that decide which types its values may have.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about the statement")]
pub(super) struct Statement<'a> {
    found: &'a Found,
    types: &'a BTreeSet<u32>,
    /// Whether it calls a function that the owner allowed, whose value may be of any type.
    any: bool,
    /// Whether arguments are passed by name.
    pub(super) named_arguments: bool,
    /// Whether it has string constants, parameters or NULLs, which can become values of any type.
    pub(super) literals: bool,
    /// Whether it has explicit casts.
    pub(super) casts: bool,
}

impl<'a> Statement<'a> {
    /// Collects the properties of a statement. `types` are the users' types that it makes values of.
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
        // In a view's body, a name without a schema is found in a schema with an empty name.
        let read = |read: &(String, String)| {
            relations.contains(read) || (read.0.is_empty() && relations.iter().any(|(_, name)| *name == read.1))
        };
        self.any
            || (*of_rows && rows)
            || !types.is_disjoint(self.types)
            || (!relations.is_empty() && self.found.relations.iter().any(read))
    }
}

/// Returns whether the token is a function that makes values of any type from JSON, as from a string constant.
fn fills_records(token: &Token<'_>) -> bool {
    token.is_name() && token.text.contains("_populate_record")
}

/// The relations that hold values of each of the users' types.
pub(super) struct Holders<'code> {
    relations: BTreeMap<u32, BTreeSet<&'code (String, String)>>,
    types: BTreeMap<u32, &'code Type>,
}

/// What PostgreSQL can make a value of a type from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Making {
    /// Values of PostgreSQL's own types.
    Own,
    /// Rows.
    Row,
    /// Only strings, besides values of the type itself.
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

    /// Returns where an operator could run. One with `literals` accepts string constants, so it could run anywhere.
    pub(super) fn of_operator(&self, made: &Routine) -> Reach {
        if made.literals { Reach::Everywhere } else { self.of_types(&made.types) }
    }

    /// Returns where a function could run. One that takes PostgreSQL's own types too could be chosen for a string
    /// beside them, so it could run anywhere.
    pub(super) fn of_function(&self, made: &Routine) -> Reach {
        let own = made.types.iter().any(|oid| self.is_own(*oid));
        if made.literals || own { Reach::Everywhere } else { self.of_types(&made.types) }
    }

    /// Returns where code that takes all these types could run.
    pub(super) fn of_types(&self, types: &[u32]) -> Reach {
        let made = types.iter().map(|oid| (*oid, self.making(*oid))).filter(|(_, making)| *making != Making::Own);
        let made = made.collect::<Vec<_>>();
        if made.is_empty() {
            return Reach::Everywhere;
        }
        let rows = made.iter().any(|(_, making)| *making == Making::Row);
        self.holding(made.into_iter().flat_map(|(oid, _)| self.made_of(oid)), rows)
    }

    /// Returns where values of one of the types are held or made.
    pub(super) fn holding(&self, types: impl IntoIterator<Item = u32>, rows: bool) -> Reach {
        let types = types.into_iter().collect::<BTreeSet<_>>();
        let relations = types.iter().filter_map(|oid| self.relations.get(oid)).flatten();
        Reach::Relations { relations: relations.map(|name| (*name).clone()).collect(), types, rows }
    }

    /// Returns the type, and the types that its values are made from without a cast: a domain's base type, an array's
    /// element type.
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

    /// Returns whether values of PostgreSQL's own types become values of the type.
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
            // A domain is made as its base type is, if that is a user's, and an array as its elements are.
            ("d" | "b", [of]) => self.making(*of),
            ("c", _) => Making::Row,
            ("e" | "b" | "r" | "m", _) => Making::Closed,
            _ => Making::Own,
        }
    }
}
