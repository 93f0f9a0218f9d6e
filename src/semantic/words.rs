//! Splits names into words, so that `customer_id`, `CustomerID` and `Customer ID` are equal.

/// Endings that names contain without a separator, as in `customerid`.
const JOINED_ENDINGS: [&str; 10] = ["id", "no", "nr", "key", "code", "name", "date", "number", "type", "amount"];

/// Returns the words of a name in lower case. A name is split at any character but letters and digits, where lower case
/// changes to upper case, and before a known ending.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let begins = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && characters.peek().is_some_and(|next| next.is_lowercase()))
            });
        if begins || !character.is_alphanumeric() {
            push(&mut words, &mut word);
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        before = Some(character);
    }
    push(&mut words, &mut word);
    words
}

fn push(words: &mut Vec<String>, word: &mut String) {
    if word.is_empty() {
        return;
    }
    let word = std::mem::take(word);
    let joined = JOINED_ENDINGS.iter().find_map(|ending| {
        let stem = word.strip_suffix(ending)?;
        is_noun(stem).then(|| [stem.to_owned(), (*ending).to_owned()])
    });
    match joined {
        Some(parts) => words.extend(parts),
        None => words.push(word),
    }
}

/// Removes the ending of an English plural: `customers`, `companies` and `boxes` become `customer`, `company` and
/// `box`.
pub(super) fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    if let Some(stem) = word.strip_suffix("es").filter(|stem| stem.ends_with('x') || stem.ends_with("ss")) {
        return stem.to_owned();
    }
    match word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with(['s', 'u', 'i'])) {
        Some(stem) => stem.to_owned(),
        None => word.to_owned(),
    }
}

/// Returns whether the word is a known subject of tables, after which a known ending is split off.
fn is_noun(word: &str) -> bool {
    const NOUNS: [&str; 27] = [
        "account",
        "batch",
        "bill",
        "billing",
        "client",
        "company",
        "country",
        "cust",
        "customer",
        "dealer",
        "event",
        "employee",
        "invoice",
        "item",
        "material",
        "member",
        "order",
        "patient",
        "posting",
        "product",
        "region",
        "sale",
        "stock",
        "supplier",
        "transaction",
        "user",
        "vendor",
    ];
    NOUNS.contains(&word)
}
