//! The SQL of measures and metrics: an aggregate over the columns of one table.

use super::manifest::{Filter, Input, Measure, Metric, SemanticModel};
use super::template;
use crate::semantic::exchange::Place;
use crate::warehouse::catalog::Additive;
use crate::warehouse::sql::{self, piece};

/// How deep metrics may be made of metrics.
const DEPTH_MAX: usize = 8;

/// A measure in SQL.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formula {
    pub(super) sql: String,
    pub(super) filter: Option<String>,
    pub(super) additive: Option<Additive>,
    /// What of the original it does not say.
    pub(super) lost: Vec<String>,
}

impl Formula {
    /// Returns the SQL with the filter inside, to be a part of another formula.
    fn part(&self) -> Result<String, String> {
        let sql = piece::read(&self.sql).map_err(|refusal| refusal.message)?;
        let whole = self.filter.as_ref().map_or_else(|| sql.text().to_owned(), |filter| sql.filtered(filter));
        Ok(if sql.is_call() { whole } else { format!("({whole})") })
    }
}

/// The semantic models and metrics that formulas are made of.
pub(super) struct Formulas<'project> {
    pub(super) models: &'project [SemanticModel],
    pub(super) metrics: &'project [Metric],
}

impl Formulas<'_> {
    /// Returns the table and the SQL of a metric, or why there is none.
    pub(super) fn of_metric(&self, metric: &Metric) -> Result<(Place, Formula), String> {
        let (model, formula) = self.resolve(metric, DEPTH_MAX)?;
        Ok((model.place().ok_or("its semantic model does not say which table it is of")?, formula))
    }

    /// Returns the SQL of a measure, or why there is none.
    #[expect(clippy::unused_self, reason = "it stands beside its like, the SQL of a metric")]
    pub(super) fn of_measure(&self, model: &SemanticModel, measure: &Measure) -> Result<Formula, String> {
        let sql = aggregate(measure)?;
        let additive = measure.additive(model);
        let lost =
            additive.map(|_| "it is of one moment of a period; kept is that it does not add up over it".to_owned());
        Ok(Formula { sql, filter: None, additive, lost: lost.into_iter().collect() })
    }

    fn resolve(&self, metric: &Metric, depth: usize) -> Result<(&SemanticModel, Formula), String> {
        let depth = depth.checked_sub(1).ok_or("it is made of metrics in a circle, or too many")?;
        let params = metric.type_params.as_ref().ok_or("it does not say what it is made of")?;
        match metric.kind.as_deref() {
            Some("simple") => self.simple(metric, params.measure.as_ref()),
            Some("ratio") => {
                let (above, below) =
                    params.numerator.as_ref().zip(params.denominator.as_ref()).ok_or("half is missing")?;
                let (model, above) = self.input(above, depth)?;
                let (other, below) = self.input(below, depth)?;
                is_one(model, other)?;
                let sql = format!("1.0 * {} / nullif({}, 0)", above.part()?, below.part()?);
                let formula = Formula { sql, filter: None, additive: Some(Additive::Not), lost: lost(&[above, below]) };
                self.filtered(model, formula, metric.filter.as_ref())
            }
            Some("derived") => self.derived(metric, depth),
            Some(kind) => Err(format!("a {kind} metric is no aggregate over rows")),
            None => Err("it has no type".to_owned()),
        }
    }

    fn simple(&self, metric: &Metric, input: Option<&Input>) -> Result<(&SemanticModel, Formula), String> {
        let input = input.ok_or("it names no measure")?;
        let of_model =
            |model: &'_ SemanticModel| model.measures.iter().flatten().position(|measure| measure.name == input.name);
        let found = self.models.iter().find_map(|model| Some((model, of_model(model)?)));
        let (model, index) = found.ok_or_else(|| format!("no semantic model has the measure {}", input.name))?;
        let measure = model.measures.as_deref().and_then(|measures| measures.get(index)).ok_or("no measure")?;
        let mut formula = self.of_measure(model, measure)?;
        // The measure's own line tells what is lost of it.
        formula.lost.clear();
        if input.fill_nulls_with.as_ref().is_some_and(|value| !value.is_null()) {
            formula.lost.push("fill_nulls_with is not kept: a period without rows has no value".to_owned());
        }
        let (model, formula) = self.filtered(model, formula, input.filter.as_ref())?;
        self.filtered(model, formula, metric.filter.as_ref())
    }

    fn derived(&self, metric: &Metric, depth: usize) -> Result<(&SemanticModel, Formula), String> {
        let params = metric.type_params.as_ref().ok_or("it does not say what it is made of")?;
        let expression = params.expr.as_ref().ok_or("it has no expression")?.to_string();
        let inputs = params.metrics.as_deref().unwrap_or_default();
        let mut parts = Vec::new();
        let mut model = None;
        for input in inputs {
            let (of_input, formula) = self.input(input, depth)?;
            is_one(model.unwrap_or(of_input), of_input)?;
            model = Some(of_input);
            parts.push((input.alias.as_ref().unwrap_or(&input.name), formula.part()?, formula));
        }
        let read = piece::read(&expression).map_err(|refusal| refusal.message)?;
        let part = |name: &piece::Name| match name.parts.as_slice() {
            [only] => parts.iter().find(|(known, ..)| known.eq_ignore_ascii_case(only)).map(|(_, sql, _)| sql.clone()),
            _ => None,
        };
        let sql = read.renamed(part);
        let unknown = read.names().iter().find(|name| part(name).is_none());
        if let Some(unknown) = unknown {
            return Err(format!("its expression names {}, which is none of its metrics", unknown.parts.join(".")));
        }
        let model = model.ok_or("it is made of no metrics")?;
        let formulas = parts.into_iter().map(|(_, _, formula)| formula).collect::<Vec<_>>();
        let formula = Formula { sql: checked(&sql)?, filter: None, additive: None, lost: lost(&formulas) };
        self.filtered(model, formula, metric.filter.as_ref())
    }

    /// Returns the formula of a metric that is a part of another one.
    fn input(&self, input: &Input, depth: usize) -> Result<(&SemanticModel, Formula), String> {
        if input.offset_window.is_some() || input.offset_to_grain.is_some() {
            return Err(format!("it takes {} of another period", input.name));
        }
        let metric = self.metrics.iter().find(|metric| metric.name == input.name);
        let metric = metric.ok_or_else(|| format!("there is no metric {}", input.name))?;
        let within = |why: String| format!("{}: {why}", input.name);
        let (model, formula) = self.resolve(metric, depth).map_err(within)?;
        self.filtered(model, formula, input.filter.as_ref()).map_err(within)
    }

    /// Adds a filter in Jinja to a formula.
    #[expect(clippy::unused_self, reason = "the model that is returned lives as long as the formulas")]
    fn filtered<'model>(
        &self,
        model: &'model SemanticModel,
        mut formula: Formula,
        filter: Option<&Filter>,
    ) -> Result<(&'model SemanticModel, Formula), String> {
        let templates = filter.into_iter().flat_map(|filter| filter.where_filters.iter().flatten());
        for template in templates.filter_map(|filter| filter.where_sql_template.as_deref()) {
            let condition = template::resolved(template, model)?;
            formula.filter = Some(match formula.filter {
                Some(filter) => format!("({filter}) AND ({condition})"),
                None => condition,
            });
        }
        Ok((model, formula))
    }
}

