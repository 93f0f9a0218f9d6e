//! Evaluations: right findings are found right, decoys are taken for decoys, and the command does all of it.

use std::sync::Arc;
use std::time::Duration;

use explore::finding::Severity;
use explore::finding::companions::Evaluator;
use explore::finding::fact::Fact;
use explore::finding::record::{self, Finding, Words};
use explore::finding::results::{QueryResult, Results};
use explore::finding::workbook::{Sheet, Workbook};
use explore::sample::eval::trial::{self, Trials};
use explore::sample::eval::{self, Verdict};
use explore::sample::planted::{self, Dataset, DecoyKind, Schema, SignalKind};
use explore::semantic::metadata::Metadata;
use explore::semantic::{self, Joins, Opened};
use explore::warehouse::executor::Rules;
use explore::warehouse::{Limits, lineage};

use crate::support::program::Program;
use crate::support::server::{connect, execute, fresh};

/// A generated data set in a database.
struct Ground {
    data: Dataset,
    url: String,
    opened: Opened,
}

impl Ground {
    async fn new(schema: Schema, seed: u64) -> Self {
        let data = planted::generate(schema, seed, 0);
        let url = fresh(&format!("eval_{}_{seed}", schema.name()), &format!("{};\nANALYZE", data.sql())).await;
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let limits = Limits::of_query(Duration::from_secs(30), 1_000, None);
        let database = Arc::new(connect(&url).await);
        let opened = semantic::open(database, Metadata::default(), rules, limits, Joins::Guessed).await.unwrap();
        Self { data, url, opened }
    }

    /// The table's name, then those of its columns.
    fn words(&self, table: usize) -> Vec<String> {
        let name = self.data.table_names().nth(table).unwrap().to_owned();
        let sql = self.data.sql();
        let columns = sql.split_once(&format!("CREATE TABLE {name} (")).unwrap().1.split_once(");").unwrap().0;
        let columns = columns.split(", ").filter_map(|column| column.split(' ').next());
        let columns = columns.filter(|word| !word.ends_with(')')).map(str::to_owned);
        std::iter::once(name).chain(columns).collect()
    }

