//! What a SELECT may read, call and run without naming it: decided once, from what the catalog's tables and code are.

use std::collections::{BTreeMap, BTreeSet};

use super::overloads::Overloads;
use super::{folding, validate};
use crate::catalog::code::{Code, Dependency, Type, View};
use crate::catalog::{Catalog, TableKind};

/// What a SELECT may read and call, besides what the validator itself knows to be harmless.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Relations that may be read, with their columns: schema -> name -> columns, all as the database spells them.
    /// Columns are needed because in PostgreSQL `row.name` is a call where the row has no such column.
    pub relations: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Relations that may not be read, and why: schema -> name -> reason.
    pub refused: BTreeMap<String, BTreeMap<String, String>>,
    /// Schemas that an unqualified name is looked for in, in order, after `pg_catalog`.
    pub search_path: Vec<String>,
    /// Functions that the owner of the database allowed by name, beyond PostgreSQL's own harmless ones: `name` where it
    /// is called without a schema, `schema.name` where with one.
    pub functions: BTreeSet<String>,
    /// Functions that the database's users made, and whether they run with their owner's rights. Not allowed by that:
    /// for the words of a refusal.
    pub made: BTreeMap<String, bool>,
    /// Types of the users that values may be cast to, as they may be written, each with the oids of what its values hold,
    /// its own among them.
    pub castable: BTreeMap<String, BTreeSet<u32>>,
    /// Code that could be run without being named.
    pub overloads: Overloads,
}

/// What the owner of the database allows by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Functions: `name` where it is called without a schema, `schema.name` where with one.
    pub functions: BTreeSet<String>,
    /// Views that may be read whatever their bodies do, as `schema.view`.
    pub views: BTreeSet<String>,
    /// Operators, as `schema.operator`.
    pub operators: BTreeSet<String>,
}

impl Policy {
    /// What follows from the catalog and the code of a database. `excludes` tells of relations that the configuration
    /// keeps out, by schema and name, which no view may show either.
    pub fn new(
        catalog: &Catalog,
        code: &Code,
        search_path: Vec<String>,
        allowed: &Allowed,
        excludes: &dyn Fn(&str, &str) -> bool,
    ) -> Self {
        let mut policy = Self {
            search_path,
            functions: allowed.functions.clone(),
            made: code.functions.iter().map(|made| (made.name.clone(), made.definer)).collect(),
            castable: castable(code, None),
            overloads: Overloads::new(code, allowed),
            ..Self::default()
        };
        let mut overloads = policy.overloads.clone();
        let unsafe_domains = overloads.add_checks(code, &policy);
        policy.overloads = overloads;
        policy.castable = castable(code, Some(&unsafe_domains));
        let refused = Refused::new(&policy, code, allowed, excludes);
        for table in &catalog.tables {
            match refused.reason(&table.schema, &table.name, table.kind) {
                None => {
                    policy.allow(&table.schema, &table.name, table.columns.iter().map(|column| column.name.as_str()));
                }
                Some(reason) => {
                    policy.refused.entry(table.schema.clone()).or_default().insert(table.name.clone(), reason);
                }
            }
        }
        policy
    }

    /// Allows a relation to be read.
    pub fn allow<'column>(&mut self, schema: &str, name: &str, columns: impl IntoIterator<Item = &'column str>) {
        let columns = columns.into_iter().map(str::to_owned).collect();
        self.relations.entry(schema.to_owned()).or_default().insert(name.to_owned(), columns);
    }

    /// Why the relation may not be read, if it is one of those.
    pub fn refusal(&self, schema: &str, name: &str) -> Option<&str> {
        self.refused.get(schema)?.get(name).map(String::as_str)
    }
}

/// Whether the owner allowed the function by its name.
pub(super) fn is_allowed(schema: &str, name: &str, allowed: &Allowed) -> bool {
    allowed.functions.contains(name) || allowed.functions.contains(&format!("{schema}.{name}"))
}

/// The types of which strings and rows become values without anybody's code, by the names that find them. Domains are
/// among them once it is known whose CHECK is not to be run.
fn castable(code: &Code, unsafe_domains: Option<&BTreeSet<u32>>) -> BTreeMap<String, BTreeSet<u32>> {
    let types = code.types.iter().map(|made| (made.oid, made)).collect::<BTreeMap<_, _>>();
    let cast = code.casts.iter().flat_map(|cast| [cast.source, cast.target]).collect::<BTreeSet<_>>();
    let is_plain = |oid: &u32| {
        types.get(oid).is_some_and(|made| {
            let plain = match made.kind.as_str() {
                "d" => unsafe_domains.is_some_and(|domains| !domains.contains(oid)),
                "c" => true,
                _ => made.is_plain() || made.is_array(),
            };
            plain && !cast.contains(oid)
        })
    };
    let named = code.types.iter().filter(|made| !made.is_array() || made.trusted);
    let castable = named.filter_map(|made| {
        let held = held(made.oid, &types);
        held.iter().all(is_plain).then_some((made, held))
    });
    let by_names = castable.flat_map(|(made, held)| {
        let full = format!("{}.{}", made.schema, made.name);
        [Some(full), made.visible.then(|| made.name.clone())]
            .into_iter()
            .flatten()
            .map(move |name| (name, held.clone()))
    });
    by_names.collect()
}

