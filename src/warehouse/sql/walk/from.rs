//! Checks FROM: relations, functions, subqueries and joins.

use std::sync::Arc;

use sqlparser::ast::{
    FunctionArg, FunctionArgExpr, Join, JoinConstraint, JoinOperator, JsonTableColumn, ObjectName, TableAlias,
    TableFactor, TableSample, TableSampleKind, TableSampleMethod, TableSampleQuantity, TableWithJoins,
    XmlTableColumnOption,
};

use super::scope::{Known, Range};
use super::{Policy, Refusal, Walk, column_names, functions, names, types, unknown};
use crate::warehouse::sql::fields::{Field, Fields, Shape};
use crate::warehouse::sql::refusal::{relation, seen};
use crate::warehouse::sql::relations::{self, Relation};
use crate::warehouse::sql::rows;

impl<'query> Walk<'query, '_> {
    /// Checks FROM and returns its columns, in the order in which `*` lists them.
    pub(super) fn from(&mut self, from: &'query [TableWithJoins]) -> Result<Fields, Refusal> {
        let mut fields = Fields::default();
        for tables in from {
            fields = fields.and(&self.table_with_joins(tables)?);
        }
        Ok(fields)
    }

    fn table_with_joins(&mut self, tables: &'query TableWithJoins) -> Result<Fields, Refusal> {
        let TableWithJoins { relation, joins } = tables;
        let mut fields = (*self.table_factor(relation)?).clone();
        for Join { relation, global, join_operator } in joins {
            if *global {
                return Err(unknown("GLOBAL JOIN"));
            }
            let right = self.table_factor(relation)?;
            fields = self.join(join_operator, &fields, &right)?;
        }
        Ok(fields)
    }

    fn join(&mut self, operator: &'query JoinOperator, left: &Fields, right: &Fields) -> Result<Fields, Refusal> {
        let (JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)) = operator
        else {
            return Err(unknown("this kind of join"));
        };
        match constraint {
            JoinConstraint::On(condition) => {
                self.join_condition(condition)?;
                Ok(left.clone().and(right))
            }
            JoinConstraint::Using(columns) => self.using(columns, left, right),
            JoinConstraint::UsingAlias(columns, alias) => {
                names::check(alias)?;
                let fields = self.using(columns, left, right)?;
                let merged = Fields { list: fields.list[..columns.len().min(fields.list.len())].to_vec(), open: false };
                self.add_range(&alias.value, merged.into());
                Ok(fields)
            }
            JoinConstraint::Natural => {
                let common = left.list.iter().map(|field| field.name.as_str());
                let common = common.filter(|name| right.get(name).is_some()).collect::<Vec<_>>();
                self.check_joined(&common, left, right)?;
                Ok(left.joined(right, &common))
            }
            JoinConstraint::None => Ok(left.clone().and(right)),
        }
    }

    fn using(&mut self, columns: &'query [ObjectName], left: &Fields, right: &Fields) -> Result<Fields, Refusal> {
        let mut common = Vec::new();
        for column in columns {
            let parts = names::checked_parts(column)?;
            let [name] = *parts.as_slice() else {
                return Err(relation("USING takes only the names of columns; leave the tables out"));
            };
            common.push(name.value.as_str());
        }
        self.check_joined(&common, left, right)?;
        Ok(left.joined(right, &common))
    }

    fn table_factor(&mut self, factor: &'query TableFactor) -> Result<Arc<Fields>, Refusal> {
        match factor {
            TableFactor::Table { .. } => self.table(factor),
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                let fields = if *lateral {
                    let mark = self.scope.mark();
                    let fields = self.query(subquery)?;
                    self.scope.leave(mark);
                    fields
                } else {
                    let aside = self.scope.hide_from();
                    let fields = self.query(subquery)?;
                    self.scope.show_from(aside);
                    fields
                };
                self.record(alias.as_ref(), fields)
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality, alias } => {
                let name = self.callee(name)?;
                args.iter().try_for_each(|argument| self.argument(argument))?;
                self.function_range(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset: false,
                with_offset_alias: None,
                with_ordinality,
            } => {
                self.expressions(array_exprs)?;
                let shapes = array_exprs.iter().map(|array| self.shape(array)).collect::<Vec<_>>();
                self.rows_range("unnest", &shapes, *with_ordinality, alias.as_ref())
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns, alias } => {
                self.expression(json_expr)?;
                let mut names = Vec::new();
                columns.iter().try_for_each(|column| check_json_column(column, self.policy, &mut names))?;
                self.record(alias.as_ref(), Fields::plain(names))
            }
            TableFactor::XmlTable { .. } => self.xml_table(factor),
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let fields = self.table_with_joins(table_with_joins)?;
                self.record(alias.as_ref(), fields)
            }
            _ => Err(unknown("this kind of table in FROM")),
        }
    }

    /// Checks a relation's name, or a function with its arguments.
    fn table(&mut self, factor: &'query TableFactor) -> Result<Arc<Fields>, Refusal> {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version: None,
            with_ordinality,
            partitions,
            json_path: None,
            sample,
            index_directives,
            // `inheritance` says whether tables that inherit are read too. The policy has checked them all.
            inheritance: _,
        } = factor
        else {
            return Err(unknown("this kind of table in FROM"));
        };
        if !with_hints.is_empty() || !partitions.is_empty() || !index_directives.is_empty() {
            return Err(unknown("a hint after a table"));
        }
        if let Some(sample) = sample {
            self.sample(sample)?;
        }
        if let Some(arguments) = args {
            if arguments.settings.is_some() {
                return Err(unknown("SETTINGS"));
            }
            let name = self.callee(name)?;
            arguments.args.iter().try_for_each(|argument| self.argument(argument))?;
            return self.function_range(name, &arguments.args, *with_ordinality, alias.as_ref());
        }
        self.relation(name, alias.as_ref())
    }

    fn relation(
        &mut self,
        name: &'query ObjectName,
        alias: Option<&'query TableAlias>,
    ) -> Result<Arc<Fields>, Refusal> {
        let parts = names::checked_parts(name)?;
        if let [name] = *parts.as_slice()
            && let Some(known) = self.scope.cte(&name.value)
        {
            let Known::Known(fields) = known.clone() else {
                let name = seen(&name.value);
                return Err(relation(format!("{name} is read before its own query in WITH; write {name} first")));
            };
            let fields = self.aliased(&fields, alias)?;
            return Ok(self.add_range(alias.map_or(&name.value, |alias| &alias.name.value), fields));
        }
        let (name, relation) = match *parts.as_slice() {
            [name] => (name, relations::find(&name.value, self.policy)?),
            [schema, name] => (name, relations::find_in(&schema.value, &name.value, self.policy)?),
            _ => return Err(relation("a table's name has at most a schema before it; leave the database out")),
        };
        let fields = match relation {
            Relation::Own { schema, name, fields } => {
                self.found.relations.insert((schema.to_owned(), name.to_owned()));
                if self.joined.is_empty() { Arc::clone(fields) } else { fields.marked(&self.joined).into() }
            }
            Relation::System { fields } => Arc::clone(fields),
        };
        let fields = self.aliased(&fields, alias)?;
        let name = alias.map_or(&name.value, |alias| &alias.name.value);
        self.scope.add_range(Range { name, fields: Arc::clone(&fields), likely: Vec::new(), is_table: true });
        Ok(fields)
    }

    /// Checks an alias, and returns the columns under it.
    fn aliased(&mut self, fields: &Arc<Fields>, alias: Option<&'query TableAlias>) -> Result<Arc<Fields>, Refusal> {
        let Some(alias) = alias else { return Ok(Arc::clone(fields)) };
        self.table_alias(alias)?;
        if alias.columns.is_empty() { Ok(Arc::clone(fields)) } else { Ok(fields.renamed(&column_names(alias)).into()) }
    }

    fn add_range(&mut self, name: &'query str, fields: Arc<Fields>) -> Arc<Fields> {
        self.scope.add_range(Range { name, fields: Arc::clone(&fields), likely: Vec::new(), is_table: false });
        fields
    }

    fn record(&mut self, alias: Option<&'query TableAlias>, fields: Fields) -> Result<Arc<Fields>, Refusal> {
        let fields = self.aliased(&fields.into(), alias)?;
        Ok(match alias {
            Some(alias) => self.add_range(&alias.name.value, fields),
            None => fields,
        })
    }

    fn function_range(
        &mut self,
        name: &'query str,
        arguments: &'query [FunctionArg],
        with_ordinality: bool,
        alias: Option<&'query TableAlias>,
    ) -> Result<Arc<Fields>, Refusal> {
        let shape = |argument: &'query FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => self.shape(value),
            _ => Shape::Plain,
        };
        let shapes = arguments.iter().map(shape).collect::<Vec<_>>();
        self.rows_range(name, &shapes, with_ordinality, alias)
    }

    fn rows_range(
        &mut self,
        function: &'query str,
        arguments: &[Shape],
        with_ordinality: bool,
        alias: Option<&'query TableAlias>,
    ) -> Result<Arc<Fields>, Refusal> {
        let name = alias.map_or(function, |alias| &alias.name.value);
        let is_own = functions::is_harmless(function) && !self.policy.functions.contains(function);
        let (mut fields, mut likely) =
            if is_own { rows::fields(function, name, arguments) } else { (Fields::unknown(), Vec::new()) };
        if alias.is_some_and(|alias| !alias.columns.is_empty()) {
            likely.clear();
        }
        if with_ordinality {
            likely.push("ordinality".to_owned());
            fields.list.push(Field::plain("ordinality"));
        }
        let fields = self.aliased(&fields.into(), alias)?;
        self.scope.add_range(Range { name, fields: Arc::clone(&fields), likely, is_table: false });
        Ok(fields)
    }

    fn sample(&mut self, sample: &'query TableSampleKind) -> Result<(), Refusal> {
        let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) = sample;
        let TableSample {
            modifier: _,
            name: Some(TableSampleMethod::Bernoulli | TableSampleMethod::System),
            quantity: Some(TableSampleQuantity { parenthesized: true, value, unit: None }),
            seed: _,
            bucket: None,
            offset: None,
        } = &**sample
        else {
            return Err(unknown("this kind of TABLESAMPLE (write TABLESAMPLE BERNOULLI (10))"));
        };
        self.expression(value)
    }

    fn xml_table(&mut self, factor: &'query TableFactor) -> Result<Arc<Fields>, Refusal> {
        let TableFactor::XmlTable { namespaces, row_expression, passing, columns, alias } = factor else {
            return Err(unknown("this kind of table in FROM"));
        };
        for namespace in namespaces {
            self.expression(&namespace.uri)?;
        }
        self.expression(row_expression)?;
        for argument in &passing.arguments {
            self.expression(&argument.expr)?;
        }
        for column in columns {
            names::check(&column.name)?;
            if let XmlTableColumnOption::NamedInfo { r#type, path, default, nullable: _ } = &column.option {
                types::check(r#type, self.policy)?;
                path.iter().chain(default).try_for_each(|expression| self.expression(expression))?;
            }
        }
        let names = columns.iter().map(|column| column.name.value.as_str());
        self.record(alias.as_ref(), Fields::plain(names))
    }
}

/// Checks a column of JSON_TABLE and collects its name. Paths and defaults are constants, so they need no check.
fn check_json_column<'query>(
    column: &'query JsonTableColumn,
    policy: &Policy,
    names: &mut Vec<&'query str>,
) -> Result<(), Refusal> {
    match column {
        JsonTableColumn::Named(column) => {
            names::check(&column.name)?;
            names.push(&column.name.value);
            types::check(&column.r#type, policy)
        }
        JsonTableColumn::ForOrdinality(name) => {
            names.push(&name.value);
            names::check(name)
        }
        JsonTableColumn::Nested(nested) => {
            nested.columns.iter().try_for_each(|column| check_json_column(column, policy, names))
        }
    }
}
