//! Which totals a table offers: money before what is no money, net before gross, and charges last.

use explore::instruments::target::{Asked, Measure, Target};
use explore::semantic::{self, metadata::Metadata};
use explore::warehouse::catalog::{Catalog, Column, Table};
use jiff::civil::date;

/// The totals of a table with these columns, each as `name type`, in their order.
fn totals(columns: &[&str]) -> Vec<String> {
    let column = |text: &&str| {
        let (name, type_name) = text.split_once(' ').unwrap();
        Column { name: name.to_owned(), type_name: type_name.to_owned(), ..Column::default() }
    };
    let columns = columns.iter().map(column).collect();
    let table = Table { schema: "public".to_owned(), name: "sales".to_owned(), columns, ..Table::default() };
    let mut catalog = Catalog { tables: vec![table], ..Catalog::default() };
    semantic::complete(&mut catalog, &Metadata::default());
    let target = Target::of(&catalog, &Asked { table: "sales", ..Asked::default() }, date(2025, 12, 31)).unwrap();
    let sums = target.measures.iter().filter(|measure| matches!(measure, Measure::Sum { .. }));
    sums.map(|measure| measure.name().trim_start_matches("total of ").to_owned()).collect()
}

/// Checks which total comes first, whatever the order of the columns.
fn check(columns: &[&str], first: Option<&str>) {
    for place in 0..columns.len() {
        let turned = [&columns[place..], &columns[..place]].concat();
        assert_eq!(totals(&turned).first().map(String::as_str), first, "{turned:?}");
    }
}

#[test]
fn a_charge_is_not_what_a_row_is_worth() {
    for charge in
        ["shipping_fee", "tax_amount", "tip", "total_tax", "freight_value", "delivery_charge", "discount_amount"]
    {
        check(&[&format!("{charge} numeric(10,2)"), "sold_on date", "amount numeric(10,2)"], Some("amount"));
        check(&[&format!("{charge} numeric(10,2)"), "sold_on date", "total numeric(10,2)"], Some("total"));
    }
    check(&["cost numeric(10,2)", "revenue numeric(10,2)"], Some("revenue"));
}

#[test]
fn a_charge_is_the_total_where_there_is_no_other_money() {
    check(&["sold_on date", "shipping_fee numeric(10,2)"], Some("shipping_fee"));
    check(&["distance_km double precision", "shipping_fee numeric(10,2)"], Some("shipping_fee"));
}

#[test]
fn units_times_their_price_are_worth_more_than_a_charge() {
    let columns = ["quantity integer", "unit_price numeric(10,2)", "shipping_fee numeric(10,2)"];
    check(&columns, Some("quantity times unit_price"));
    check(&[&columns[..], &["unit_cost numeric(10,2)"]].concat(), Some("quantity times unit_price"));
    check(&["quantity integer", "unit_cost numeric(10,2)", "total_cost numeric(10,2)"], Some("total_cost"));
    // Without units, a sum of prices may mean nothing, and one of charges is not what rows are worth.
    check(&["price numeric(10,2)", "freight_value numeric(10,2)"], None);
}

#[test]
fn money_comes_before_other_amounts() {
    check(&["duration_minutes numeric", "weight_kg numeric", "amount numeric"], Some("amount"));
    check(&["minutes double precision", "fare numeric(8,2)"], Some("fare"));
    check(&["total_minutes numeric", "sales numeric"], Some("sales"));
}

#[test]
fn net_comes_before_gross_also_where_the_name_says_what_is_in_it() {
    check(&["gross_amount numeric(10,2)", "net_amount numeric(10,2)", "amount numeric(10,2)"], Some("net_amount"));
    check(&["amount_incl_tax numeric(10,2)", "amount_excl_tax numeric(10,2)"], Some("amount_excl_tax"));
    check(&["value_before_discount numeric(10,2)", "value_after_discount numeric(10,2)"], Some("value_after_discount"));
    check(&["gross_amount numeric(10,2)", "service_fee numeric(10,2)"], Some("gross_amount"));
}
