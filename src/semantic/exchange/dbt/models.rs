//! Semantic models: entities become keys and joins, dimensions become roles, measures and metrics become measures.

use super::manifest::{Element, Measure, SemanticModel};
use super::metrics::{Formula, Formulas};
use super::{Project, tidied};
use crate::semantic::exchange::{Place, spoken};
use crate::semantic::metadata::{ColumnMetadata, MeasureMetadata, TableMetadata};
use crate::warehouse::catalog::{Additive, Role};
use crate::warehouse::sql::{self, piece};

impl SemanticModel {
    pub(super) fn place(&self) -> Option<Place> {
        let relation = self.node_relation.as_ref()?;
        Some((relation.schema_name.clone(), relation.alias.clone()?))
    }

    /// Returns the dimension of time that the measures go by.
    pub(super) fn time_dimension(&self) -> Option<&str> {
        let default = self.defaults.as_ref().and_then(|defaults| defaults.agg_time_dimension.as_deref());
        default.or_else(|| {
            let mut of_measures = self.measures.iter().flatten().map(|measure| measure.agg_time_dimension.as_deref());
            let first = of_measures.next()??;
            of_measures.all(|other| other == Some(first)).then_some(first)
        })
    }

    /// Returns whether a name in a filter, the part before `__`, means this model.
    pub(super) fn is_entity(&self, name: &str) -> bool {
        let is_key = |entity: &Element| entity.is_key() && entity.name == name;
        self.primary_entity.as_deref() == Some(name) || self.entities.iter().flatten().any(is_key)
    }
}

impl Element {
    /// Returns the SQL of it: an expression, or the column that is called like it.
    pub(super) fn sql(&self) -> String {
        self.expr.as_ref().map_or_else(|| sql::identifier(&self.name), ToString::to_string)
    }

    /// Returns the column that it is; `None` if it is an expression.
    pub(super) fn column(&self) -> Option<String> {
        let sql = self.sql();
        piece::read(&sql).ok()?.column().map(str::to_owned)
    }

    fn is_key(&self) -> bool {
        matches!(self.kind.as_deref(), Some("primary" | "unique"))
    }

    fn is_foreign(&self) -> bool {
        self.kind.as_deref() == Some("foreign")
    }

    fn said(&self, role: Option<Role>) -> ColumnMetadata {
        let (description, label) = (tidied(self.description.as_deref()), tidied(self.label.as_deref()));
        ColumnMetadata { description, label, role, ..ColumnMetadata::default() }
    }
}

impl Project {
    /// Takes the keys of entities, before joins ask for them.
    pub(super) fn read_entities(&mut self) {
        let models = std::mem::take(&mut self.semantic_models);
        for model in &models {
            let Some(place) = model.place() else { continue };
            for entity in model.entities.iter().flatten().filter(|entity| entity.is_key()) {
                if let Some(column) = entity.column() {
                    self.add_unique(&place, vec![column]);
                }
            }
        }
        self.semantic_models = models;
    }

    /// Takes all that semantic models and metrics say.
    pub(super) fn read_models(&mut self) {
        let models = std::mem::take(&mut self.semantic_models);
        let metrics = std::mem::take(&mut self.metrics);
        for model in &models {
            let name = &model.name;
            let Some(place) = model.place() else {
                self.found.lose(format!("semantic model {name}"), "it does not say which table it is of");
                continue;
            };
            let description = tidied(model.description.as_deref());
            self.found.add(&place, &TableMetadata { description, ..TableMetadata::default() });
            self.read_roles(model, &place);
            self.read_joins(model, &place, &models);
        }
        let formulas = Formulas { models: &models, metrics: &metrics };
        let said = self.read_metrics(&formulas);
        self.read_measures(&formulas, &said);
    }

    /// Takes what entities and dimensions say of columns.
    fn read_roles(&mut self, model: &SemanticModel, place: &Place) {
        let has_foreign = model.entities.iter().flatten().any(Element::is_foreign);
        // Rows that lead to somebody are about him, and their own key is a number of theirs.
        let mut key = Some(if has_foreign { Role::Identifier } else { Role::Entity });
        let entities = model.entities.iter().flatten().map(|entity| {
            let role = if entity.is_key() { key.take() } else { None };
            ("entity", entity, role)
        });
        let entities = entities.collect::<Vec<_>>();
        let time = model.time_dimension();
        let dimensions = model.dimensions.iter().flatten().map(|dimension| {
            let role = match dimension.kind.as_deref() {
                Some("categorical") => Some(Role::Dimension),
                Some("time") if time == Some(dimension.name.as_str()) => Some(Role::Date),
                _ => None,
            };
            ("dimension", dimension, role)
        });
        for (what, element, role) in entities.into_iter().chain(dimensions) {
            let name = format!("{}: {what} {}", model.name, element.name);
            match element.column() {
                Some(column) => {
                    let mut said = TableMetadata::default();
                    said.columns.0.push((column, element.said(role)));
                    said.columns.0.retain(|(_, column)| *column != ColumnMetadata::default());
                    self.found.add(place, &said);
                }
                None => self.found.lose(name, format!("{} is no column", element.sql())),
            }
        }
    }

