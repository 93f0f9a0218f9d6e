//! Guesses which columns hold personal data, by name and by the shape of the values that the planner knows. A wrong guess
//! costs a token in place of a value; people overrule it in the metadata.

use std::sync::LazyLock;

use regex::Regex;

use crate::warehouse::catalog::{Column, Personal, ValueKind};

/// Names of columns by what they hold, as words that follow one another; the first that fits decides.
const NAMES: &[(Personal, &[&str])] = &[
    (Personal::Mail, &["email", "mail", "e mail", "emails", "mails"]),
    (
        Personal::Phone,
        &["phone", "telephone", "mobile", "fax", "msisdn", "cellphone", "cell number", "tel", "handy", "phones"],
    ),
    (
        Personal::Card,
        &[
            "card number",
            "cardnumber",
            "card no",
            "card num",
            "credit card",
            "creditcard",
            "cc number",
            "cc num",
            "pan",
            "iban",
            "bank account",
            "account iban",
            "debit card",
        ],
    ),
    (
        Personal::NationalId,
        &[
            "ssn",
            "social security",
            "national id",
            "nationalid",
            "national number",
            "passport",
            "tax id",
            "tin",
            "aadhaar",
            "cpf",
            "dni",
            "nif",
            "pesel",
            "bsn",
            "nino",
            "personal id",
            "identity number",
            "identity card",
            "driver license",
            "drivers license",
            "driving licence",
            "license number",
            "personnummer",
            "codice fiscale",
        ],
    ),
    (
        Personal::Address,
        &["address", "addr", "street", "house number", "postal address", "ip", "addresses", "latitude", "longitude"],
    ),
    (
        Personal::Person,
        &[
            "first name",
            "firstname",
            "last name",
            "lastname",
            "surname",
            "full name",
            "fullname",
            "family name",
            "given name",
            "forename",
            "middle name",
            "maiden name",
            "contact person",
            "username",
            "cardholder",
            "nickname",
        ],
    ),
    (
        Personal::Text,
        &["password", "passwd", "pwd", "secret", "salt", "cvv", "cvc", "api key", "private key", "credential"],
    ),
];

/// Words for people. A table of them has their names in `name`, and `driver_name` is one's.
const PEOPLE: &[&str] = &[
    "customer",
    "client",
    "person",
    "people",
    "user",
    "employee",
    "patient",
    "member",
    "contact",
    "staff",
    "doctor",
    "nurse",
    "student",
    "teacher",
    "player",
    "author",
    "subscriber",
    "guest",
    "passenger",
    "driver",
    "tenant",
    "donor",
    "voter",
    "citizen",
    "applicant",
    "candidate",
    "lead",
    "resident",
    "physician",
    "therapist",
    "agent",
    "buyer",
    "seller",
    "payer",
    "payee",
    "owner",
    "holder",
    "sender",
    "recipient",
    "receiver",
    "manager",
    "assignee",
    "reporter",
    "requester",
    "attendee",
    "visitor",
    "beneficiary",
    "insured",
    "salesperson",
    "technician",
    "officer",
    "parent",
    "spouse",
    "mother",
    "father",
    "child",
    "caller",
    "reviewer",
    "creator",
    "editor",
    "supervisor",
    "consignee",
    "human",
];

/// Names of columns in which people write freely.
const FREE: &[&str] = &[
    "note",
    "notes",
    "comment",
    "comments",
    "remark",
    "remarks",
    "message",
    "messages",
    "body",
    "feedback",
    "memo",
    "biography",
    "bio",
    "complaint",
    "complaints",
    "anamnesis",
    "free text",
    "freetext",
    "transcript",
    "letter",
    "correspondence",
    "chat",
    "review",
    "review text",
    "additional information",
    "observations",
];

/// Last words of names that tell of personal data without being any: a mail's day, state or number is no mail.
const OTHER: &[&str] = &[
    "id", "count", "counts", "sent", "opened", "verified", "type", "kind", "status", "date", "at", "flag", "version",
    "provider", "country", "key", "brand", "limit", "opt", "consent", "model", "lookup",
];

/// Types whose values have no fixed form.
const SHAPELESS: &[&str] = &["json", "jsonb", "xml", "bytea", "hstore", "public.hstore", "tsvector", "inet", "cidr"];

/// The words of a value from which on it is a sentence, and its characters.
const SENTENCE_WORDS: usize = 5;
const SENTENCE_CHARACTERS: usize = 30;

static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$").ok());
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(\+|00|\()[0-9][0-9 ()./-]{6,20}$").ok());
static NATIONAL_ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$").ok());
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|square|straße|strasse|str|rue";
    Regex::new(&format!(r"(?i)^([0-9]+[a-z]?,? .*\b({words})\b|.*({words})\.? [0-9]+[a-z]?\b)")).ok()
});

