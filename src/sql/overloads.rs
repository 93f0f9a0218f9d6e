//! Code of the database's users that a SELECT would run without naming it.
//!
//! `=`, `lower` and a cast mean what PostgreSQL makes of them from the types that they meet: an operator `public.=(text,
//! integer)` is taken where text meets an integer. So a word or operator in a statement is refused where it could stand for
//! such code:
//!
//! - code whose arguments are all of PostgreSQL's own types, in every statement that has its name in it;
//! - code that takes a type which the users made, in statements that have its name and read a relation with a column of
//!   that type, or of a type that holds it. Every table's row is a type too. Values of such a type come from nowhere else,
//!   as casts to it are refused; where the owner allowed functions, a statement that calls one may hold any type.
//!
//! Names that cannot be found without a schema do not count, except those of comparisons, which sorting and grouping use
//! by way of a type's operator class.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::lexer::{Kind, Token};
use super::policy::Allowed;
use super::refusal::{Refusal, function, operator, relation, seen};
use super::walk::Found;
use super::{calls, functions};
use crate::catalog::code::{Cast, Code, Routine};

/// The first oid that PostgreSQL gives to what users make.
const USERS_FIRST: u32 = 16384;

/// Operators that sorting, grouping and joining use.
const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];

/// Words that stand for operators.
const OPERATORS_OF_WORDS: &[(&str, &[&str])] = &[
    ("all", COMPARISONS),
    ("any", COMPARISONS),
    ("between", &["<", "<=", ">", ">="]),
    ("by", COMPARISONS),
    ("case", &["="]),
    ("distinct", COMPARISONS),
    ("except", COMPARISONS),
    ("greatest", COMPARISONS),
    ("ilike", &["~~*", "!~~*"]),
    ("in", &["=", "<>"]),
    ("intersect", COMPARISONS),
    ("least", COMPARISONS),
    ("like", &["~~", "!~~"]),
    ("max", COMPARISONS),
    ("min", COMPARISONS),
    ("natural", &["="]),
    ("nullif", &["="]),
    ("similar", &["~", "!~"]),
    ("some", COMPARISONS),
    ("union", COMPARISONS),
    ("using", COMPARISONS),
];

/// Code that could be run without being named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overloads {
    operators: BTreeMap<String, Vec<Overload>>,
    functions: BTreeMap<String, Vec<Overload>>,
    /// Casts that need not be written, or that bring text.
    silent_casts: Vec<Overload>,
    /// Casts that have to be written.
    written_casts: Vec<Overload>,
}

/// One piece of such code.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Overload {
    /// What it is: `public.=(text, integer)`.
    object: String,
    /// How the owner could allow it.
    remedy: String,
    /// Where it could be met.
    reach: Reach,
}

/// Where a piece of code could be met.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    /// In every statement.
    Everywhere,
    /// In statements that read one of these, by schema and name, or that call a function of the users'.
    Relations(BTreeSet<(String, String)>),
}

impl Overloads {
    /// What of the code could be run so, less what is allowed.
    pub(super) fn new(code: &Code, allowed: &Allowed) -> Self {
        let holders = Holders::new(code);
        let mut overloads = Self::default();
        let comparison = |made: &Routine| COMPARISONS.contains(&made.name.as_str());
        for made in code.operators.iter().filter(|made| made.visible || comparison(made)) {
            let name = format!("{}.{}", made.schema, made.name);
            if !allowed.operators.contains(&name) {
                let remedy = format!("[sql] allow_operators = [\"{name}\"]");
                let object = format!("operator {name}({})", made.signature);
                let overload = Overload { object, remedy, reach: holders.reach(&made.types) };
                overloads.operators.entry(made.name.clone()).or_default().push(overload);
            }
        }
        let familiar =
            |made: &&Routine| (made.visible || made.schema == "pg_catalog") && functions::is_harmless(&made.name);
        for made in code.functions.iter().filter(familiar).filter(|made| !made.trusted) {
            if !is_allowed(&made.schema, &made.name, allowed) {
                let remedy = format!("[sql] allow_functions = [\"{}.{}\"]", made.schema, made.name);
                let object = format!("function {}.{}({})", made.schema, made.name, made.signature);
                let overload = Overload { object, remedy, reach: holders.reach(&made.types) };
                overloads.functions.entry(made.name.clone()).or_default().push(overload);
            }
        }
        for cast in &code.casts {
            overloads.add_cast(cast, &holders, allowed);
        }
        overloads
    }