    /// Takes the joins along entities that another model has as its key.
    fn read_joins(&mut self, model: &SemanticModel, place: &Place, models: &[SemanticModel]) {
        for entity in model.entities.iter().flatten() {
            let what = format!("{}: entity {}", model.name, entity.name);
            if entity.kind.as_deref() == Some("natural") {
                self.found.lose(what, "a natural key is there once for each time of validity, and not once");
                continue;
            }
            let Some(column) = entity.column().filter(|_| entity.is_foreign()) else { continue };
            let targets = models.iter().filter(|other| other.name != model.name).filter_map(|other| {
                let is_meant = |key: &&Element| key.is_key() && key.name == entity.name;
                let key = other.entities.iter().flatten().find(is_meant)?;
                Some((other.place()?, key.column()?))
            });
            let targets = targets.collect::<Vec<_>>();
            if targets.is_empty() {
                self.found.lose(what, "no semantic model has it as its key");
            }
            for (to, referred) in targets {
                self.add_join(place, vec![column.clone()], &to, vec![referred]);
            }
        }
    }

    /// Takes metrics, and returns those that are taken.
    fn read_metrics(&mut self, formulas: &Formulas<'_>) -> Vec<(Place, Formula)> {
        let mut taken = Vec::new();
        for metric in formulas.metrics {
            let what = format!("metric {}", metric.name);
            match formulas.of_metric(metric) {
                Ok((place, formula)) => {
                    for loss in &formula.lost {
                        self.found.lose(&what, loss);
                    }
                    let description = tidied(metric.description.as_deref()).or(tidied(metric.label.as_deref()));
                    self.add_measure(&place, &metric.name, &formula, description);
                    taken.push((place, formula));
                }
                Err(why) => self.found.lose(what, why),
            }
        }
        taken
    }

    /// Takes the measures of which no metric is the name.
    fn read_measures(&mut self, formulas: &Formulas<'_>, said: &[(Place, Formula)]) {
        for model in formulas.models {
            let Some(place) = model.place() else { continue };
            for measure in model.measures.iter().flatten() {
                let what = format!("{}: measure {}", model.name, measure.name);
                match formulas.of_measure(model, measure) {
                    Ok(formula) => {
                        for loss in &formula.lost {
                            self.found.lose(&what, loss);
                        }
                        let is_same = |(known, metric): &(Place, Formula)| {
                            let said =
                                |formula: &Formula| (formula.sql.clone(), formula.filter.clone(), formula.additive);
                            *known == place && said(metric) == said(&formula)
                        };
                        if !said.iter().any(is_same) {
                            self.add_measure(&place, &measure.name, &formula, measure.words());
                        }
                    }
                    Err(why) => self.found.lose(what, why),
                }
            }
        }
    }

    fn add_measure(&mut self, place: &Place, name: &str, formula: &Formula, description: Option<String>) {
        let measure = MeasureMetadata {
            sql: formula.sql.clone(),
            filter: formula.filter.clone(),
            description,
            additive: formula.additive,
            ..MeasureMetadata::default()
        };
        let mut said = TableMetadata::default();
        said.measures.0.push((spoken(name), measure));
        self.found.add(place, &said);
    }
}

impl Measure {
    fn words(&self) -> Option<String> {
        tidied(self.description.as_deref()).or(tidied(self.label.as_deref()))
    }

    /// Returns over what the values add up, if the measure says so.
    pub(super) fn additive(&self, model: &SemanticModel) -> Option<Additive> {
        let name = self.non_additive_dimension.as_ref()?.name.as_deref()?;
        let is_time = |dimension: &Element| dimension.name == name && dimension.kind.as_deref() == Some("time");
        let is_over_time = name == "metric_time" || model.dimensions.iter().flatten().any(is_time);
        Some(if is_over_time { Additive::NotOverTime } else { Additive::Not })
    }
}
