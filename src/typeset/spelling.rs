//! How like a name is to one that is known: for "did you mean" wherever there is a closed set of names.

/// Characters from which on a part of a name stands for it: `id` is in too many.
const PART_MIN: usize = 3;
/// How like a name is to one that it is the smallest part of.
const PART_LIKENESS: f64 = 0.8;

/// From 0 to 1, whatever the case: by their characters and their beginnings, as misspelt names are alike; or, where one
/// is a part of the other (`churn` of `customer_churn`), by how large a part it is.
pub(crate) fn likeness(name: &str, known: &str) -> f64 {
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    strsim::jaro_winkler(&name, &known).max(likeness_of_part(&name, &known))
}

#[expect(clippy::cast_precision_loss, reason = "names are short")]
fn likeness_of_part(name: &str, known: &str) -> f64 {
    let (short, long) = if name.len() <= known.len() { (name, known) } else { (known, name) };
    let (part, whole) = (short.chars().count(), long.chars().count());
    if part < PART_MIN || !long.contains(short) {
        return 0.0;
    }
    PART_LIKENESS + (1.0 - PART_LIKENESS) * part as f64 / whole as f64
}

/// The name that is most like `name`, if any is like enough to be meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    known
        .map(|candidate| (likeness(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate.clone())
}

/// What to say beside a name that is not known: the one that was meant, or all that there are.
pub fn advice<'a, N>(name: &str, known: N) -> String
where
    N: IntoIterator<Item = &'a String> + Copy,
{
    if let Some(nearest) = nearest(name, known.into_iter()) {
        return format!("did you mean `{nearest}`?");
    }
    let names = known.into_iter().map(String::as_str).collect::<Vec<_>>();
    if names.is_empty() { "there is none".to_owned() } else { format!("there are {}", names.join(", ")) }
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
    }
}