/// Returns the kind of personal values that a column most likely holds; `None` if it seems to hold none.
pub(super) fn kind(table: &str, name: &str, column: Option<&Column>) -> Option<Personal> {
    if column.is_some_and(|column| !may_be_personal(column)) {
        return None;
    }
    let by_values = || column.and_then(by_values);
    let is_named = || column.is_some_and(|column| is_named_person(name, column)).then_some(Personal::Person);
    by_name(table, name).or_else(by_values).or_else(is_named)
}

/// Returns whether a column seems to hold text that people wrote freely, or values without a fixed form.
pub(super) fn is_free_text(name: &str, column: Option<&Column>) -> bool {
    let Some(column) = column else { return is_named(&words(name), FREE) };
    let type_name = column.type_name.trim_end_matches("[]");
    if SHAPELESS.contains(&type_name) {
        return true;
    }
    if !is_text(column) {
        return false;
    }
    let (is_named, has_sentences) = (is_named(&words(name), FREE), has_sentences(column));
    // What people wrote may be there often; categories have names that are short, or are not called notes.
    let is_of_few = column.statistics.as_ref().is_some_and(|known| is_of_few(known.distinct));
    if is_of_few { is_named && has_sentences } else { is_named || has_sentences }
}

/// A column with so few values that they are categories.
fn is_of_few(distinct: Option<f64>) -> bool {
    distinct.is_some_and(|distinct| distinct > 0.0 && distinct <= 25.0)
}

fn may_be_personal(column: &Column) -> bool {
    match column.value_kind() {
        ValueKind::Text => column.enum_values.is_empty() && column.type_name != "uuid",
        ValueKind::Number => !["money", "real", "double precision"].contains(&column.type_name.as_str()),
        ValueKind::Other => {
            let type_name = column.type_name.trim_end_matches("[]");
            SHAPELESS.contains(&type_name) || type_name == "text" || type_name.starts_with("character")
        }
        ValueKind::Moment | ValueKind::Boolean => false,
    }
}

fn is_text(column: &Column) -> bool {
    let type_name = column.type_name.trim_end_matches("[]");
    column.enum_values.is_empty()
        && (matches!(type_name, "text" | "citext" | "public.citext") || type_name.starts_with("character"))
}

fn by_name(table: &str, name: &str) -> Option<Personal> {
    let of_column = words(name);
    let is_numbered = of_column.iter().any(|word| word == "id" || word == "key");
    let is_other = |kind: Personal| {
        let last = of_column.last().map(String::as_str).unwrap_or_default();
        let exempt = matches!(kind, Personal::NationalId | Personal::Text) && is_numbered;
        !exempt && OTHER.contains(&last)
    };
    let named = NAMES.iter().find(|(_, names)| is_named(&of_column, names)).map(|(kind, _)| *kind);
    if let Some(kind) = named {
        return (!is_other(kind)).then_some(kind);
    }
    let is_person =
        |word: &String| PEOPLE.contains(&word.strip_suffix('s').unwrap_or(word)) || PEOPLE.contains(&&**word);
    let is_of_people = words(table).iter().any(is_person);
    let is_name = match of_column.as_slice() {
        [only] => only == "name" && is_of_people,
        [.., before, last] => last == "name" && (is_person(before) || (before == "display" && is_of_people)),
        [] => false,
    };
    is_name.then_some(Personal::Person)
}

/// Returns whether the column is called after people and its values look like names: `assignee` with `Ann Smith`.
fn is_named_person(name: &str, column: &Column) -> bool {
    let is_word = |word: &str| {
        let mut letters = word.trim_end_matches('.').chars();
        letters.next().is_some_and(char::is_uppercase) && letters.all(|it| it.is_alphabetic() || "'-’".contains(it))
    };
    let is_name =
        |value: &&str| (2..=4).contains(&value.split_whitespace().count()) && value.split_whitespace().all(is_word);
    let last = words(name).pop().unwrap_or_default();
    let values = known_values(column);
    let of_people = PEOPLE.contains(&&*last) || words(name).ends_with(&["by".to_owned()]);
    of_people
        && is_text(column)
        && values.len() > 1
        && values.iter().filter(|value| is_name(value)).count() * 5 >= values.len() * 4
}

/// Returns the kind that all known values of the column have the shape of; `None` if there is none, or too few.
fn by_values(column: &Column) -> Option<Personal> {
    let values = known_values(column);
    if values.len() < 2 {
        return None;
    }
    let all = |is: &dyn Fn(&str) -> bool| values.iter().all(|value| is(value.trim()));
    let fits = |pattern: &LazyLock<Option<Regex>>, value: &str| pattern.as_ref().is_some_and(|it| it.is_match(value));
    if all(&is_card) {
        return Some(Personal::Card);
    }
    if !is_text(column) {
        return None;
    }
    let shapes = [
        (Personal::Mail, &MAIL),
        (Personal::NationalId, &NATIONAL_ID),
        (Personal::Phone, &PHONE),
        (Personal::Address, &ADDRESS),
    ];
    shapes.into_iter().find(|(_, pattern)| all(&|value| fits(pattern, value))).map(|(kind, _)| kind)
}

