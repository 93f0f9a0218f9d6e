//! Amounts of several currencies that a declared table of rates converts: instruments tell of them what they tell of the same
//! amounts in one currency.

use explore::instruments::{Conclusion, Instrument, Observation};

use super::support::Opened;

/// The column of currencies, which nothing but the metadata says.
const CURRENCY: &str = r#"{"currency": {"column": "market", "unit": "EUR",
    "rates": {"table": "rates", "currency": "code", "rate": "to_eur"}}}"#;
const CURRENCY_BY_DAY: &str = r#"{"time_zone": "Asia/Kolkata", "currency": {"column": "market", "unit": "EUR",
    "rates": {"table": "rates", "currency": "code", "rate": "to_eur", "day": "valid_on"}}}"#;
const EUROS: &str = r#"{"columns": {"market": {"role": "dimension"}, "amount": {"unit": "EUR"}}}"#;

const RATES: &str = "
    CREATE TABLE rates (code text PRIMARY KEY, to_eur numeric NOT NULL);
    INSERT INTO rates VALUES ('USD', 0.92), ('JPY', 0.0061)";
/// For each day of Kolkata.
const RATES_BY_DAY: &str = "
    CREATE TABLE rates (code text NOT NULL, valid_on date NOT NULL, to_eur numeric NOT NULL, PRIMARY KEY (code, valid_on));
    INSERT INTO rates SELECT code, d, rate + (d::date - date '2024-06-01') * rate / 1000
    FROM (VALUES ('USD', 0.92), ('JPY', 0.0061)) known (code, rate), generate_series(date '2024-05-01', '2026-01-31', '1 day') d";

/// Orders of 18 months in three currencies; those of the South are halved from October 2025 on, and cost more than others. As
/// an amount stands `amount`, computed of the amount paid and of the rate.
fn orders(rates: &str, join: &str, amount: &str) -> String {
    format!(
        "{rates};
         SELECT setseed(0.6);
         CREATE TABLE orders (id int PRIMARY KEY, customer_id int, ordered_at timestamptz, region text, market text,
             amount numeric);
         INSERT INTO orders SELECT n, 1 + n % 60, at, region, market, {amount} FROM (
             SELECT row_number() OVER (ORDER BY at, region) AS n, at, region, market,
                 round(((10 + value * 20 + CASE region WHEN 'South' THEN 4 ELSE 0 END)
                     * CASE market WHEN 'JPY' THEN 160 ELSE 1 END)::numeric, 2) AS paid
             FROM (SELECT d + random() * interval '1 day' AS at, region, (ARRAY['EUR', 'USD', 'JPY'])[1 + floor(random() * 3)::int] AS market,
                     random() AS value, random() AS dice
                 FROM generate_series(timestamptz '2024-06-01', '2025-12-30', '1 day') d,
                     unnest(ARRAY['North', 'South', 'East']) region, generate_series(1, 4)) cells
             WHERE region <> 'South' OR at < '2025-10-01' OR dice < .4) o {join}"
    )
}

const CONVERTED: &str = "CASE market WHEN 'EUR' THEN paid ELSE paid * to_eur END";

/// What was seen of amounts.
fn seen(conclusion: &Conclusion) -> Vec<String> {
    let of_amounts = conclusion.observations.iter().filter(|one| one.measure.contains("amount"));
    let of = |one: &Observation| {
        let measure = one.measure.replace(" in EUR", "");
        format!("{measure} {:?} {:.6e} {:.6}", one.segment, one.p, one.effect)
    };
    of_amounts.map(of).collect()
}

