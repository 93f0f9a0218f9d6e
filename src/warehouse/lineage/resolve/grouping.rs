//! GROUP BY: keys, grouping sets, and what they make of a block.

use sqlparser::ast::Expr;

use super::super::expression::{Expression, Literal};
use super::super::query::{Block, Distinct, Output, Query};
use super::scope::Scope;
use super::{Resolver, is_constant, position};

/// The most sets of one GROUP BY.
const SETS_MAX: usize = 64;

/// The keys of one grouping set.
type Set = Vec<Expression>;

impl<'q> Resolver<'q> {
    /// Returns the grouping sets; empty without GROUP BY, and `None` if there are too many.
    pub(super) fn grouping_sets(
        &mut self,
        list: &'q [Expr],
        outputs: &[Output],
        scope: &Scope<'_>,
    ) -> Option<Vec<Set>> {
        if list.is_empty() {
            return Some(Vec::new());
        }
        let mut sets: Vec<Set> = vec![Vec::new()];
        for expr in list {
            let more = self.sets(expr, outputs, scope);
            let product = |set: &Set| more.iter().map(|other| [set.as_slice(), other].concat()).collect::<Vec<_>>();
            sets = sets.iter().flat_map(product).collect();
            if sets.len() > SETS_MAX {
                return None;
            }
        }
        sets.iter_mut().for_each(without_repetitions);
        Some(sets)
    }

    /// Returns the sets that one element of GROUP BY stands for.
    fn sets(&mut self, expr: &'q Expr, outputs: &[Output], scope: &Scope<'_>) -> Vec<Set> {
        match expr {
            Expr::GroupingSets(sets) => sets.iter().map(|set| self.keys(set, outputs, scope)).collect(),
            Expr::Rollup(parts) => {
                let parts = parts.iter().map(|part| self.keys(part, outputs, scope)).collect::<Vec<_>>();
                (0..=parts.len()).rev().map(|length| parts[..length].concat()).collect()
            }
            Expr::Cube(parts) if parts.len() <= 6 => {
                let parts = parts.iter().map(|part| self.keys(part, outputs, scope)).collect::<Vec<_>>();
                let chosen = |mask: usize| {
                    let parts = parts.iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0);
                    parts.flat_map(|(_, part)| part.clone()).collect()
                };
                (0..1 << parts.len()).rev().map(chosen).collect()
            }
            Expr::Cube(_) => vec![vec![Expression::Unknown("a large CUBE".to_owned())]],
            Expr::Tuple(list) => vec![self.keys(list, outputs, scope)],
            Expr::Nested(inner) => self.sets(inner, outputs, scope),
            other => vec![vec![self.key(other, outputs, scope)]],
        }
    }

    fn keys(&mut self, list: &'q [Expr], outputs: &[Output], scope: &Scope<'_>) -> Set {
        list.iter().map(|expr| self.key(expr, outputs, scope)).collect()
    }

    /// Returns a key: a column of FROM by its name comes before an output.
    fn key(&mut self, expr: &'q Expr, outputs: &[Output], scope: &Scope<'_>) -> Expression {
        let output = match expr {
            Expr::Identifier(ident) if scope.own_name(&ident.value).is_none() => {
                outputs.iter().find(|output| output.name == ident.value)
            }
            Expr::Identifier(_) => None,
            other => position(other).and_then(|position| outputs.get(position)),
        };
        output.map_or_else(|| self.expression(expr, scope), |output| output.value.clone())
    }
}

/// Returns the block with its groups: one branch for each set.
pub(super) fn apply(mut block: Block, sets: Vec<Set>) -> Query {
    let aggregates = block.outputs.iter().any(|output| output.value.has_aggregate())
        || block.having.iter().any(Expression::has_aggregate);
    match sets.as_slice() {
        [] if aggregates || !block.having.is_empty() => block.keys = Some(Vec::new()),
        [] => group_distinct_rows(&mut block),
        [_] => block.keys = sets.into_iter().next(),
        _ => return branches(&block, &sets),
    }
    let keys = block.keys.clone().unwrap_or_default();
    replace_grouping(&mut block, &keys);
    Query::Block(Box::new(block))
}

/// Makes groups of DISTINCT rows. They are the same unless the outputs are all constants.
fn group_distinct_rows(block: &mut Block) {
    let keys = block.outputs.iter().map(|output| output.value.clone()).filter(|key| !is_constant(key));
    let mut keys = keys.collect::<Vec<_>>();
    if block.distinct != Distinct::Rows || block.has_windows() || keys.is_empty() {
        return;
    }
    without_repetitions(&mut keys);
    block.distinct = Distinct::No;
    block.keys = Some(keys);
}

fn branches(block: &Block, sets: &[Set]) -> Query {
    let can_split = block.distinct == Distinct::No && !block.is_cut() && !block.has_windows();
    if !can_split {
        return Query::Unknown("windows or cuts over grouping sets".to_owned());
    }
    let mut all = sets.concat();
    without_repetitions(&mut all);
    let branch = |set: &Set| {
        let mut branch = block.clone();
        branch.keys = Some(set.clone());
        replace_grouping(&mut branch, set);
        let mut absent = |expression: &Expression| match expression {
            Expression::Aggregate(_) => Some(expression.clone()),
            key if set.contains(key) => Some(key.clone()),
            key if all.contains(key) => Some(Expression::null()),
            _ => None,
        };
        for output in &mut branch.outputs {
            output.value.replace(&mut absent);
        }
        for condition in &mut branch.having {
            condition.replace(&mut absent);
        }
        Query::Block(Box::new(branch))
    };
    Query::UnionAll(sets.iter().map(branch).collect())
}

/// Replaces calls of GROUPING by the number that they have in a set.
fn replace_grouping(block: &mut Block, set: &[Expression]) {
    let mut number = |expression: &Expression| match expression {
        Expression::Call { function, arguments } if function == "grouping" => {
            let bits = arguments.iter().fold(0_u64, |bits, key| bits << 1 | u64::from(!set.contains(key)));
            Some(Expression::Literal(Literal::Number(bits.to_string())))
        }
        _ => None,
    };
    for value in block.outputs.iter_mut().map(|output| &mut output.value).chain(&mut block.having) {
        let mut replaced = value.clone();
        replaced.replace(&mut number);
        if replaced != *value {
            replaced.replace(&mut decided);
            *value = replaced;
        }
    }
}

/// Returns what a CASE is whose first condition compares two numbers that are known.
fn decided(expression: &Expression) -> Option<Expression> {
    let Expression::Case { operand: None, branches, otherwise } = expression else { return None };
    let ((condition, value), rest) = branches.split_first()?;
    let (left, right) = condition.as_infix("=")?;
    let is_number = |side: &Expression| matches!(side, Expression::Literal(Literal::Number(_)));
    if !is_number(left) || !is_number(right) {
        return None;
    }
    if left == right {
        return Some(value.clone());
    }
    if rest.is_empty() {
        return Some(otherwise.as_deref().cloned().unwrap_or_else(Expression::null));
    }
    let rest = Expression::Case { operand: None, branches: rest.to_vec(), otherwise: otherwise.clone() };
    Some(decided(&rest).unwrap_or(rest))
}

fn without_repetitions(keys: &mut Set) {
    let mut kept = Vec::new();
    for key in keys.drain(..) {
        if !kept.contains(&key) {
            kept.push(key);
        }
    }
    *keys = kept;
}