fn has_sentences(column: &Column) -> bool {
    let values = known_values(column);
    let long = values
        .iter()
        .filter(|value| {
            value.chars().count() >= SENTENCE_CHARACTERS && value.split_whitespace().count() >= SENTENCE_WORDS
        })
        .count();
    long > 0 && long * 2 >= values.len()
}

fn known_values(column: &Column) -> Vec<&str> {
    let known = column
        .statistics
        .iter()
        .flat_map(|known| known.common_values.iter().chain(&known.minimum).chain(&known.maximum).map(String::as_str));
    known.chain(column.examples.iter().map(String::as_str)).filter(|value| !value.trim().is_empty()).collect()
}

/// Returns whether a value is the number of a payment card: 13 to 19 digits whose check digit is right.
pub(super) fn is_card(value: &str) -> bool {
    let digits = value.chars().filter(|character| !matches!(character, ' ' | '-')).map(|digit| digit.to_digit(10));
    let Some(digits) = digits.collect::<Option<Vec<_>>>() else { return false };
    let doubled = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    (13..=19).contains(&digits.len()) && digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// Returns whether one of the names, given as words, stands in a column's name.
fn is_named(of_column: &[String], names: &[&str]) -> bool {
    names.iter().any(|name| {
        let wanted = name.split(' ').collect::<Vec<_>>();
        of_column.windows(wanted.len()).any(|part| part == wanted)
    })
}

/// Returns the words of a name in lower case.
fn words(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut before = ' ';
    for character in name.chars() {
        if character.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.extend(if character.is_alphanumeric() { character } else { ' ' }.to_lowercase());
        before = character;
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::catalog::Statistics;

    fn column(type_name: &str, values: &[&str]) -> Column {
        let common_values = values.iter().map(|value| (*value).to_owned()).collect();
        let statistics = Statistics { common_values, ..Statistics::default() };
        Column { type_name: type_name.to_owned(), statistics: Some(statistics), ..Column::default() }
    }

    #[track_caller]
    fn check(table: &str, name: &str, type_name: &str, values: &[&str], expected: Option<Personal>) {
        assert_eq!(kind(table, name, Some(&column(type_name, values))), expected, "{table}.{name}");
    }

    #[test]
    fn a_name_tells_what_a_column_holds() {
        check("orders", "customer_email", "text", &[], Some(Personal::Mail));
        check("orders", "contactPhone", "text", &[], Some(Personal::Phone));
        check("people", "name", "text", &[], Some(Personal::Person));
        check("products", "name", "text", &[], None);
        check("orders", "buyer_name", "text", &[], Some(Personal::Person));
        check("tickets", "assignee", "text", &["Ann Smith", "Bo de Vries", "Cy O'Hara"], None);
        check("tickets", "assignee", "text", &["Ann Smith", "Bo Vries", "Cy O'Hara"], Some(Personal::Person));
        check("tickets", "assignee", "text", &["First Line", "team 7"], None);
        check("staff", "ssn", "character varying(11)", &[], Some(Personal::NationalId));
        check("staff", "national_id", "bigint", &[], Some(Personal::NationalId));
        check("payments", "card_number", "bigint", &[], Some(Personal::Card));
        check("homes", "street", "text", &[], Some(Personal::Address));
    }

    #[test]
    fn what_only_tells_of_a_mail_is_none() {
        check("campaigns", "email_sent", "integer", &[], None);
        check("campaigns", "email_id", "bigint", &[], None);
        check("campaigns", "email_sent_at", "timestamp with time zone", &[], None);
        check("customers", "phone_verified", "boolean", &[], None);
    }

    #[test]
    fn the_shape_of_values_tells_what_a_name_does_not() {
        check("t", "k1", "text", &["a@x.org", "b.c@y.example"], Some(Personal::Mail));
        check("t", "k2", "text", &["+49 30 1234567", "(030) 7654321"], Some(Personal::Phone));
        check("t", "k3", "text", &["4111 1111 1111 1111", "5500000000000004"], Some(Personal::Card));
        check("t", "k3", "bigint", &["4111111111111111", "5500000000000004"], Some(Personal::Card));
        check("t", "k3", "bigint", &["4111111111111112", "5500000000000004"], None);
        check("t", "k4", "text", &["078-05-1120", "219-09-9999"], Some(Personal::NationalId));
        check("t", "k5", "text", &["12 High Street", "7 Mill Lane"], Some(Personal::Address));
        check("t", "k6", "text", &["open", "closed"], None);
    }

    #[test]
    fn sentences_are_free_text() {
        let said =
            column("text", &["the customer called again and was very angry", "she asked for her money back now"]);
        assert!(is_free_text("t1", Some(&said)));
        assert!(is_free_text("notes", Some(&column("text", &[]))));
        assert!(is_free_text("payload", Some(&column("jsonb", &[]))));
        assert!(!is_free_text("status", Some(&column("text", &["open", "closed"]))));
        let mut few = said.clone();
        few.statistics.as_mut().unwrap().distinct = Some(5.0);
        assert!(is_free_text("note", Some(&few)) && !is_free_text("state", Some(&few)));
    }
}