/// Checks that amounts that are converted say what amounts in one currency say. Returns what they say.
async fn check(name: &str, rates: &str, metadata: &str, join: &str) -> Vec<String> {
    let several =
        Opened::described(&format!("{name}_several"), &orders(rates, "", "paid"), &[("orders", metadata)]).await;
    let zone = if metadata.contains("time_zone") { r#""time_zone": "Asia/Kolkata", "# } else { "" };
    let one = EUROS.replacen('{', &format!("{{{zone}"), 1);
    let one = Opened::described(&format!("{name}_one"), &orders(rates, join, CONVERTED), &[("orders", &one)]).await;
    let mut told = Vec::new();
    for instrument in Instrument::ALL {
        let (converted, plain) = (several.ask(instrument, &["region"]).await, one.ask(instrument, &["region"]).await);
        assert_eq!(seen(&converted), seen(&plain), "{instrument:?}");
        assert!(
            !converted.lines.iter().any(|line| line.contains("currenc") || line.contains("rate")),
            "{converted:#?}"
        );
        let is_of_amount = |line: &&String| line.contains("amount");
        let converted = several.told_by(instrument, &["region"]).await;
        let converted = converted.iter().filter(is_of_amount).cloned().collect::<Vec<_>>();
        let plain = one.told_by(instrument, &["region"]).await;
        let plain = plain.iter().filter(is_of_amount).cloned().collect::<Vec<_>>();
        let bare = converted.iter().map(|line| line.replace("amount in EUR", "amount")).collect::<Vec<_>>();
        assert_eq!(bare, plain, "{instrument:?}");
        told.extend(converted);
    }
    assert!(told.iter().all(|line| line.contains("amount in EUR") && line.ends_with(" []")), "{told:#?}");
    told
}

#[tokio::test]
async fn amounts_that_are_converted_say_what_amounts_in_one_currency_say() {
    let told = check("currency", RATES, CURRENCY, "LEFT JOIN rates ON code = market").await;
    assert!(told.len() > 4, "{told:#?}");
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_row_has_the_rate_of_its_own_day() {
    let join = "LEFT JOIN rates ON code = market AND valid_on = (at AT TIME ZONE 'Asia/Kolkata')::date";
    let told = check("currency_by_day", RATES_BY_DAY, CURRENCY_BY_DAY, join).await;
    assert!(told.len() > 4, "{told:#?}");
}

#[tokio::test]
async fn rows_without_a_rate_are_left_out_and_counted() {
    let sql = orders(RATES, "", "paid") + "; UPDATE orders SET market = 'CHF', amount = 1e9 WHERE id % 100 = 7";
    let opened = Opened::described("currency_unrated", &sql, &[("orders", CURRENCY)]).await;
    let told = opened.told_by(Instrument::Compare, &["region"]).await;
    assert!(told.iter().any(|line| line.contains("amount in EUR")), "{told:#?}");
    // One amount of a billion would be more than all others.
    assert!(!told.iter().any(|line| line.contains("000,000")), "{told:#?}");
    let unrated = "SELECT count(*) AS value FROM orders WHERE market = 'CHF'";
    let rows = opened.cell(unrated).await;
    let lines = opened.ask(Instrument::Compare, &["region"]).await.lines;
    let line = lines.iter().find(|line| line.contains("rates has no rate for them")).unwrap();
    let count = line.trim_start_matches("left out: amounts of ").split(' ').next().unwrap();
    assert!(rows.contains(&format!(" {count} ")) || rows.contains(&format!(" {count}.")), "{rows} {line}");
}

#[tokio::test]
async fn without_the_key_amounts_of_several_currencies_are_left_out() {
    let sql = orders(RATES, "", "paid").replace("market", "currency");
    let opened = Opened::new("currency_unsaid", &sql).await;
    let lines = opened.ask(Instrument::Compare, &["region"]).await.lines;
    assert!(
        lines.contains(&"left out: amount: amounts of several currencies (currency) are not taken together".to_owned()),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_sum_over_several_currencies_carries_a_doubt_unless_the_declared_rates_convert_it() {
    let sql = orders(RATES, "", "paid") + "; ALTER TABLE orders ADD COLUMN note text DEFAULT 'USD'";
    let opened = Opened::described("currency_doubts", &sql, &[("orders", CURRENCY)]).await;
    let check = async |value: &str, join: &str, is_doubted: bool| {
        let fact = opened.cell(&format!("SELECT {value} AS value FROM orders o {join}")).await;
        assert_eq!(fact.contains("several_currencies"), is_doubted, "{fact}");
    };
    let by_market = "LEFT JOIN rates r ON r.code = o.market";
    let converted = "CASE WHEN o.market = 'EUR' THEN o.amount ELSE o.amount * r.to_eur END";
    check("sum(amount)", "", true).await;
    check("avg(o.amount * r.to_eur)", by_market, false).await;
    check(&format!("sum({converted})"), by_market, false).await;
    check(&format!("sum({converted}) FILTER (WHERE o.region = 'South')"), by_market, false).await;
    // Neither other rates, nor other amounts, nor amounts beside those that are converted.
    check("sum(o.amount * r.to_eur)", "LEFT JOIN rates r ON r.code = o.note", true).await;
    check("avg(o.amount)", by_market, true).await;
    check(&format!("sum({converted} + o.amount)"), by_market, true).await;
}