    /// A finding of one claim over a statement, with the statement's result.
    async fn finding(&self, sql: &str, claim: &str) -> (Finding, Results) {
        let executor = &self.opened.executor;
        let select = executor.validate(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        let table = executor.run(&select, Duration::from_secs(30)).await.unwrap();
        let result = Arc::new(QueryResult::new("q1".to_owned(), String::new(), &select, table, 0));
        let catalog = Arc::new(self.opened.catalog.clone());
        let lineage = lineage::of(&select, &catalog);
        let mut book = Workbook::new(catalog, self.data.as_of);
        book.push(Sheet::new(Arc::clone(&result), lineage));
        let mut evaluator = Evaluator::new(&mut book, executor, Duration::from_secs(30));
        let fact: Fact = evaluator.evaluate(claim).await.unwrap_or_else(|reason| panic!("{claim}: {reason}\n{sql}"));
        let mut results = Results::default();
        results.push(result);
        let finding = record::of("F1".to_owned(), vec![fact], None, Severity::High, Words::default());
        (finding.unwrap(), results)
    }

    /// What a finding of one claim names: signals and decoys.
    async fn named(&self, sql: &str, claim: &str) -> (Vec<SignalKind>, Vec<DecoyKind>, String) {
        let (finding, _) = self.finding(sql, claim).await;
        let headline = finding.headline().to_owned();
        let findings = [finding];
        let signals = eval::sought(&self.data, &findings).into_iter().filter(|signal| signal.found_by.is_some());
        let decoys = eval::avoided(&self.data, &findings).into_iter().filter(|decoy| decoy.taken_by.is_some());
        (signals.map(|signal| signal.kind).collect(), decoys.map(|decoy| decoy.kind).collect(), headline)
    }

    async fn assert_signal(&self, kind: SignalKind, sql: &str, claim: &str) {
        let (signals, decoys, headline) = self.named(sql, claim).await;
        assert_eq!((signals, decoys), (vec![kind], Vec::new()), "{headline}");
    }

    async fn assert_decoy(&self, kind: DecoyKind, sql: &str, claim: &str) {
        let (signals, decoys, headline) = self.named(sql, claim).await;
        assert_eq!((signals, decoys), (Vec::new(), vec![kind]), "{headline}");
    }

    /// The first value by which a signal's mark names it.
    fn signal(&self, kind: SignalKind) -> &str {
        &self.data.signals.iter().find(|signal| signal.kind == kind).unwrap().mark.values[0].value
    }

    /// The first value by which a decoy's mark names it.
    fn decoy(&self, kind: DecoyKind) -> &str {
        &self.data.decoys.iter().find(|decoy| decoy.kind == kind).unwrap().mark.values[0].value
    }
}

#[tokio::test]
async fn findings_about_sales_are_judged() {
    let ground = Ground::new(Schema::Sales, 7).await;
    let words = ground.words(0);
    let [table, _, date, customer, region, _, channel, category, _, _, discount, amount] = words.as_slice() else {
        panic!("{words:?}")
    };
    let halves = |of: &str| {
        let middle = ground.data.as_of.first_of_month().saturating_sub(jiff::ToSpan::months(4));
        format!(
            "SELECT {of}, count(*) FILTER (WHERE {date} < '{middle}') AS before, count(*) FILTER (WHERE {date} >= '{middle}') \
             AS later, avg({discount}) FILTER (WHERE {date} < '{middle}') AS rate_before, avg({discount}) FILTER (WHERE \
             {date} >= '{middle}') AS rate_later, avg({amount}) FILTER (WHERE {date} < '{middle}') AS size_before, \
             avg({amount}) FILTER (WHERE {date} >= '{middle}') AS size_later FROM {table} GROUP BY 1"
        )
    };
    let claim = |kind, before: &str, later: &str| {
        let value = ground.signal(kind);
        format!("change(q1[{value}].{before}, q1[{value}].{later})")
    };
    let churn = claim(SignalKind::Churn, "before", "later");
    ground.assert_signal(SignalKind::Churn, &halves(customer), &churn).await;
    let decline = claim(SignalKind::SilentDecline, "size_before", "size_later");
    ground.assert_signal(SignalKind::SilentDecline, &halves(customer), &decline).await;
    let loss = claim(SignalKind::RegionalLoss, "before", "later");
    ground.assert_signal(SignalKind::RegionalLoss, &halves(region), &loss).await;
    let erosion = claim(SignalKind::DiscountErosion, "rate_before", "rate_later");
    ground.assert_signal(SignalKind::DiscountErosion, &halves(channel), &erosion).await;
    let seasonal = ground.decoy(DecoyKind::Season);
    let season = format!("change(q1[{seasonal}].before, q1[{seasonal}].later)");
    ground.assert_decoy(DecoyKind::Season, &halves(category), &season).await;
}

#[tokio::test]
async fn findings_about_expenses_are_judged() {
    let ground = Ground::new(Schema::Expenses, 7).await;
    let words = ground.words(0);
    let [table, _, submitted, processed, department, category, _, amount, state] = words.as_slice() else {
        panic!("{words:?}")
    };
    let rejected =
        &ground.data.signals.iter().find(|signal| signal.kind == SignalKind::Rejections).unwrap().mark.measures[0][0];
    let by = |of: &str| {
        format!(
            "SELECT {of}, avg({amount}) AS amount, avg(extract(epoch FROM {processed} - {submitted}) / 3600) AS hours, \
             avg(({state} = {rejected})::int) AS rejected FROM {table} GROUP BY 1"
        )
    };
    let gap = |value: &str, what: &str| format!("gap(q1[{value}].{what}, rest)");
    let costly = gap(ground.signal(SignalKind::HighAmounts), "amount");
    ground.assert_signal(SignalKind::HighAmounts, &by(department), &costly).await;
    let often = gap(ground.signal(SignalKind::Rejections), "rejected");
    ground.assert_signal(SignalKind::Rejections, &by(department), &often).await;
    let slow = gap(ground.signal(SignalKind::GrowingDurations), "hours");
    ground.assert_signal(SignalKind::GrowingDurations, &by(category), &slow).await;
    let random = gap(ground.decoy(DecoyKind::RandomClosing), "hours");
    ground.assert_decoy(DecoyKind::RandomClosing, &by(department), &random).await;
    let few = gap(ground.decoy(DecoyKind::SmallNumbers), "rejected");
    ground.assert_decoy(DecoyKind::SmallNumbers, &by(department), &few).await;
}

#[tokio::test]
async fn findings_about_tickets_and_visits_are_judged() {
    let ground = Ground::new(Schema::Tickets, 7).await;
    let (agents, tickets) = (ground.words(0), ground.words(1));
    let ([agents, _, name, _], [tickets, _, _, opened, closed, _, category, _]) =
        (agents.as_slice(), tickets.as_slice())
    else {
        panic!("{agents:?} {tickets:?}")
    };
    let by_agent = format!(
        "SELECT {name}, count(*) AS n, count(*) FILTER (WHERE {closed} IS NULL) AS left_open, avg(extract(epoch FROM {closed} - {opened})) AS time \
         FROM {tickets} JOIN {agents} USING (agent_id) GROUP BY 1"
    );
    let loaded = format!("rank(q1[{}].n)", ground.signal(SignalKind::UnevenLoad));
    ground.assert_signal(SignalKind::UnevenLoad, &by_agent, &loaded).await;
    let behind = format!("rank(q1[{}].left_open)", ground.signal(SignalKind::Backlog));
    ground.assert_signal(SignalKind::Backlog, &by_agent, &behind).await;
    let slow = ground.signal(SignalKind::GrowingDurations);
    let by_month = format!(
        "SELECT date_trunc('month', {opened})::date AS month, avg(extract(epoch FROM {closed} - {opened}) / 3600) AS hours FROM \
         {tickets} WHERE {category} = '{slow}' AND {closed} IS NOT NULL GROUP BY 1 ORDER BY 1"
    );
    ground.assert_signal(SignalKind::GrowingDurations, &by_month, "trend(q1.hours)").await;

    let ground = Ground::new(Schema::Visits, 7).await;
    let words = ground.words(0);
    let [visits, _, started, device, country, _, _, bought] = words.as_slice() else { panic!("{words:?}") };
    let fallen = ground.signal(SignalKind::ConversionDrop);
    let by_month = format!(
        "SELECT date_trunc('month', {started})::date AS month, count(*) FILTER (WHERE {bought}) AS bought, count(*) AS n FROM \
         {visits} WHERE {device} = '{fallen}' GROUP BY 1 ORDER BY 1"
    );
    ground
        .assert_signal(
            SignalKind::ConversionDrop,
            &by_month,
            "differ(q1[#7].bought of q1[#7].n, q1[#3].bought of q1[#3].n)",
        )
        .await;
    let misled = ground.decoy(DecoyKind::SimpsonPair);
    let by_country = format!("SELECT {country}, avg({bought}::int) AS share FROM {visits} GROUP BY 1");
    ground.assert_decoy(DecoyKind::SimpsonPair, &by_country, &format!("gap(q1[{misled}].share, rest)")).await;
}

#[tokio::test]
async fn what_holds_in_other_draws_is_real_and_what_does_not_is_chance() {
    let ground = Ground::new(Schema::Tickets, 8).await;
    let words = ground.words(1);
    let [tickets, _, _, opened, closed, priority, _, site] = words.as_slice() else { panic!("{words:?}") };
    let time = format!("avg(extract(epoch FROM {closed} - {opened}))");
    let by = |of: &str, what: &str| format!("SELECT {of}, {what} AS n FROM {tickets} GROUP BY 1 ORDER BY 2 DESC");
    let verdict = async |sql: &str| {
        let (finding, results) = ground.finding(sql, "gap(q1[#1].n, q1[#2].n)").await;
        let findings = [finding];
        let again = async || trial::again(&findings, &results, &ground.opened, ground.data.as_of).await;
        let mut trials = Trials { same: again().await, others: Vec::new() };
        assert_eq!(trials.same.figures(&findings).wrong, 0);
        for draw in 1..=eval::DRAWS {
            execute(&ground.url, &planted::generate(Schema::Tickets, 8, draw).rows_sql()).await;
            trials.others.push(again().await);
        }
        execute(&ground.url, &ground.data.rows_sql()).await;
        eval::judge(&ground.data, &findings, &trials)[0].verdict
    };
    assert_eq!(verdict(&by(priority, &time)).await, Verdict::Real, "hard tickets take longer");
    assert_eq!(verdict(&by(site, "count(*)")).await, Verdict::Chance, "sites have equally many tickets");
}

#[test]
fn the_command_evaluates_the_offline_analyst_and_compares_reports() {
    let program = Program::new().variable("HOME", "/tmp");
    let first = program.run(&["eval", "--offline", "--schemas", "tickets", "--seed", "5", "-o", "a.json"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(first.stderr.contains("seed 5"), "{}", first.stderr);
    let text = std::fs::read_to_string(program.path("a.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["planted"][0]["schema"], "tickets");
    assert_eq!(report["planted"][0]["signals"].as_array().unwrap().len(), 3);
    assert_eq!(report["shares"][0]["whole"], 3);
    let compared = program.run(&["eval", "--compare", "a.json", "a.json"]);
    assert_eq!(compared.code, 0, "{}", compared.stderr);
    assert!(compared.stdout.contains("signals found"), "{}", compared.stdout);
    let null = program.run(&["eval", "--offline", "--null", "1", "--schemas", "expenses", "--seed", "5"]);
    assert_eq!(null.code, 0, "{}", null.stderr);
    assert!(null.stdout.contains("shuffled sets with a finding of medium or more"), "{}", null.stdout);
    let wrong = program.run(&["eval", "--offline", "--schemas", "nothing"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
}

#[test]
fn a_folder_in_insightbenchs_layout_is_evaluated() {
    let program = Program::new().variable("HOME", "/tmp");
    let folder = program.path("sets/one");
    std::fs::create_dir_all(&folder).unwrap();
    let rows = (0..120).map(|n| {
        let (team, cost) = if n % 4 == 0 { ("Web Team", 40 + n % 7) } else { ("Ops", 10 + n % 5) };
        format!("{n},2025-0{}-10 08:00:00,{team},{cost}\n", 1 + n % 9)
    });
    let rows = rows.collect::<String>();
    std::fs::write(folder.join("data.csv"), format!("id,opened_at,team,cost\n{rows}")).unwrap();
    let truth = r#"{"metadata": {"goal": "Why do some teams cost more?"}, "insight_list": [{"insight": "Web Team costs more",
        "insight_value": {"Web Team": "30", "Ops": {"Tickets": 90, "Wrong": "77.77"}}, "plot": null}]}"#;
    std::fs::write(folder.join("ground_truth_full.json"), truth).unwrap();
    let outcome = program.run(&["eval", "--offline", "--insightbench", "sets", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let run = &report["insightbench"][0];
    assert_eq!(run["numbers"], 3);
    let sought = run["sought"].as_array().unwrap().iter().map(|figure| figure["what"].as_str().unwrap());
    assert_eq!(
        sought.collect::<Vec<_>>(),
        ["number of rows is 30 with team 'Web Team'", "number of rows is 90 with team 'Ops'"]
    );
}
