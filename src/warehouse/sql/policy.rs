//! The policy of what a SELECT may read, call and run. It is decided once, from the tables and code in the catalog.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlparser::ast::DataType;

use super::fields::{Computed, Field, Fields, Origin, Secret, Shape};
use super::hidden::Hidden;
use super::overloads::Overloads;
use super::relations::shows_definitions;
use super::shapes::Shapes;
use super::{folding, names, outputs};
use crate::warehouse::catalog::code::{Code, Dependency, Generated, Type, View};
use crate::warehouse::catalog::{Catalog, Personal, TableKind};

/// What a SELECT may read and call, beyond what the validator itself knows to be harmless.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Relations that may be read, with their columns: schema -> name -> columns, as the database spells them. The
    /// columns are needed because PostgreSQL reads `row.name` as a call if the row has no such column.
    pub relations: BTreeMap<String, BTreeMap<String, Arc<Fields>>>,
    /// The system relations that describe the database, in the same form.
    pub described: BTreeMap<String, BTreeMap<String, Arc<Fields>>>,
    /// Relations that may not be read: schema -> name -> reason.
    pub refused: BTreeMap<String, BTreeMap<String, String>>,
    /// Schemas in which an unqualified name is looked up, in order, after `pg_catalog`.
    pub search_path: Vec<String>,
    /// Functions that the owner of the database allowed, beyond PostgreSQL's own harmless ones: `name` for calls
    /// without a schema, `schema.name` for calls with one.
    pub functions: BTreeSet<String>,
    /// Functions that the database's users created, and whether they run with their owner's rights. This does not allow
    /// them: it only words their refusal.
    pub made: BTreeMap<String, bool>,
    /// Names of functions and types that the database's users created. `row.name` could run one of them if it is not a
    /// column.
    pub callable: BTreeSet<String>,
    /// The shapes of the users' types that have fields or elements, by the names that find the types.
    pub shapes: BTreeMap<String, Shape>,
    /// Whether some relations or columns are hidden. If so, definitions that may quote their values are not shown.
    pub hides: bool,
    /// Whether only tokens are shown of some columns.
    pub masks: bool,
    /// Which columns are computed from which. Empty if nothing is hidden.
    pub computed: Computed,
    /// The users' types that values may be cast to, by the names that find them. Each has the oids of the types that
    /// its values hold, including its own.
    pub castable: BTreeMap<String, BTreeSet<u32>>,
    /// The users' code that a statement could run without naming it.
    pub overloads: Overloads,
}

/// What the owner of the database allows by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Functions: `name` for calls without a schema, `schema.name` for calls with one.
    pub functions: BTreeSet<String>,
    /// Views that may be read whatever their bodies do, as `schema.view`.
    pub views: BTreeSet<String>,
    /// Operators, as `schema.operator`.
    pub operators: BTreeSet<String>,
}

/// The relations and columns of a database that must stay hidden.
#[derive(Clone, Copy)]
pub struct Unseen<'a> {
    /// Returns whether a relation is excluded, by schema and name.
    pub excludes: &'a dyn Fn(&str, &str) -> bool,
    /// Returns whether a column is marked as sensitive, by schema, table and column.
    pub is_sensitive: &'a dyn Fn(&str, &str, &str) -> bool,
    /// Returns the kind of personal data in a column of which only tokens are shown, by schema, table and column.
    pub personal: &'a dyn Fn(&str, &str, &str) -> Option<Personal>,
}

impl std::fmt::Debug for Unseen<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Unseen").finish_non_exhaustive()
    }
}

