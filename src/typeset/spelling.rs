//! Finds the known name that an unknown name was meant to be, for "did you mean" wherever the set of names is closed.

#![expect(clippy::cast_precision_loss, reason = "names are short")]

/// Likeness above which a known name is taken as the one that was meant.
const LIKENESS_MIN: f64 = 0.75;
/// Characters that a part of a name needs to stand for it. Too many names contain `id`.
const PART_MIN: usize = 3;
/// Likeness of a name to a much longer one that contains it.
const PART_LIKENESS: f64 = 0.8;
/// Edits that a typing error makes at most, as a share of the name's length in bytes.
const SLIP_MAX: f64 = 0.25;

/// Returns the known name that is most like `name`, or `None` if no name is similar enough.
pub fn nearest<T: AsRef<str>>(name: &str, known: impl IntoIterator<Item = T>) -> Option<T> {
    nearest_by(name, known, |candidate| candidate.as_ref())
}

/// Like [`nearest`], for candidates whose names `name_of` returns.
pub fn nearest_by<T>(
    name: &str,
    known: impl IntoIterator<Item = T>,
    name_of: impl for<'a> Fn(&'a T) -> &'a str,
) -> Option<T> {
    known
        .into_iter()
        .map(|candidate| (likeness(name, name_of(&candidate)), candidate))
        .filter(|(likeness, _)| *likeness > LIKENESS_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Returns the known name that `name` misspells by a few edits. Use it for sets so large that a name which is only
/// similar is another name.
pub fn misspelt<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let (distance, nearest) = known.into_iter().map(|known| (strsim::damerau_levenshtein(known, name), known)).min()?;
    (distance as f64 <= SLIP_MAX * name.len() as f64).then_some(nearest)
}

/// Returns what a message about an unknown name ends with: the name that was meant, or nothing.
pub fn hint<T: AsRef<str>>(nearest: Option<T>) -> String {
    nearest.map(|nearest| format!("; did you mean `{}`?", nearest.as_ref())).unwrap_or_default()
}

/// Returns advice on an unknown name: the name that was meant, or else `otherwise`.
pub fn did_you_mean<T: AsRef<str>>(
    name: &str,
    known: impl IntoIterator<Item = T>,
    otherwise: impl FnOnce() -> String,
) -> String {
    nearest(name, known).map_or_else(otherwise, |nearest| format!("did you mean `{}`?", nearest.as_ref()))
}

/// Returns advice on an unknown name: the name that was meant, or else all known names.
pub fn advice<T: AsRef<str>>(name: &str, known: impl IntoIterator<Item = T>) -> String {
    let known = known.into_iter().collect::<Vec<_>>();
    did_you_mean(name, &known, || match known.as_slice() {
        [] => "there is none".to_owned(),
        _ => format!("there are {}", known.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")),
    })
}

/// Returns how similar two names are, from 0 to 1, ignoring their case.
///
/// The result is the largest of three measures: the likeness of characters with more weight on the beginning
/// (Jaro-Winkler), the share of one name that the other makes up if it is a part of it (`churn` of `customer_churn`),
/// and the likeness to the beginning of a longer name.
fn likeness(name: &str, known: &str) -> f64 {
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    let beginning = known.chars().take(name.chars().count()).collect::<String>();
    let beginning =
        if name.chars().count() < PART_MIN { 0.0 } else { strsim::normalized_damerau_levenshtein(&beginning, &name) };
    strsim::jaro_winkler(&name, &known).max(likeness_of_part(&name, &known)).max(beginning)
}

fn likeness_of_part(name: &str, known: &str) -> f64 {
    let (short, long) = if name.len() <= known.len() { (name, known) } else { (known, name) };
    let (part, whole) = (short.chars().count(), long.chars().count());
    if part < PART_MIN || !long.contains(short) {
        return 0.0;
    }
    PART_LIKENESS + (1.0 - PART_LIKENESS) * part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_is_like_it_and_the_larger_part_more_so() {
        assert!(likeness("churn", "customer_churn") > 0.8);
        assert!(likeness("Churn", "customer_churn") > likeness("churn", "customer_churn_by_region"));
        assert!(likeness("customer_churn_report", "customer_churn") > 0.8, "the other way round as well");
        assert!(likeness("id", "paid_orders") < 0.75, "two letters are in too many names");
    }

    #[test]
    fn a_misspelt_name_is_like_the_one_that_was_meant() {
        assert!(likeness("custmer_churn", "customer_churn") > 0.9);
        assert!(likeness("weather", "customer_churn") < 0.75);
        assert_eq!(nearest("custmer", ["region", "customer_churn"]), Some("customer_churn"));
        assert_eq!(nearest("weather", ["region", "customer_churn"]), None);
    }

    #[test]
    fn a_slip_of_the_hand_is_told_from_another_name_of_the_kind() {
        assert_eq!(misspelt("date_trunk", ["date_part", "date_trunc"]), Some("date_trunc"));
        assert_eq!(misspelt("pg_sleep", ["pg_size_pretty", "sqrt"]), None);
    }
}
