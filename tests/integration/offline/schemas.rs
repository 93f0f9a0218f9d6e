//! Catalogs of the schemas that the runs play on.

use explore::catalog::{Catalog, Column, ForeignKey, Role, Table, TableKind};

pub(crate) fn column(name: &str, type_name: &str, role: Option<Role>) -> Column {
    Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        nullable: true,
        enum_values: Vec::new(),
        statistics: None,
        description: None,
        unit: None,
        role,
        role_guessed: false,
        examples: Vec::new(),
        sensitive: false,
    }
}

pub(crate) fn table(name: &str, primary_key: &[&str], columns: Vec<Column>, foreign_keys: Vec<ForeignKey>) -> Table {
    Table {
        schema: "public".to_owned(),
        name: name.to_owned(),
        kind: TableKind::Table,
        rows_estimate: Some(1000),
        description: None,
        warnings: Vec::new(),
        columns,
        primary_key: primary_key.iter().map(|name| (*name).to_owned()).collect(),
        foreign_keys,
    }
}

pub(crate) fn catalog(tables: Vec<Table>) -> Catalog {
    Catalog { tables, business_context: None }
}

/// The sample's one table, and the generated one's.
pub(crate) fn primary_sales() -> Catalog {
    let text = |name, role| column(name, "text", Some(role));
    let money = |name, role| Column { unit: Some("INR".to_owned()), ..column(name, "numeric(14,2)", Some(role)) };
    let columns = vec![
        column("billing_date", "date", Some(Role::Date)),
        text("billing_code", Role::EventType),
        text("invoice_number", Role::Identifier),
        text("customer_code", Role::Entity),
        text("customer_name", Role::EntityName),
        text("customer_segment", Role::Dimension),
        text("region", Role::Region),
        text("product", Role::Product),
        text("business_unit", Role::Dimension),
        column("quantity", "numeric(12,2)", Some(Role::Quantity)),
        money("gross_sales_value", Role::GrossMeasure),
        money("net_sales_value_1", Role::NetMeasure),
        money("net_sales_value_2", Role::NetMeasure),
        money("trade_discount", Role::Discount),
        money("volume_discount", Role::Discount),
        money("cash_discount", Role::Discount),
        money("contribution", Role::Margin),
        text("batch", Role::Batch),
        text("plant", Role::Dimension),
    ];
    catalog(vec![table("primary_sales", &["invoice_number"], columns, Vec::new())])
}