/// The users' types that a value of the type holds at any depth, itself among them.
fn held(oid: u32, types: &BTreeMap<u32, &Type>) -> BTreeSet<u32> {
    let (mut held, mut open) = (BTreeSet::new(), vec![oid]);
    while let Some(oid) = open.pop() {
        if held.insert(oid) {
            open.extend(types.get(&oid).into_iter().flat_map(|made| &made.holds));
        }
    }
    held
}

/// The relations that may not be read, and why.
struct Refused<'code> {
    code: &'code Code,
    /// What planning a query would run of each, by schema and name.
    planned: BTreeMap<(&'code str, &'code str), String>,
    views: BTreeMap<(&'code str, &'code str), String>,
}

impl<'code> Refused<'code> {
    /// Looks at each view's body once those of the views that it reads are known.
    fn new(policy: &Policy, code: &'code Code, allowed: &Allowed, excludes: &dyn Fn(&str, &str) -> bool) -> Self {
        let planned = code
            .planned
            .iter()
            .filter_map(|planned| Some(((&*planned.schema, &*planned.name), folding::reason(planned, code, allowed)?)));
        let mut refused = Self { code, planned: planned.collect(), views: BTreeMap::new() };
        let mut waiting = code.views.iter().collect::<Vec<_>>();
        let mut known = BTreeSet::new();
        while !waiting.is_empty() {
            let count = waiting.len();
            waiting.retain(|view| {
                let key = |dependency: &'code Dependency| (dependency.schema.as_str(), dependency.name.as_str());
                let views = view.reads.iter().filter(|dependency| dependency.kind == "v");
                let ready = views.map(key).all(|key| known.contains(&key) || !refused.is_listed(key));
                if ready {
                    known.insert((view.schema.as_str(), view.name.as_str()));
                    if let Some(reason) = refused.view_reason(view, policy, allowed, excludes) {
                        refused.views.insert((&view.schema, &view.name), reason);
                    }
                }
                !ready
            });
            if waiting.len() == count {
                // Views cannot read each other in a circle; should they seem to, they are not read.
                let circle = waiting.drain(..);
                refused.views.extend(circle.map(|view| ((&*view.schema, &*view.name), "it reads itself".to_owned())));
            }
        }
        refused
    }

    fn is_listed(&self, (schema, name): (&str, &str)) -> bool {
        self.code.views.iter().any(|view| view.schema == schema && view.name == name)
    }

    fn reason(&self, schema: &str, name: &str, kind: TableKind) -> Option<String> {
        if kind == TableKind::Foreign {
            return Some("is a foreign table: it would read another server".to_owned());
        }
        if self.code.foreign.contains(&(schema.to_owned(), name.to_owned())) {
            return Some(
                "has a foreign table among its partitions or children: it would read another server".to_owned(),
            );
        }
        if let Some(reason) = self.planned.get(&(schema, name)) {
            return Some(reason.clone());
        }
        self.views.get(&(schema, name)).map(|reason| {
            format!("is a view, and {reason}; the owner can allow it in [sql] allow_views = [\"{schema}.{name}\"]")
        })
    }

    fn view_reason(
        &self,
        view: &View,
        policy: &Policy,
        allowed: &Allowed,
        excludes: &dyn Fn(&str, &str) -> bool,
    ) -> Option<String> {
        if allowed.views.contains(&format!("{}.{}", view.schema, view.name)) {
            return None;
        }
        // What the body names without a schema stands in one of no name, so that each name is found as it was written.
        let mut own = Policy { search_path: vec![String::new()], ..policy.clone() };
        for dependency in &view.reads {
            let Dependency { schema, name, kind, visible, columns } = dependency;
            if kind == "f" || self.code.foreign.contains(&(schema.clone(), name.clone())) {
                return Some(format!("it reads the foreign table {schema}.{name}"));
            }
            if let Some(reason) = self.planned.get(&(&**schema, &**name)) {
                return Some(format!("it reads {schema}.{name}, which {reason}"));
            }
            if excludes(schema, name) {
                return Some(format!("it reads {schema}.{name}, which is excluded"));
            }
            if self.views.contains_key(&(schema, name)) {
                return Some(format!("it reads the view {schema}.{name}, which may not be read"));
            }
            let columns = || columns.iter().flatten().map(String::as_str);
            own.allow(schema, name, columns());
            if *visible {
                own.allow("", name, columns());
            }
        }
        let refusal = validate(&view.body, &own).err()?;
        Some(format!("its body does not pass ({})", refusal.to_string().trim_end_matches('.')))
    }
}
