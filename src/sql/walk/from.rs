//! FROM: relations, functions, subqueries and joins.

use sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, JsonTableColumn, ObjectName, TableAlias, TableFactor, TableSample,
    TableSampleKind, TableSampleMethod, TableSampleQuantity, TableWithJoins, XmlTableColumnOption,
};

use super::scope::Columns;
use super::{Policy, Refusal, Walk, names, types, unknown};
use crate::sql::refusal::relation;
use crate::sql::relations::{self, Relation};

impl<'query> Walk<'query, '_> {
    pub(super) fn from(&mut self, from: &'query [TableWithJoins]) -> Result<(), Refusal> {
        from.iter().try_for_each(|tables| self.table_with_joins(tables))
    }

    fn table_with_joins(&mut self, tables: &'query TableWithJoins) -> Result<(), Refusal> {
        let TableWithJoins { relation, joins } = tables;
        self.table_factor(relation)?;
        for Join { relation, global, join_operator } in joins {
            if *global {
                return Err(unknown("GLOBAL JOIN"));
            }
            self.table_factor(relation)?;
            self.join(join_operator)?;
        }
        Ok(())
    }

    fn join(&mut self, operator: &'query JoinOperator) -> Result<(), Refusal> {
        match operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint) => match constraint {
                JoinConstraint::On(condition) => self.expression(condition),
                JoinConstraint::Using(columns) => {
                    columns.iter().try_for_each(|column| names::checked_parts(column).map(|_| ()))
                }
                JoinConstraint::UsingAlias(..) => Err(unknown("an alias after USING")),
                JoinConstraint::Natural | JoinConstraint::None => Ok(()),
            },
            _ => Err(unknown("this kind of join")),
        }
    }

    fn table_factor(&mut self, factor: &'query TableFactor) -> Result<(), Refusal> {
        match factor {
            TableFactor::Table { .. } => self.table(factor),
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                if *lateral {
                    let mark = self.scope.mark();
                    self.query(subquery)?;
                    self.scope.leave(mark);
                } else {
                    let aside = self.scope.hide_from();
                    self.query(subquery)?;
                    self.scope.show_from(aside);
                }
                self.record(alias.as_ref())
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias } => {
                let name = self.callee(name)?;
                args.iter().try_for_each(|argument| self.argument(argument))?;
                self.function_range(name, alias.as_ref())
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset: false,
                with_offset_alias: None,
                with_ordinality: _,
            } => {
                self.expressions(array_exprs)?;
                self.function_range("unnest", alias.as_ref())
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns, alias } => {
                self.expression(json_expr)?;
                columns.iter().try_for_each(|column| check_json_column(column, self.policy))?;
                self.record(alias.as_ref())
            }
            TableFactor::XmlTable { .. } => self.xml_table(factor),
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.table_with_joins(table_with_joins)?;
                self.record(alias.as_ref())
            }
            _ => Err(unknown("this kind of table in FROM")),
        }
    }

    /// A relation's name, or a function's with arguments.
    fn table(&mut self, factor: &'query TableFactor) -> Result<(), Refusal> {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version: None,
            with_ordinality: _,
            partitions,
            json_path: None,
            sample,
            index_directives,
            // Whether the tables that inherit are read too: the policy has looked at them all.
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
            return self.function_range(name, alias.as_ref());
        }
        self.relation(name, alias.as_ref())
    }

    fn relation(&mut self, name: &'query ObjectName, alias: Option<&'query TableAlias>) -> Result<(), Refusal> {
        let parts = names::checked_parts(name)?;
        let (last, relation) = match *parts.as_slice() {
            [name] if self.scope.has_cte(&name.value) => (name, None),
            [name] => (name, Some(relations::find(&name.value, self.policy)?)),
            [schema, name] => (name, Some(relations::find_in(&schema.value, &name.value, self.policy)?)),
            _ => return Err(relation("a table's name has at most a schema before it; leave the database out")),
        };
        let columns = match relation {
            Some(Relation::Own { schema, name, columns }) => {
                self.found.relations.insert((schema.to_owned(), name.to_owned()));
                Columns::Relation(columns)
            }
            Some(Relation::System) | None => Columns::Record,
        };
        self.range(last, columns, alias)
    }

    fn range(
        &mut self,
        name: &'query Ident,
        columns: Columns<'query>,
        alias: Option<&'query TableAlias>,
    ) -> Result<(), Refusal> {
        if let Some(alias) = alias {
            self.table_alias(alias)?;
        }
        let name = alias.map_or(name, |alias| &alias.name);
        self.scope.add_range(&name.value, columns, alias);
        Ok(())
    }

    fn function_range(&mut self, name: &'query str, alias: Option<&'query TableAlias>) -> Result<(), Refusal> {
        if let Some(alias) = alias {
            self.table_alias(alias)?;
        }
        self.scope.add_range(alias.map_or(name, |alias| &alias.name.value), Columns::Function(name), alias);
        Ok(())
    }

    fn record(&mut self, alias: Option<&'query TableAlias>) -> Result<(), Refusal> {
        if let Some(alias) = alias {
            self.table_alias(alias)?;
            self.scope.add_range(&alias.name.value, Columns::Record, Some(alias));
        }
        Ok(())
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

    fn xml_table(&mut self, factor: &'query TableFactor) -> Result<(), Refusal> {
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
        self.record(alias.as_ref())
    }
}

/// Paths and defaults in a JSON_TABLE are constants; only the types of its columns need a look.
fn check_json_column(column: &JsonTableColumn, policy: &Policy) -> Result<(), Refusal> {
    match column {
        JsonTableColumn::Named(column) => {
            names::check(&column.name)?;
            types::check(&column.r#type, policy)
        }
        JsonTableColumn::ForOrdinality(name) => names::check(name),
        JsonTableColumn::Nested(nested) => {
            nested.columns.iter().try_for_each(|column| check_json_column(column, policy))
        }
    }
}