impl Policy {
    /// Builds the policy from the catalog and the code of a database. What `unseen` hides also stays hidden where views
    /// and related tables show it.
    pub fn new(
        catalog: &Catalog,
        code: &Code,
        search_path: Vec<String>,
        allowed: &Allowed,
        unseen: Unseen<'_>,
    ) -> Self {
        let hidden = Hidden::new(code, unseen);
        let shapes = Shapes::new(code, &hidden);
        let hides = hidden.is_any();
        let mut policy = Self {
            search_path,
            functions: allowed.functions.clone(),
            made: code.functions.iter().map(|made| (made.name.clone(), made.definer)).collect(),
            callable: callable(code),
            castable: castable(code, None, &hidden),
            overloads: Overloads::new(code, allowed),
            described: described(code, hides),
            shapes: shapes.by_name(),
            hides,
            masks: hidden.masks(),
            computed: if hides { computed(code) } else { Computed::default() },
            ..Self::default()
        };
        let mut overloads = policy.overloads.clone();
        let unsafe_domains = overloads.add_checks(code, &policy);
        policy.overloads = overloads;
        policy.castable = castable(code, Some(&unsafe_domains), &hidden);
        let refused = Refused::new(&policy, code, allowed, hidden, &shapes);
        for table in &catalog.tables {
            match refused.reason(&table.schema, &table.name, table.kind) {
                None => {
                    let names = table.columns.iter().map(|column| column.name.as_str());
                    policy.allow_fields(&table.schema, &table.name, refused.fields(&table.schema, &table.name, names));
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
        self.allow_fields(schema, name, relation_fields(schema, name, columns));
    }

    /// Allows a relation that describes the database to be read.
    pub fn allow_described<'column>(
        &mut self,
        schema: &str,
        name: &str,
        columns: impl IntoIterator<Item = &'column str>,
    ) {
        let fields = Arc::new(relation_fields(schema, name, columns));
        self.described.entry(schema.to_owned()).or_default().insert(name.to_owned(), fields);
    }

    fn allow_fields(&mut self, schema: &str, name: &str, fields: Fields) {
        self.relations.entry(schema.to_owned()).or_default().insert(name.to_owned(), Arc::new(fields));
    }

    /// Returns the shape of a value that is cast to the type.
    pub(super) fn shape_of(&self, data_type: &DataType) -> Shape {
        match data_type {
            DataType::Array(
                sqlparser::ast::ArrayElemTypeDef::SquareBracket(inner, _)
                | sqlparser::ast::ArrayElemTypeDef::Qualified(inner, _),
            ) => Shape::Array(Arc::new(self.shape_of(inner))),
            DataType::Custom(name, _) => {
                let parts = names::parts(name).unwrap_or_default();
                let full = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
                self.shapes.get(&full).cloned().unwrap_or_default()
            }
            _ => Shape::Plain,
        }
    }

    /// Returns whether a column shows values that are marked as sensitive.
    pub fn is_sensitive(&self, schema: &str, name: &str, column: &str) -> bool {
        let fields = self.relations.get(schema).and_then(|relations| relations.get(name));
        fields.and_then(|fields| fields.get(column)).is_some_and(|field| field.secret == Some(Secret::Sensitive))
    }

    /// Returns the kind of personal data in a column of which only tokens are shown.
    pub fn masked(&self, schema: &str, name: &str, column: &str) -> Option<Personal> {
        match self.relations.get(schema)?.get(name)?.get(column)?.secret? {
            Secret::Masked(kind) | Secret::Made(kind, _) => Some(kind),
            Secret::Sensitive | Secret::Joined | Secret::Definition => None,
        }
    }

    /// Returns why the relation may not be read; `None` if it is not a refused relation.
    pub fn refusal(&self, schema: &str, name: &str) -> Option<&str> {
        self.refused.get(schema)?.get(name).map(String::as_str)
    }
}

fn computed(code: &Code) -> Computed {
    let pairs = code.generated.iter().flat_map(|Generated { schema, name, column, from }| {
        let origin =
            |column: &String| Origin { schema: schema.clone(), relation: name.clone(), column: column.clone() };
        [(origin(column), origin(from)), (origin(from), origin(column))]
    });
    Computed(pairs.collect())
}

/// Returns whether the owner allowed the function by its name.
pub(super) fn is_allowed(schema: &str, name: &str, allowed: &Allowed) -> bool {
    allowed.functions.contains(name) || allowed.functions.contains(&format!("{schema}.{name}"))
}

/// Returns the columns of a relation, with their origins.
fn relation_fields<'column>(schema: &str, relation: &str, columns: impl IntoIterator<Item = &'column str>) -> Fields {
    let field = |column: &str| {
        let origin = Origin { schema: schema.to_owned(), relation: relation.to_owned(), column: column.to_owned() };
        Field { origin: Some(Arc::new(origin)), ..Field::plain(column) }
    };
    Fields { list: columns.into_iter().map(field).collect(), open: false }
}

fn callable(code: &Code) -> BTreeSet<String> {
    let functions = code.functions.iter().map(|made| made.name.clone());
    functions.chain(code.types.iter().map(|made| made.name.clone())).collect()
}

/// Returns the relations that describe the database. If something is hidden, the columns that show definitions are
/// marked.
fn described(code: &Code, hides: bool) -> BTreeMap<String, BTreeMap<String, Arc<Fields>>> {
    let mut described = BTreeMap::<_, BTreeMap<_, _>>::new();
    for ((schema, name), columns) in &code.described {
        let mut fields = relation_fields(schema, name, columns.iter().map(String::as_str));
        for field in fields.list.iter_mut().filter(|field| hides && shows_definitions(name, &field.name)) {
            field.secret = Some(Secret::Definition);
        }
        described.entry(schema.clone()).or_default().insert(name.clone(), Arc::new(fields));
    }
    described
}

/// Returns the types that strings and rows can become without running the users' code, by the names that find them.
/// Domains are included once `unsafe_domains` says whose CHECK must not run. If something is hidden, an enum is
/// included only if a relation that is not excluded holds it.
fn castable(code: &Code, unsafe_domains: Option<&BTreeSet<u32>>, hidden: &Hidden) -> BTreeMap<String, BTreeSet<u32>> {
    let types = code.types.iter().map(|made| (made.oid, made)).collect::<BTreeMap<_, _>>();
    let cast = code.casts.iter().flat_map(|cast| [cast.source, cast.target]).collect::<BTreeSet<_>>();
    let is_seen = |oid: u32| {
        let holds = |types: &Vec<u32>| types.contains(&oid);
        !hidden.is_any()
            || code.relations.iter().any(|((schema, name), types)| holds(types) && !hidden.excludes(schema, name))
    };
    let is_plain = |oid: &u32| {
        types.get(oid).is_some_and(|made| {
            let plain = match made.kind.as_str() {
                "d" => unsafe_domains.is_some_and(|domains| !domains.contains(oid)),
                "c" => true,
                "e" => is_seen(*oid),
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

/// Returns the users' types that a value of the type holds at any depth, including the type itself.
fn held(oid: u32, types: &BTreeMap<u32, &Type>) -> BTreeSet<u32> {
    let (mut held, mut open) = (BTreeSet::new(), vec![oid]);
    while let Some(oid) = open.pop() {
        if held.insert(oid) {
            open.extend(types.get(&oid).into_iter().flat_map(|made| &made.holds));
        }
    }
    held
}

/// The relations that may not be read and why, and the columns of the others that may not be shown.
struct Refused<'code> {
    code: &'code Code,
    hidden: Hidden,
    shapes: &'code Shapes,
    /// Why planning a query of a relation could run the users' code, by schema and name.
    planned: BTreeMap<(&'code str, &'code str), String>,
    views: BTreeMap<(&'code str, &'code str), String>,
}

impl<'code> Refused<'code> {
    /// Checks each view's body after those of the views that it reads.
    fn new(policy: &Policy, code: &'code Code, allowed: &Allowed, hidden: Hidden, shapes: &'code Shapes) -> Self {
        let planned = code
            .planned
            .iter()
            .filter_map(|planned| Some(((&*planned.schema, &*planned.name), folding::reason(planned, code, allowed)?)));
        let mut refused = Self { code, hidden, shapes, planned: planned.collect(), views: BTreeMap::new() };
        let mut waiting = code.views.iter().collect::<Vec<_>>();
        let mut known = BTreeSet::new();
        while !waiting.is_empty() {
            let count = waiting.len();
            waiting.retain(|view| {
                let key = |dependency: &'code Dependency| (dependency.schema.as_str(), dependency.name.as_str());
                let ready = view.reads.iter().map(key).all(|key| known.contains(&key) || !refused.is_listed(key));
                if ready {
                    known.insert((view.schema.as_str(), view.name.as_str()));
                    refused.look_at(view, policy, allowed);
                }
                !ready
            });
            if waiting.len() == count {
                // Views cannot read each other in a circle. If they seem to, they are refused.
                let circle = waiting.drain(..);
                refused.views.extend(circle.map(|view| ((&*view.schema, &*view.name), "it reads itself".to_owned())));
            }
        }
        refused
    }

    /// Returns the columns of a relation that may be read, with their shapes and secrets.
    fn fields<'column>(&self, schema: &str, name: &str, columns: impl IntoIterator<Item = &'column str>) -> Fields {
        let mut fields = relation_fields(schema, name, columns);
        let is_view = self.hidden.is_any() && self.is_listed((schema, name));
        for field in &mut fields.list {
            field.shape = self.shapes.of_column(schema, name, &field.name);
            field.secret = self.hidden.secret(schema, name, &field.name);
            // A view may hold constants, or choose its rows by their values. So none of its columns may be joined to a
            // sensitive one.
            if is_view && field.secret.is_none() {
                field.origin = None;
            }
        }
        fields
    }

    /// Decides whether a view may be read, and which of its columns may not be shown.
    fn look_at(&mut self, view: &'code View, policy: &Policy, allowed: &Allowed) {
        let is_allowed = allowed.views.contains(&format!("{}.{}", view.schema, view.name));
        if !is_allowed && let Some(reason) = self.reason_of_reads(view) {
            self.views.insert((&view.schema, &view.name), reason);
            return;
        }
        if view.materialized && !self.hidden.touches(view) {
            return;
        }
        match outputs(&view.body, &self.within(view, policy)) {
            Ok(fields) => self.hidden.add_view(view, &fields),
            Err(_) if is_allowed => self.hidden.mask_view(view),
            Err(refusal) => {
                let refusal = refusal.to_string();
                let reason = format!("its body does not pass ({})", refusal.trim_end_matches('.'));
                self.views.insert((&view.schema, &view.name), reason);
            }
        }
    }

    /// Returns the policy under which the body of a view is checked.
    fn within(&self, view: &View, policy: &Policy) -> Policy {
        // Relations that the body names without a schema are entered in a schema with an empty name, so that each name
        // is found as it was written.
        let mut own = Policy { search_path: vec![String::new()], hides: false, ..policy.clone() };
        for Dependency { schema, name, kind: _, visible, columns } in &view.reads {
            let fields = self.fields(schema, name, columns.iter().flatten().map(String::as_str));
            own.allow_fields(schema, name, fields.clone());
            if *visible {
                own.allow_fields("", name, fields);
            }
        }
        own
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
        if let Some(reason) = self.hidden.reason(schema, name) {
            return Some(reason);
        }
        if let Some(reason) = self.planned.get(&(schema, name)) {
            return Some(reason.clone());
        }
        self.views.get(&(schema, name)).map(|reason| {
            format!("is a view, and {reason}; the owner can allow it in [sql] allow_views = [\"{schema}.{name}\"]")
        })
    }

    /// Returns why a view may not be read because of the relations that it reads. A materialized view runs nothing when
    /// it is read.
    fn reason_of_reads(&self, view: &View) -> Option<String> {
        for Dependency { schema, name, kind, .. } in &view.reads {
            if self.hidden.excludes(schema, name) {
                return Some(format!("it reads {schema}.{name}, which is excluded"));
            }
            if let Some(reason) = self.hidden.reason(schema, name) {
                return Some(format!("it reads {schema}.{name}, which {reason}"));
            }
            if self.views.contains_key(&(schema, name)) && (!view.materialized || self.hidden.is_any()) {
                return Some(format!("it reads the view {schema}.{name}, which may not be read"));
            }
            if view.materialized {
                continue;
            }
            if kind == "f" || self.code.foreign.contains(&(schema.clone(), name.clone())) {
                return Some(format!("it reads the foreign table {schema}.{name}"));
            }
            if let Some(reason) = self.planned.get(&(&**schema, &**name)) {
                return Some(format!("it reads {schema}.{name}, which {reason}"));
            }
        }
        None
    }
}
