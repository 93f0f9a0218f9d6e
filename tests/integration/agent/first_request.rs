//! What a model is told first, of a database of any size.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::program::Program;
use crate::support::scripted_server::{ScriptedServer, calls};
use crate::support::server;

/// English and SQL have about four characters a token; less is taken here, to be on the safe side.
const CHARACTERS_A_TOKEN: f64 = 3.4;

#[tokio::test(flavor = "multi_thread")]
async fn with_500_tables_it_stays_under_8000_tokens_and_shows_what_matters() {
    let mut script = String::new();
    for number in 0..500 {
        let columns = (0..20).fold(String::new(), |mut columns, index| {
            let _ = write!(columns, ", a_rather_long_column_name_{index} numeric");
            columns
        });
        writeln!(script, "CREATE TABLE warehouse_shipment_{number} (id integer, day date{columns});").unwrap();
    }
    script.push_str("CREATE TABLE customer_orders (customer_id integer, ordered_on date, net_sales numeric);");
    let url = server::fresh("first_request", &script).await;
    let finish = || calls([("finish", json!({}))]);
    let model = ScriptedServer::start([finish(), finish()]);
    let program = Program::new().variable("DATABASE_URL", &url).variable("EXPLORE_ALLOW_WRITABLE_ROLE", "true");

    let base_url = model.base_url();
    let arguments = ["--focus", "customer_churn", "--base-url", &base_url, "--model", "scripted"];
    let outcome = tokio::task::block_in_place(|| program.run(&arguments));

    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let request = model.bodies()[0].to_string();
    let characters = u32::try_from(request.chars().count()).unwrap();
    assert!(f64::from(characters) / CHARACTERS_A_TOKEN < 8_000.0, "{characters} characters");
    assert!(request.contains("ordered_on"), "the table that the focus is about is shown in full");
    assert!(request.contains("warehouse_shipment_1"), "the others are named");
}