    fn add_cast(&mut self, cast: &Cast, holders: &Holders<'_>, allowed: &Allowed) {
        let Cast { function, source, target, implicit, to_text, signature } = cast;
        if is_allowed(&function.schema, &function.name, allowed) {
            return;
        }
        let name = format!("{}.{}", function.schema, function.name);
        let overload = Overload {
            object: format!("cast {signature} by {name}"),
            remedy: format!("[sql] allow_functions = [\"{name}\"]"),
            reach: holders.reach(&[*source, *target]),
        };
        // Every cell of a result is cast to text.
        let silent = *implicit || *to_text || *source >= USERS_FIRST || *target >= USERS_FIRST;
        if silent { &mut self.silent_casts } else { &mut self.written_casts }.push(overload);
    }

    /// Whether there is any.
    fn is_empty(&self) -> bool {
        self.operators.is_empty()
            && self.functions.is_empty()
            && self.silent_casts.is_empty()
            && self.written_casts.is_empty()
    }
}

fn is_allowed(schema: &str, name: &str, allowed: &Allowed) -> bool {
    allowed.functions.contains(name) || allowed.functions.contains(&format!("{schema}.{name}"))
}

/// Which relations hold values of which types.
struct Holders<'code> {
    relations: BTreeMap<u32, BTreeSet<&'code (String, String)>>,
}

impl<'code> Holders<'code> {
    fn new(code: &'code Code) -> Self {
        let holds = code.types.iter().map(|made| (made.oid, made.holds.as_slice())).collect::<BTreeMap<_, _>>();
        let mut relations: BTreeMap<u32, BTreeSet<&(String, String)>> = BTreeMap::new();
        for (name, types) in &code.relations {
            let mut seen = BTreeSet::new();
            let mut open = types.clone();
            while let Some(oid) = open.pop() {
                if seen.insert(oid) {
                    open.extend(holds.get(&oid).copied().unwrap_or_default());
                    relations.entry(oid).or_default().insert(name);
                }
            }
        }
        Self { relations }
    }

    fn reach(&self, types: &[u32]) -> Reach {
        let made = types.iter().filter(|oid| **oid >= USERS_FIRST).collect::<Vec<_>>();
        if made.is_empty() {
            return Reach::Everywhere;
        }
        let relations = made.into_iter().filter_map(|oid| self.relations.get(oid)).flatten();
        Reach::Relations(relations.map(|name| (*name).clone()).collect())
    }
}

/// Refuses a statement that could run such code.
pub(super) fn check(tokens: &[Token<'_>], found: &Found, policy: &Policy) -> Result<(), Refusal> {
    let overloads = &policy.overloads;
    if overloads.is_empty() {
        return Ok(());
    }
    let calls_users = calls::calls_allowed(tokens, policy);
    let met = |overload: &&Overload| match &overload.reach {
        Reach::Everywhere => true,
        Reach::Relations(relations) => calls_users || found.relations.iter().any(|read| relations.contains(read)),
    };
    let first = |overloads: &[Overload]| overloads.iter().find(met).map(Overload::said);
    for name in operators(tokens) {
        if let Some(said) = overloads.operators.get(name).and_then(|overloads| first(overloads)) {
            return Err(operator(format!("{} could run {said}", seen(name))));
        }
    }
    for name in names(tokens) {
        if let Some(said) = overloads.functions.get(name).and_then(|overloads| first(overloads)) {
            return Err(function(format!("{} could run {said}", seen(name))));
        }
    }
    if let Some(said) = first(&overloads.silent_casts) {
        return Err(relation(format!("this would run {said}")));
    }
    let casts = tokens.iter().any(|token| token.is_symbol("::") || token.is_word("cast"));
    if casts && let Some(said) = first(&overloads.written_casts) {
        return Err(function(format!("this could run {said}")));
    }
    Ok(())
}

impl Overload {
    fn said(&self) -> String {
        format!("the {}, which users of the database made; the owner can allow it: {}", self.object, self.remedy)
    }
}

/// The operators that the statement uses, written or by words.
fn operators<'tokens>(tokens: &'tokens [Token<'_>]) -> impl Iterator<Item = &'tokens str> {
    tokens.iter().flat_map(|token| {
        let of_word = OPERATORS_OF_WORDS.iter().find(|(word, _)| token.kind == Kind::Word && token.text == *word);
        let written = (token.kind == Kind::Operator).then_some(&*token.text);
        // `!=` is another spelling of `<>`.
        let written = written.map(|text| if text == "!=" { "<>" } else { text });
        written.into_iter().chain(of_word.into_iter().flat_map(|(_, operators)| operators.iter().copied()))
    })
}

/// The names in places where a function may stand: before a parenthesis, and after a dot.
fn names<'tokens>(tokens: &'tokens [Token<'_>]) -> impl Iterator<Item = &'tokens str> {
    let called = |index: usize| tokens.get(index + 1).is_some_and(|next| next.is_symbol("("));
    let attribute = |index: usize| index > 0 && tokens[index - 1].is_symbol(".");
    let places = (0..tokens.len()).filter(move |index| called(*index) || attribute(*index));
    places.filter(|index| tokens[*index].is_name()).map(|index| &*tokens[index].text)
}
