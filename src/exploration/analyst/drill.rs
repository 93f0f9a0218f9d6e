//! What lies within the groups that are told of: the same measure by the other columns, over their rows alone.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::call;
use super::choice::{Chosen, FALSE_MAX};
use super::notebook::Notebook;
use crate::instruments::{Instrument, Observation, controlled};
use crate::model::ToolCall;
use crate::typeset::text::hex;

/// Groups that are looked into.
const GROUPS_MAX: usize = 4;

/// Returns the looks into the first groups that differ from others.
pub(super) fn looks(chosen: &[Chosen<'_>]) -> Vec<ToolCall> {
    chosen.iter().filter_map(|one| look(one.lead)).take(GROUPS_MAX).collect()
}

/// Returns what differs most within the rows of an observation, if it was looked into.
pub(super) fn seen<'n>(lead: &Observation, notebook: &'n Notebook) -> Option<&'n Observation> {
    let conclusion = notebook.conclusion(&look(lead)?.id)?;
    let standing = controlled(conclusion.observations.iter().collect(), conclusion.tested, FALSE_MAX);
    standing.into_iter().filter(|one| one.by != lead.by).max_by(|one, other| one.effect.total_cmp(&other.effect))
}

fn look(lead: &Observation) -> Option<ToolCall> {
    let within = lead.within.as_ref().filter(|_| lead.instrument == Instrument::Compare && !lead.is_of_rows())?;
    let arguments = json!({ "table": lead.table, "measure": lead.measure, "where": within });
    let key = format!("within-{}", hex(&Sha256::digest(arguments.to_string().as_bytes())[..8]));
    Some(call(key, Instrument::Compare.name(), &arguments))
}
