//! A run as it leaves this machine: with tokens in the place of personal data.

use crate::agent::journal::Run;
use crate::finding::fact::{Fact, KeyValues};
use crate::finding::lifecycle::Remembrance;
use crate::finding::record::Finding;
use crate::warehouse::privacy::{Masking, is_token, masked_document};

/// Returns the run's findings and how they stand, with tokens in the place of the values of personal keys.
pub fn masked(masking: &Masking, run: &Run, remembrance: &Remembrance) -> serde_json::Result<(Run, Remembrance)> {
    let masker = masking.masker();
    let facts = run.findings.iter().flat_map(Finding::all_facts);
    let facts = facts.chain(run.remeasured.iter().filter_map(|known| known.fact.as_ref()));
    let token = |known: &KeyValues| {
        let column = known.key.rsplit('.').next().unwrap_or(&known.key);
        let kind = masking.marks.kind_of_name(column)?;
        // What was masked before a model saw it stays as it is.
        let values = known.values.iter().filter(|value| !is_token(value));
        Some(values.map(|value| (value.clone(), masker.token(kind, value))).collect::<Vec<_>>())
    };
    let tokens = |fact: &Fact| fact.keys.iter().filter_map(token).flatten().collect::<Vec<_>>();
    let mut known = facts.flat_map(tokens).collect::<Vec<_>>();
    known.sort();
    known.dedup();
    let findings = masked_document(&run.findings, &known)?;
    Ok((Run { findings, ..run.clone() }, masked_document(remembrance, &known)?))
}
