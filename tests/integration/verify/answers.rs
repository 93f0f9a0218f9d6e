//! What holds of an answer, without a database.

use explore::verify::check::{Answers, Verdict, check};
use explore::verify::expectation::parse;
use explore::warehouse::table::{Column, Table};

fn table(columns: &[(&str, &str)], rows: &[&[Option<&str>]]) -> Table {
    let column = |(name, kind): &(&str, &str)| Column { name: (*name).to_owned(), type_name: (*kind).to_owned() };
    let row = |row: &&[Option<&str>]| row.iter().map(|cell| cell.map(str::to_owned)).collect();
    Table {
        columns: columns.iter().map(column).collect(),
        rows: rows.iter().map(row).collect(),
        more_rows: false,
        suppressed: 0,
    }
}

fn sales() -> Table {
    let columns =
        [("region", "text"), ("revenue", "numeric"), ("tax", "numeric"), ("gross", "numeric"), ("share", "float8")];
    table(
        &columns,
        &[
            &[Some("North"), Some("100.10"), Some("20"), Some("120.10"), Some("0.25")],
            &[Some("South"), Some("200.20"), Some("40"), Some("240.21"), Some("7.5e-1")],
            &[Some("West"), None, Some("0"), Some("0"), Some("0.5")],
        ],
    )
}

fn verdict(expected: &str) -> Verdict {
    let whole = table(&[("total", "numeric"), ("day", "date")], &[&[Some("300.30"), Some("2025-01-01")]]);
    let two = table(&[("total", "numeric")], &[&[Some("1")], &[Some("2")]]);
    let answers = [("whole", Ok(whole)), ("two", Ok(two)), ("broken", Err("no such table".to_owned()))];
    let answers = answers.map(|(name, answer)| (name.to_owned(), answer)).into_iter().collect::<Answers>();
    check(&parse(expected, 1).unwrap(), &sales(), &answers)
}

#[test]
fn what_is_as_expected_holds() {
    for expected in [
        "rows = 3",
        "rows between 1 and 3",
        "no rows where region = 'East'",
        "share between 0.25 and 0.75",
        "revenue between 100 and 101 where region = 'North'",
        "revenue + tax = gross where region = 'North'",
        "revenue + tax = gross within 0.01 where region = 'South'",
        "revenue = 200.2 where tax = 40.0",
        "sum of revenue = 300.30",
        "revenue adds up to total in whole",
        "lowest revenue >= 100.1",
        "highest share < 76%",
        "sum of revenue - total in whole = 0",
        "rows <> rows in two",
        "sum of total in two = 3",
        "share < highest share + 0.01",
    ] {
        assert_eq!(verdict(expected), Verdict::Holds, "{expected}");
    }
}

#[test]
fn what_is_otherwise_fails_and_says_where_and_by_how_much() {
    let check = |expected: &str, details: &[&str]| match verdict(expected) {
        Verdict::Fails { details: found, more: 0 } => assert_eq!(found, details, "{expected}"),
        other => panic!("{expected}: {other:?}"),
    };
    check("rows >= 4", &["there are 3 rows"]);
    check("no rows where region = 'West'", &["there is region = West"]);
    check(
        "share between 0.3 and 0.6",
        &["share is 0.25, below 0.3 (region = North)", "share is 0.75, above 0.6 (region = South)"],
    );
    check(
        "revenue + tax = gross",
        &[
            "revenue + tax is 240.2 and gross is 240.21, 0.01 apart (region = South)",
            "revenue has no value (NULL) (region = West)",
        ],
    );
    check("sum of revenue = 300.31", &["sum of revenue is 300.3"]);
    check("sum of revenue <> total in whole", &["sum of revenue is 300.3 and total in whole is 300.3"]);
    check("revenue > 0 where region = 'East'", &["there is no row with region = East"]);
    check("sum of revenue > 0 where region = 'East'", &["there is no row with region = East"]);
    check("highest revenue > 0 where region = 'West'", &["revenue has no value: all its cells are NULL"]);
}

#[test]
fn what_cannot_be_told_is_neither_and_says_why() {
    let check = |expected: &str, reason: &str| match verdict(expected) {
        Verdict::Unknown(found) => assert!(found.starts_with(reason), "{expected}: {found}"),
        other => panic!("{expected}: {other:?}"),
    };
    check("revenu > 0", "the SELECT has no column `revenu`; did you mean `revenue`?");
    check("region > 0", "`region` (text) is North, which is not a decimal number of at most 28 digits; compute one");
    check("day in whole > 0", "`day` (date) is 2025-01-01, which is not a decimal number");
    check("sum of revenue = total in hole", "there is no verified question `hole`; did you mean `whole`?");
    check("sum of revenue = total in broken", "broken has no answer: no such table");
    check(
        "sum of revenue = total in two",
        "two has 2 rows, so that `total in two` is no single value; write `sum of total in two`",
    );
    check("rows > 0 where zone = 'x'", "the SELECT has no column `zone`");
    check(
        "sum of revenue + 70000000000000000000000000000 < 1",
        "sum of revenue + 70000000000000000000000000000 is too large",
    );
}

#[test]
fn decimals_are_exact() {
    let rows: &[&[Option<&str>]] = &[&[Some("0.1"), Some("1")], &[Some("0.2"), Some("2")]];
    let table = table(&[("n", "numeric"), ("k", "int4")], rows);
    let check = |expected: &str| check(&parse(expected, 1).unwrap(), &table, &Answers::new());
    assert_eq!(check("sum of n = 0.3"), Verdict::Holds, "which binary fractions do not give");
    assert_eq!(
        check("sum of n = 0.3000000000000000000000000001"),
        Verdict::Fails { details: vec!["sum of n is 0.3".to_owned()], more: 0 }
    );
}

#[test]
fn many_details_are_cut_and_counted() {
    let cells = (0..25).map(|number| Some(number.to_string())).collect::<Vec<_>>();
    let rows = cells.iter().map(|cell| vec![cell.clone()]).collect();
    let column = Column { name: "n".to_owned(), type_name: "int4".to_owned() };
    let table = Table { columns: vec![column], rows, more_rows: false, suppressed: 0 };
    match check(&parse("n < 0", 1).unwrap(), &table, &Answers::new()) {
        Verdict::Fails { details, more } => {
            assert_eq!((details.len(), more, details[0].as_str()), (10, 15, "n is 0 (row 1)"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_and_values_of_the_data_do_no_harm() {
    let table = table(&[("who\u{1b}[31m", "text"), ("n", "int4")], &[&[Some("a\u{1b}]0;x\u{7}\nb"), Some("1")]]);
    match check(&parse("n = 2", 1).unwrap(), &table, &Answers::new()) {
        Verdict::Fails { details, .. } => assert!(!details[0].contains(char::is_control), "{details:?}"),
        other => panic!("{other:?}"),
    }
}
