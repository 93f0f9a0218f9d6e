//! A run to report on, written through the journal's own writer: four findings, one of them as hostile as can be.

use std::path::{Path, PathBuf};

use explore::agent::journal::{
    Coverage, Event, FailedQuery, Gap, Journal, NotLookedAt, Run, Started, StopReason, Stopped, Totals, read,
};
use explore::finding::results::QueryResult;
use explore::finding::told::Told;
use explore::warehouse::table::{Column, Table};
use explore::warehouse::{Grade, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) const RUN_ID: &str = "2025-11-30T08-15-02Z-customer_churn-3f2a";

/// Text that tries to break out of every format.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script> \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} \u{202e}txt.exe \
    a|b `c` **d** [e](http://evil.example/x) ![f](http://evil.example/y.png) \"><img src=x onerror=alert(1)> \0 \u{9b}2J \
    😀👩‍👩‍👧 株式会社日本石油販売 {{ 7 * 7 }} {% raw %} ```\n# not a heading\r- nor an item & &lt;";

pub(crate) fn started_at() -> Timestamp {
    "2025-11-30T08:15:02Z".parse().unwrap()
}

/// Writes the events a second apart, and returns the journal's path.
pub(crate) fn write(runs_dir: &Path, run_id: &str, events: &[Event]) -> PathBuf {
    let mut journal = Journal::create(runs_dir, run_id).unwrap();
    for (second, event) in (0..).zip(events) {
        journal.append(started_at() + SignedDuration::from_secs(second), event).unwrap();
    }
    journal.path().to_owned()
}

/// The run, with a journal at a path that is the same everywhere.
pub(crate) fn run(events: &[Event]) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let mut run = read(&write(directory.path(), RUN_ID, events)).unwrap();
    run.journal = PathBuf::from("runs").join(RUN_ID).join("journal.jsonl");
    run
}

pub(crate) fn started() -> Event {
    Event::Started(Box::new(Started {
        guesses: Vec::new(),
        run_id: RUN_ID.to_owned(),
        version: "0.1.0".to_owned(),
        focus: "customer_churn".to_owned(),
        format: 1,
        questions: Vec::new(),
        as_of: "2025-11-30".parse().unwrap(),
        model: "gpt-5.2".to_owned(),
        server: Server {
            engine: "PostgreSQL".to_owned(),
            version: "15.18".to_owned(),
            database: "sales".to_owned(),
            role: "analyst".to_owned(),
            grade: Grade::default(),
            warnings: vec![
                "the role analyst can write to primary_sales; give explore a role that only reads".to_owned(),
            ],
        },
        tables: 1,
        configuration: json!({ "max_iterations": 15 }),
    }))
}

pub(crate) fn stopped(reason: StopReason) -> Event {
    Event::Stopped(Stopped {
        reason,
        detail: None,
        answers: Vec::new(),
        looked_at: vec![
            "whether the fall in November is seasonal: the year before has no data".to_owned(),
            "return rates by plant".to_owned(),
        ],
        totals: Totals {
            iterations: 9,
            queries: 12,
            findings: 4,
            input_tokens: Some(48_210),
            cached_tokens: Some(31_000),
            output_tokens: Some(6_120),
            cost_usd: Some("0.1432".parse().unwrap()),
            elapsed_milliseconds: 92_400,
        },
        models: Vec::new(),
        complete: Some(reason == StopReason::Finished),
        coverage: Some(coverage(reason)),
    })
}

/// Of three tables one was looked at.
fn coverage(reason: StopReason) -> Coverage {
    let unread =
        |table: &str| NotLookedAt { table: table.to_owned(), why: "no query read it".to_owned(), left_out: false };
    let failed = FailedQuery { query: Some("q6".to_owned()), why: "function: pg_sleep is not allowed".to_owned() };
    Coverage {
        tables: 3,
        tables_looked_at_count: 1,
        tables_looked_at: vec!["public.primary_sales".to_owned()],
        tables_not_looked_at_count: 2,
        tables_not_looked_at: vec![unread("public.targets"), unread("public.visits")],
        queries_answered: 11,
        queries_failed_count: 1,
        queries_failed: vec![failed],
        queries_unanswered: 0,
        limits: reason.is_limit().then_some(reason).into_iter().collect(),
        incomplete_because: match reason {
            StopReason::Finished => Vec::new(),
            _ if reason.is_limit() => vec![Gap::Limit],
            _ => vec![Gap::EndedEarly],
        },
    }
}

/// A whole run that ended for `reason`.
pub(crate) fn events(reason: StopReason) -> Vec<Event> {
    let mut events = vec![started()];
    events.extend([monthly(), customers(), batches(), discounts(), hostile_result()].map(Event::Queried));
    events.push(Event::QueryFailed {
        id: Some("q6".to_owned()),
        sql: "SELECT pg_sleep(10)".to_owned(),
        message: "function: pg_sleep is not allowed".to_owned(),
    });
    events.push(Event::FindingRefused { arguments: "{}".to_owned(), problems: vec!["42 is in no cell".to_owned()] });
    events.extend([churn(), quality(), margin(), hostile_finding()].map(|finding| Event::Found(Box::new(finding))));
    events.push(Event::Warned { message: format!("a warning {HOSTILE}") });
    events.push(stopped(reason));
    events
}

fn result(id: &str, question: &str, sql: &str, columns: &[(&str, &str)], rows: &[&[&str]]) -> QueryResult {
    let column = |&(name, type_name): &(&str, &str)| Column { name: name.to_owned(), type_name: type_name.to_owned() };
    let cell = |cell: &&str| (*cell != "NULL").then(|| (*cell).to_owned());
    QueryResult {
        id: id.to_owned(),
        sql: sql.to_owned(),
        question: question.to_owned(),
        table: Table {
            columns: columns.iter().map(column).collect(),
            rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
            more_rows: false,
            suppressed: 0,
        },
        elapsed_milliseconds: 12,
    }
}

pub(crate) fn monthly() -> QueryResult {
    result(
        "q1",
        "How did CUST004's net sales run by month?",
        "SELECT date_trunc('month', billing_date)::date AS month,\n       sum(net_sales_value_1) AS net_sales,\n       \
         count(*) AS invoices\nFROM primary_sales\nWHERE customer_code = 'CUST004'\nGROUP BY 1\nORDER BY 1",
        &[("month", "date"), ("net_sales", "numeric"), ("invoices", "int8")],
        &[
            &["2025-04-01", "41200.00", "2"],
            &["2025-05-01", "43850.00", "2"],
            &["2025-06-01", "39900.00", "2"],
            &["2025-07-01", "44150.00", "2"],
            &["2025-08-01", "22000.00", "1"],
            &["2025-09-01", "0", "0"],
            &["2025-10-01", "0", "0"],
            &["2025-11-01", "0", "0"],
        ],
    )
}

fn customers() -> QueryResult {
    result(
        "q2",
        "Which customers have been silent for longer than their own usual interval?",
        "WITH gaps AS (\n  SELECT customer_code, customer_name, region, billing_date\n  FROM primary_sales\n)\nSELECT *\n\
         FROM gaps",
        &[
            ("customer_code", "text"),
            ("customer_name", "text"),
            ("region", "text"),
            ("last_invoice", "date"),
            ("silent_days", "int4"),
            ("usual_interval_days", "numeric"),
            ("net_sales", "numeric"),
            ("net_share", "numeric"),
        ],
        &[
            &[
                "CUST004",
                "GHI Service Center",
                "North",
                "2025-08-01",
                "121",
                "14.2000000000000000",
                "191100.00",
                "0.1171",
            ],
            &["CUST002", "DEF Motors", "South", "2025-11-24", "6", "15.0000000000000000", "402310.00", "0.2466"],
            &["CUST001", "ABC Lubricants", "North", "2025-11-21", "9", "11.3333333333333333", "351200.00", "0.2153"],
            &["CUST006", "MNO Traders", "West", "2025-11-18", "12", "20.0000000000000000", "298750.00", "0.1831"],
            &["CUST003", "JKL Industrial", "East", "2025-11-12", "18", "21.5000000000000000", "201900.00", "0.1238"],
            &["CUST005", "PQR Workshop", "South", "2025-11-05", "25", "NULL", "186050.00", "0.1141"],
        ],
    )
}

fn batches() -> QueryResult {
    result(
        "q3",
        "Which batches come back?",
        "SELECT batch, plant, sum(quantity) FILTER (WHERE billing_code = 'SA') AS sold FROM primary_sales GROUP BY 1, 2",
        &[
            ("batch", "text"),
            ("plant", "text"),
            ("sold", "int8"),
            ("returned", "int8"),
            ("return_rate_percent", "numeric"),
        ],
        &[
            &["BATCH009", "Plant-C", "300", "50", "16.6666666666666667"],
            &["BATCH004", "Plant-A", "820", "9", "1.0975609756097561"],
            &["BATCH001", "Plant-A", "1150", "4", "0.3478260869565217"],
            &["BATCH007", "Plant-B", "640", "0", "0.0000000000000000"],
        ],
    )
}

fn discounts() -> QueryResult {
    let rows = (1..=24).map(|rank| {
        let discount = if rank == 18 { "15.00".to_owned() } else { format!("{}.{}0", 2 + rank % 4, rank % 10) };
        vec![format!("CUST{rank:03}"), format!("{}", 900_000 - 31_417 * rank), discount]
    });
    let columns = [("customer_code", "text"), ("gross_sales", "numeric"), ("discount_percent", "numeric")];
    let mut result = result("q4", "Who gets how much off gross?", "SELECT 1 AS \"```` fence\"", &columns, &[]);
    result.table.rows = rows.map(|row| row.into_iter().map(Some).collect()).collect();
    result.table.more_rows = true;
    result
}

fn hostile_result() -> QueryResult {
    let huge = format!("{HOSTILE}{}", "A".repeat(1 << 20));
    let sql = format!("SELECT '</code></pre><script>alert(1)</script>' AS x -- {HOSTILE}");
    let columns = [(HOSTILE, "text"), ("株式会社 wide", "text"), ("n", "numeric"), ("void", "text")];
    let rows: &[&[&str]] = &[&[HOSTILE, "日本語😀\u{0}", "12345.678", "NULL"], &[&huge, "|", "-3", "\u{202e}x"]];
    result("q5", HOSTILE, &sql, &columns, rows)
}

/// More columns than fit anywhere, the one that matters late among them.
pub(crate) fn wide() -> QueryResult {
    let numbers =
        ["n_rows", "surplus_rows", "share_pct", "net_sales", "net_sales_once", "surplus_value", "invoices", "repeated"];
    let numbers = numbers.into_iter().map(|name| (name, "numeric"));
    let columns = [("part", "text")].into_iter().chain(numbers).chain([("note", "text")]).collect::<Vec<_>>();
    result(
        "q1",
        "On which days are lines repeated?",
        "SELECT 1",
        &columns,
        &[
            &["1 to 9", "45046", "22844", "50.7", "754977", "376267", "378710", "1088", "1001", "loaded twice"],
            &["10 to 31", "19958", "179", "0.9", "371469", "370457", "1012", "937", "68", "NULL"],
            &["the rest", "18000", "120", "0.7", "361469", "360457", "1011", "900", "60", "NULL"],
            &["unknown", "17000", "110", "0.6", "351469", "350457", "1010", "800", "50", "NULL"],
        ],
    )
}

/// A finding on [`wide`] that names its impact's cell.
pub(crate) fn surplus() -> Told {
    finding(json!({
        "id": "F1",
        "fingerprint": "0000000000000000",
        "title": "The load of 1 to 9 December is there twice",
        "severity": "high",
        "category": "data_quality",
        "segment": "1 to 9",
        "period": "2010-12-01 to 2010-12-31",
        "narrative": "50.7% of the lines are surplus, against 0.9%.",
        "impact": {
            "metric": "net sales that do not exist",
            "amount": "378710",
            "amount_text": "378,710",
            "unit": "GBP",
            "expression": "q1[1].surplus_value",
            "arithmetic": "378,710 = 378,710",
            "assumptions": []
        },
        "figures": [{ "name": "once", "expression": "q1[1].net_sales_once + q1[2].net_sales_once", "arithmetic": "376,267 + 370,457 = 746,724", "value": "746724", "text": "746,724" }],
        "evidence": [{ "query": "q1", "rows": [1, 2] }],
        "confidence": "high",
        "recommended_actions": [],
        "falsified_by": "Two deliveries."
    }))
}

fn finding(value: Value) -> Told {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn churn() -> Told {
    finding(json!({
        "id": "F1",
        "fingerprint": "9c1f0a77b3d2e415",
        "title": "GHI Service Center (CUST004) has been silent for 121 days, 458,640 INR a year at risk",
        "severity": "high",
        "category": "churn",
        "segment": "CUST004",
        "period": "2025-04-01 to 2025-11-30",
        "narrative": "CUST004 in North ordered every 14.2 days until 1 August 2025 and has not ordered since: 121 days, more than eight of its own intervals. Nobody else is beyond twice their interval.\n\nIts net sales were steady before it stopped, between 39,900 and 44,150 INR a month from April to July, so this is no slow decline.",
        "impact": {
            "metric": "net sales at risk",
            "amount": "458640",
            "amount_text": "458,640",
            "unit": "INR per year",
            "arithmetic": "191,100.00 / 5 × 12 = 458,640",
            "assumptions": ["the five months with sales are typical of a year", "nothing of it moved to another customer code"]
        },
        "figures": [],
        "evidence": [
            { "query": "q2", "rows": [1], "columns": ["customer_code", "silent_days", "usual_interval_days", "net_sales"] },
            { "query": "q1", "rows": [1, 2, 3, 4, 5], "columns": ["net_sales"] }
        ],
        "confidence": "high",
        "recommended_actions": [
            { "action": "Call the owner of GHI Service Center and ask why they stopped", "why": "at eight missed intervals a customer is rarely just late", "who": "Regional sales manager North", "by_when": "2025-12-05" },
            { "action": "Check whether a competitor took over the workshop's bulk oil contract", "why": "the silence began with a month's turn, as contracts do", "who": "Key account team", "by_when": "within two weeks" }
        ],
        "falsified_by": "An invoice to CUST004 after 1 August 2025, or a new customer code for the same workshop."
    }))
}

fn quality() -> Told {
    finding(json!({
        "id": "F2",
        "fingerprint": "1b77aa02c94ef358",
        "title": "A sixth of BATCH009 came back: 50 of 300 units, all from Plant-C",
        "severity": "critical",
        "category": "quality",
        "segment": "BATCH009",
        "period": "2025-07-01 to 2025-11-30",
        "narrative": "16.7% of the units sold of BATCH009 were returned. The next batch has 1.1%.",
        "impact": {
            "metric": "units returned",
            "amount": "50",
            "amount_text": "50",
            "unit": "units",
            "arithmetic": "q3[1].returned = 50",
            "assumptions": []
        },
        "figures": [],
        "evidence": [{ "query": "q3", "rows": [1, 2] }],
        "confidence": "medium",
        "recommended_actions": [
            { "action": "Hold what is left of BATCH009 and test it", "why": "more returns are likely while it is on shelves", "who": "Quality manager, Plant-C", "by_when": "today" }
        ],
        "falsified_by": "A note that the returns were a wrong delivery and not a defect."
    }))
}

fn margin() -> Told {
    finding(json!({
        "id": "F3",
        "fingerprint": "55d0e18c4472ab90",
        "title": "CUST018 gets 15% off gross, three times what its peers get",
        "severity": "medium",
        "category": "margin",
        "segment": "CUST018",
        "period": "2025-07-01 to 2025-11-30",
        "narrative": "CUST018 is given 15.00% off gross; everybody else gets between 2 and 6%.",
        "impact": {
            "metric": "net sales given away beyond a 5% discount",
            "amount": "33449.40",
            "amount_text": "33,449",
            "unit": "INR per year",
            "arithmetic": "334,494 × (15.00% − 5%) = 33,449.40",
            "assumptions": ["5% is what a customer of this size would accept"]
        },
        "figures": [{ "name": "excess", "expression": "q4[18].gross_sales * 0.10", "arithmetic": "334,494 × 0.10 = 33,449.40", "value": "33449.40", "text": "33,449" }],
        "evidence": [{ "query": "q4", "rows": [18], "columns": ["discount_percent"] }, { "query": "q99", "rows": [1] }],
        "confidence": "low",
        "recommended_actions": [],
        "falsified_by": "A contract that grants it."
    }))
}

fn hostile_finding() -> Told {
    let huge = format!("{HOSTILE} {}", "word ".repeat(200_000));
    finding(json!({
        "id": "F4",
        "fingerprint": "ffffffffffffffff",
        "title": HOSTILE,
        "severity": "low",
        "category": "data_quality",
        "segment": HOSTILE,
        "period": HOSTILE,
        "narrative": huge,
        "impact": {
            "metric": HOSTILE, "amount": "-3", "amount_text": "-3", "unit": HOSTILE, "arithmetic": huge, "assumptions": [HOSTILE]
        },
        "figures": [],
        "evidence": [{ "query": "q5", "rows": [2, 1, 7] }],
        "confidence": "low",
        "recommended_actions": [{ "action": HOSTILE, "why": HOSTILE, "who": HOSTILE, "by_when": HOSTILE }],
        "falsified_by": HOSTILE
    }))
}