fn lost(formulas: &[Formula]) -> Vec<String> {
    let mut lost = formulas.iter().flat_map(|formula| formula.lost.clone()).collect::<Vec<_>>();
    lost.dedup();
    lost
}

fn is_one(model: &SemanticModel, other: &SemanticModel) -> Result<(), String> {
    if model.name == other.name {
        return Ok(());
    }
    Err(format!("it is made of two tables, those of {} and {}", model.name, other.name))
}

/// Returns the aggregate of a measure.
fn aggregate(measure: &Measure) -> Result<String, String> {
    let expression = measure.expr.as_ref().map_or_else(|| sql::identifier(&measure.name), ToString::to_string);
    let read = piece::read(&expression).map_err(|refusal| refusal.message)?;
    if read.has_aggregate() {
        return Err(format!("{} is an aggregate within an aggregate", read.text()));
    }
    let value = read.text();
    let sql = match measure.agg.as_deref().unwrap_or_default() {
        "count" | "sum" if value == "1" => "count(*)".to_owned(),
        "sum" => format!("sum({value})"),
        "count" => format!("count({value})"),
        "count_distinct" => format!("count(DISTINCT {value})"),
        "average" => format!("avg({value})"),
        "min" => format!("min({value})"),
        "max" => format!("max({value})"),
        "sum_boolean" if read.column().is_some() => format!("sum({value}::int)"),
        "sum_boolean" => format!("sum(({value})::int)"),
        "median" => format!("percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})"),
        "percentile" => {
            let params = measure.agg_params.as_ref().ok_or("it does not say which percentile")?;
            let share = params.percentile.filter(|share| (0.0..=1.0).contains(share));
            let share = share.ok_or("it does not say which percentile")?;
            let name = if params.use_discrete_percentile == Some(true) { "percentile_disc" } else { "percentile_cont" };
            format!("{name}({share}) WITHIN GROUP (ORDER BY {value})")
        }
        agg => return Err(format!("the aggregate {agg:?} is not known")),
    };
    checked(&sql)
}

/// Returns the SQL if it is an aggregate.
fn checked(sql: &str) -> Result<String, String> {
    let read = piece::read(sql).map_err(|refusal| refusal.message)?;
    if read.is_aggregate() { Ok(sql.to_owned()) } else { Err(format!("{sql} is no aggregate over rows")) }
}
