//! The fingerprint of a finding: findings with the same category and subject are about the same matter.

use sha2::{Digest, Sha256};

use super::Draft;
use super::results::names::Names;
use crate::typeset::text::hex;

/// Returns 16 hexadecimal digits. The subject is the identifiers in the segment (`CUST004`). A segment without
/// identifiers counts with all its names, and a segment without names counts with its words.
pub(super) fn of(draft: &Draft, names: &Names) -> String {
    let mentions = names.mentions(&draft.segment);
    let mut subjects = mentions.iter().map(|mention| mention.name.clone()).collect::<Vec<_>>();
    if subjects.iter().any(|name| is_identifier(name)) {
        subjects.retain(|name| is_identifier(name));
    }
    if subjects.is_empty() {
        let words = draft.segment.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        subjects = words.map(str::to_lowercase).collect();
    }
    subjects.sort();
    subjects.dedup();
    let digest = Sha256::digest(format!("{}\n{}", draft.category.name().replace(' ', "_"), subjects.join("\n")));
    hex(&digest[..8])
}

fn is_identifier(name: &str) -> bool {
    name.chars().any(|c| c.is_ascii_digit()) && !name.contains(' ')
}
