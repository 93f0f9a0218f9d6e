//! Finds code of the database's users that a SELECT would run without naming it.
//!
//! PostgreSQL chooses the code of `=`, `lower` and a cast by the types of the arguments: an operator
//! `public.=(text, integer)` runs where text is compared with an integer. So a word or operator in a statement is
//! refused if it could resolve to such code:
//!
//! - code whose arguments are all of PostgreSQL's own types, in every statement that contains its name;
//! - code that takes a type of the database's users, in statements that contain its name and may have a value of that
//!   type, which `reach` decides.
//!
//! Some code has no name at all in a statement. The functions of an operator class, which compare a type's values, and
//! those that make a range's values run wherever such values are sorted, grouped or looked up in an array. A domain's
//! CHECK runs where a string becomes a value of the domain, as in `coalesce(row, '(...)')`. Statements that read
//! relations with such values are refused. Functions in C are not checked there, and neither are the input and output
//! functions of types: only a superuser can make a server load one.
//!
//! Names that are found only with a schema do not count, except those of comparisons, which sorting and grouping use.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Kind, Token};
use super::policy::{Allowed, is_allowed};
use super::reach::{Holders, Reach, Statement, USERS_FIRST};
use super::refusal::{Refusal, function, operator, relation, seen};
use super::walk::Found;
use super::{Policy, functions, validate};
use crate::warehouse::catalog::code::{Cast, Code, Routine};

/// The oid of the type json.
const JSON: u32 = 114;

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

/// The users' code that a statement could run without naming it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overloads {
    operators: BTreeMap<String, Vec<Overload>>,
    functions: BTreeMap<String, Vec<Overload>>,
    /// Code that needs no name: implicit casts, casts to text, and functions that compare or make values.
    silent: Vec<Overload>,
    /// Casts that run only if they are written.
    written_casts: Vec<Overload>,
    /// Casts to JSON, which functions that make JSON use for values of the users' types.
    json_casts: Vec<Overload>,
    /// Code that runs where a string becomes a value.
    of_literals: Vec<Overload>,
}

/// One piece of code that a statement could run without naming it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Overload {
    /// A description for a message: `operator public.=(text, integer)`.
    object: String,
    /// The setting with which the owner could allow it.
    remedy: String,
    /// The statements in which it could run.
    reach: Reach,
}

impl Overloads {
    /// Collects the code that a statement could run without naming it, except what the owner allowed.
    pub(super) fn new(code: &Code, allowed: &Allowed) -> Self {
        let holders = Holders::new(code);
        let mut overloads = Self::default();
        let comparison = |made: &Routine| COMPARISONS.contains(&made.name.as_str());
        for made in code.operators.iter().filter(|made| made.visible || made.compares || comparison(made)) {
            let name = format!("{}.{}", made.schema, made.name);
            if !allowed.operators.contains(&name) {
                let remedy = format!("[sql] allow_operators = [\"{name}\"]");
                let object = format!("operator {name}({})", made.signature);
                let overload = Overload { object, remedy, reach: holders.of_operator(made) };
                if made.compares && !comparison(made) {
                    // An operator class may sort by an operator of any name.
                    overloads.silent.push(Overload { reach: holders.of_types(&made.types), ..overload.clone() });
                }
                overloads.operators.entry(made.name.clone()).or_default().push(overload);
            }
        }
        let familiar =
            |made: &&Routine| (made.visible || made.schema == "pg_catalog") && functions::is_harmless(&made.name);
        for made in code.functions.iter().filter(familiar).filter(|made| !made.trusted) {
            if !is_allowed(&made.schema, &made.name, allowed) {
                let remedy = format!("[sql] allow_functions = [\"{}.{}\"]", made.schema, made.name);
                let object = format!("function {}.{}({})", made.schema, made.name, made.signature);
                let overload = Overload { object, remedy, reach: holders.of_function(made) };
                overloads.functions.entry(made.name.clone()).or_default().push(overload);
            }
        }
        for cast in &code.casts {
            overloads.add_cast(cast, &holders, allowed);
        }
        overloads.add_supports(code, &holders, allowed);
        overloads
    }

    fn add_supports(&mut self, code: &Code, holders: &Holders<'_>, allowed: &Allowed) {
        for support in code.supports.iter().filter(|made| made.of >= USERS_FIRST) {
            let crate::warehouse::catalog::code::Name { schema, name } = &support.function;
            if !is_allowed(schema, name, allowed) {
                self.silent.push(Overload {
                    object: format!("function {schema}.{name} (it compares or makes values of {})", support.signature),
                    remedy: format!("[sql] allow_functions = [\"{schema}.{name}\"]"),
                    reach: holders.holding([support.of], false),
                });
            }
        }
    }

    /// Adds the domains whose CHECK would be refused as a SELECT under the policy, and returns their oids.
    pub(super) fn add_checks(&mut self, code: &Code, policy: &Policy) -> BTreeSet<u32> {
        let mut refused = BTreeSet::new();
        let holders = Holders::new(code);
        // In this SELECT, the checked value comes from no relation. So if it is of a user's type, code that takes that
        // type is taken to run everywhere.
        let mut strict = policy.clone();
        let Self { operators, functions, .. } = &mut strict.overloads;
        operators.values_mut().chain(functions.values_mut()).flatten().for_each(|made| made.reach = Reach::Everywhere);
        for check in &code.checks {
            let policy = if holders.is_own(check.of) { policy } else { &strict };
            if let Err(refusal) = validate(&format!("SELECT {}", check.condition), policy) {
                self.of_literals.push(Overload {
                    object: format!("CHECK of the domain {} ({refusal})", check.signature),
                    remedy: "[sql] allow_functions".to_owned(),
                    reach: holders.holding([check.of], false),
                });
                refused.insert(check.of);
            }
        }
        refused
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
            reach: holders.of_types(&[*source, *target]),
        };
        if *target == JSON && *source >= USERS_FIRST {
            self.json_casts.push(overload.clone());
        }
        // Every cell of a result is cast to text.
        if *implicit || *to_text { &mut self.silent } else { &mut self.written_casts }.push(overload);
    }

    fn is_empty(&self) -> bool {
        self.operators.is_empty()
            && self.functions.is_empty()
            && self.silent.is_empty()
            && self.written_casts.is_empty()
            && self.json_casts.is_empty()
            && self.of_literals.is_empty()
    }
}

/// Refuses a statement that could run the users' code without naming it.
pub(super) fn check(
    tokens: &[Token<'_>],
    found: &Found,
    types: &BTreeSet<u32>,
    policy: &Policy,
) -> Result<(), Refusal> {
    let overloads = &policy.overloads;
    if overloads.is_empty() {
        return Ok(());
    }
    let statement = Statement::new(tokens, found, types, policy);
    let first = |overloads: &[Overload], rows| {
        overloads.iter().find(|made| statement.meets(&made.reach, rows)).map(Overload::said)
    };
    for name in operators(tokens) {
        if let Some(said) = overloads.operators.get(name).and_then(|made| first(made, found.rows)) {
            return Err(operator(format!("{} could run {said}", seen(name))));
        }
    }
    for (name, attribute) in names(tokens) {
        let rows = found.rows || attribute;
        // A named argument can select one of several functions with the same number of arguments.
        let met = |made: &&Overload| statement.named_arguments || statement.meets(&made.reach, rows);
        let said = overloads.functions.get(name).and_then(|made| made.iter().find(met).map(Overload::said));
        if let Some(said) = said {
            return Err(function(format!("{} could run {said}", seen(name))));
        }
    }
    if let Some(said) = first(&overloads.silent, false) {
        return Err(relation(format!("this would run {said}")));
    }
    if statement.literals
        && let Some(said) = first(&overloads.of_literals, false)
    {
        return Err(relation(format!("a string here could run {said}")));
    }
    if names(tokens).any(|(name, _)| name.contains("json"))
        && let Some(said) = first(&overloads.json_casts, found.rows)
    {
        return Err(function(format!("this could run {said}")));
    }
    if statement.casts
        && let Some(said) = first(&overloads.written_casts, found.rows)
    {
        return Err(function(format!("this could run {said}")));
    }
    Ok(())
}

impl Overload {
    fn said(&self) -> String {
        format!("the {}, which users of the database created; the owner can allow it: {}", self.object, self.remedy)
    }
}

/// Returns the operators that the statement uses, written as signs or implied by words.
fn operators<'tokens>(tokens: &'tokens [Token<'_>]) -> impl Iterator<Item = &'tokens str> {
    tokens.iter().flat_map(|token| {
        // A word in quotes may still be the name of a function: "max"(x).
        let of_word = OPERATORS_OF_WORDS.iter().find(|(word, _)| token.is_name() && token.text == *word);
        let written = (token.kind == Kind::Operator).then_some(&*token.text);
        // `!=` is another spelling of `<>`.
        let written = written.map(|text| if text == "!=" { "<>" } else { text });
        written.into_iter().chain(of_word.into_iter().flat_map(|(_, operators)| operators.iter().copied()))
    })
}

/// Returns the names that may be calls, before a parenthesis or after a dot, and whether each follows a dot.
fn names<'tokens>(tokens: &'tokens [Token<'_>]) -> impl Iterator<Item = (&'tokens str, bool)> {
    let called = |index: usize| tokens.get(index + 1).is_some_and(|next| next.is_symbol("("));
    let attribute = |index: usize| index > 0 && tokens[index - 1].is_symbol(".");
    let places = (0..tokens.len()).filter(move |index| called(*index) || attribute(*index));
    places.filter(|index| tokens[*index].is_name()).map(move |index| (&*tokens[index].text, attribute(index)))
}
