//! Each form: what it says, what it refuses, and what it says instead of guessing.

use super::Ground;

/// Two regions, three kinds; March has no rows of the North; the last month is covered to the tenth; one amount is missing.
pub(super) const TABLES: &str = "
    CREATE TABLE sales (id integer PRIMARY KEY, region text NOT NULL, kind text, day date NOT NULL, amount numeric, units int);
    INSERT INTO sales SELECT n, CASE WHEN n % 3 = 0 THEN 'North' ELSE 'South' END, (ARRAY['a', 'b', NULL])[1 + n % 3],
        DATE '2024-01-01' + (n * 2), CASE WHEN n <> 7 THEN 10 + n END, n % 5 FROM generate_series(0, 100) AS n;
    DELETE FROM sales WHERE region = 'North' AND day BETWEEN '2024-03-01' AND '2024-03-31';
    ANALYZE sales";

async fn ground(name: &str) -> Ground {
    Ground::new(name, TABLES).await
}

/// What claims over one statement state; each pair is a claim and a part of what comes of it.
async fn check(ground: &Ground, sql: &str, expected: &[(&str, &str)]) {
    for (claim, part) in expected {
        let said = ground.say(sql, claim).await;
        assert!(said.contains(part), "{sql}\n{claim}\n  {said}\nshould say: {part}");
    }
}

#[tokio::test]
async fn values_shares_and_gaps() {
    let ground = ground("facts_values").await;
    let sql = "SELECT region, count(*) AS alias_of_a_liar, round(avg(amount), 1) AS mean, sum(amount) AS total, \
               count(*) FILTER (WHERE units = 0) AS none FROM sales GROUP BY region";
    check(
        &ground,
        sql,
        &[
            ("q1[North].alias_of_a_liar", "The count of sales with region 'North' is 28."),
            ("q1[south].mean", "The average of amount over sales with region 'South' is"),
            ("share(q1[North].alias_of_a_liar, all)", "28 of 95 sales (29.5%) are with region 'North'."),
            ("share(q1[North].none, q1[North].alias_of_a_liar)", "of 28 sales with region 'North'"),
            ("share(q1[North].mean, all)", "refused"),
            ("share(q1[North].total, q1[North].alias_of_a_liar)", "refused"),
            ("q1[North].mean + q1[South].mean", "refused: averages, shares and distinct counts do not add up"),
            ("q1[North].total + q1[South].total", "The (sum of amount over sales with region 'North') plus (sum of amount over sales with region 'South') is 5,758."),
            ("q1[North].total + q1[North].total", "refused: the two may count the same rows twice"),
            ("q1[North].total * 1.19", "refused: 1.19 is written in the claim"),
            ("gap(q1[North].mean, q1[South].mean)", "rows) (within chance, p = "),
            ("gap(q1[North].mean, rest)", "over all others"),
            ("gap(q1[North].mean, all)", "over all"),
            ("gap(q1[North].mean, q1[South].total)", "refused: the two measure different things"),
            ("gap(q1[North].mean, q1[North].mean)", "refused: the two are of the same rows"),
            ("q1[East].mean", "refused: q1 has no row \"East\""),
            ("q1[North].men", "did you mean `mean`"),
            ("q1.mean", "refused: q1.mean is no single cell"),
            ("q2[North].mean", "refused: there is no result q2"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_part_of_a_move_in_time_is_a_share_too() {
    let ground = ground("facts_moves").await;
    let [february, march] =
        ["day >= '2024-02-01' AND day < '2024-03-01'", "day >= '2024-03-01' AND day < '2024-04-01'"];
    let sql = format!(
        "SELECT count(*) FILTER (WHERE {february}) AS b, count(*) FILTER (WHERE {march}) AS a,
             count(*) FILTER (WHERE {february} AND region = 'North') AS north_b, count(*) FILTER (WHERE {march} AND region = 'North') AS north_a,
             count(*) FILTER (WHERE {february} AND units < 2) AS few_b, count(*) FILTER (WHERE {march} AND units < 2) AS few_a,
             count(*) FILTER (WHERE {february} AND amount >= 50) AS large_b, count(*) FILTER (WHERE {march} AND amount >= 50) AS large_a,
             sum(amount) FILTER (WHERE {march}) AS sum_a, avg(amount) FILTER (WHERE {february}) AS mean_b,
             avg(amount) FILTER (WHERE {march}) AS mean_a, count(*) FILTER (WHERE day >= '2024-04-01' AND day < '2024-05-01') AS april
         FROM sales"
    );
    check(
        &ground,
        &sql,
        &[
            (
                "share(q1.north_a - q1.north_b, q1.a - q1.b)",
                "Of the fall of the count of sales from February 2024 to March 2024 (day), 100.0% is with region 'North': 4 of 4.",
            ),
            (
                "share(q1.few_a - q1.few_b, q1.a - q1.b)",
                "(day), 25.0% is with units below 2: 1 of 4.",
            ),
            ("share(q1.large_a - q1.large_b, q1.a - q1.b)", "did not move with the whole"),
            ("share(q1.sum_a - q1.b, q1.a - q1.b)", "refused"),
            ("share(q1.a - q1.b, q1.north_a - q1.north_b)", "does not contain the count of sales"),
            ("share(q1.north_a - q1.north_b, q1.april - q1.a)", "moved between other periods"),
            ("share(q1.mean_a - q1.mean_b, q1.mean_a - q1.mean_b)", "refused"),
            ("share(q1.b - q1.north_b, q1.a - q1.north_a)", "refused"),
        ],
    )
    .await;
}

#[tokio::test]
async fn days_of_the_week_and_months_have_names() {
    let ground = ground("facts_weekdays").await;
    let sql = "SELECT extract(isodow FROM day) AS d, count(*) AS n FROM sales GROUP BY 1";
    check(
        &ground,
        sql,
        &[
            ("q1[7].n", "The count of sales with day on a Sunday is"),
            ("gap(q1[7].n, q1[1].n)", "with day on a Sunday, against"),
            ("range(q1.n)", "over 7 values of weekday of day that have rows"),
            ("rank(q1[7].n)", "Of 7 values of weekday of day that have rows, Sunday has the"),
        ],
    )
    .await;
    let sql = "SELECT date_part('dow', day)::int AS d, count(*) AS n FROM sales GROUP BY 1";
    check(&ground, sql, &[("q1[d=0].n", "The count of sales with day on a Sunday is")]).await;
    let sql = "SELECT count(*) AS n FROM sales WHERE extract(dow FROM day) = 6";
    check(&ground, sql, &[("q1.n", "The count of sales with day on a Saturday is")]).await;
    let sql = "SELECT extract(month FROM day) AS m, count(*) AS n FROM sales GROUP BY 1";
    let expected = [
        ("q1[2].n", "with day in February of any year is 14"),
        ("rank(q1[2].n)", "values of calendar month of day that have rows, February has the"),
    ];
    check(&ground, sql, &expected).await;
    // Of whole weeks each day is there as often.
    for (until, doubts) in [("2024-04-01", 0), ("2024-04-02", 1)] {
        let sql = format!(
            "SELECT extract(isodow FROM day) AS d, count(*) AS n FROM sales
             WHERE day >= '2024-01-01' AND day < '{until}' GROUP BY 1"
        );
        let stated = ground.state(&[&sql], &["q1[7].n"]).await;
        let fact = stated[0].as_ref().unwrap();
        assert_eq!(fact.doubts.iter().filter(|doubt| doubt.id == "uneven_periods").count(), doubts, "{fact:#?}");
    }
}

#[tokio::test]
async fn groups() {
    let ground = ground("facts_groups").await;
    let sql = "SELECT units, count(*) AS n, avg(amount) AS mean FROM sales GROUP BY units ORDER BY n LIMIT 2";
    check(
        &ground,
        sql,
        &[
            ("rank(q1[#1].n)", "Of 5 values of units that have rows"),
            ("count(q1.n > 100)", "None of 5 values of units that have rows has a count of sales above 100"),
            ("count(q1.n > 0)", "All 5 values of units that have rows have"),
            ("alike(q1.mean)", "for 5 values of units"),
            ("range(q1.n)", "for each of 5 values of units"),
            ("top(9, q1.n)", "of 5 values of units that have rows, from the highest to the lowest"),
        ],
    )
    .await;
    let sql = "SELECT region, units, count(*) AS n FROM sales GROUP BY region, units";
    check(&ground, sql, &[("rank(q1[North, 3].n)", "refused: q1[North, 3].n has several keys")]).await;
    let sql = "SELECT region, count(*) AS n FROM sales GROUP BY ROLLUP (region)";
    check(&ground, sql, &[("range(q1.n)", "over 2 values of region"), ("q1[NULL].n", "is 95.")]).await;
}

#[tokio::test]
async fn time() {
    let ground = ground("facts_time").await;
    let sql = "SELECT date_trunc('month', day)::date AS m, count(*) AS n, avg(amount) AS mean FROM sales \
               WHERE region = 'North' GROUP BY 1";
    check(
        &ground,
        sql,
        &[
            ("change(q1[2024-02-01].n, q1[2024-04-01].n)", "From February 2024 to April 2024 (day) the count of sales"),
            ("change(q1[2024-02-01].n, q1[2024-04-01].n)", "over all 6 periods it ranges from 0 to"),
            ("change(q1[2024-01].n, q1[February 2024].n)", "From January 2024 to February 2024"),
            ("trend(q1.n)", "over 6 months, from January 2024"),
            ("trend(q1.n)", "July 2024 is covered in part and left out"),
            ("trend(q1.mean)", "refused: March 2024 has no value"),
            ("per_day(q1[2024-07-01].n)", "a day on average, over 19 days"),
            ("per_month(q1[2024-07-01].n)", "refused: July 2024 is covered in part only"),
            ("q1[2024-07-01].n", "the data cover it from 1 July 2024 to 19 July 2024"),
            ("rank(q1[2024-07-01].n)", "refused"),
        ],
    )
    .await;
    let sql = "SELECT extract(month FROM day) AS m, count(*) AS n FROM sales GROUP BY 1";
    check(&ground, sql, &[("trend(q1.n)", "refused: q1.n has no period among its keys")]).await;
}

#[tokio::test]
async fn what_has_no_meaning_is_refused() {
    let ground = ground("facts_refused").await;
    for (sql, claim, part) in [
        ("SELECT 42 AS n FROM sales LIMIT 1", "q1.n", "a constant"),
        ("SELECT region, 90 * count(*) AS eur FROM sales GROUP BY region", "q1[North].eur", "holds 90"),
        ("SELECT count(*) AS n FROM generate_series(1, 42)", "q1.n", "reaches no table"),
        ("SELECT count(*) AS n FROM sales CROSS JOIN sales AS other", "q1.n", "joined by no equal columns"),
        ("SELECT id, amount FROM sales ORDER BY id LIMIT 3", "q1[2].amount", "single rows"),
        (
            "SELECT day, sum(sum(amount)) OVER (ORDER BY day) AS s FROM sales GROUP BY day",
            "q1[2].s",
            "order of the rows",
        ),
        ("SELECT sum(amount) AS s FROM (SELECT amount FROM sales LIMIT 5) t", "q1.s", "LIMIT in a subquery"),
        ("SELECT region, count(*) / 10 AS n FROM sales GROUP BY region", "q1[North].n", "holds 10"),
        ("SELECT count(units = 3) AS n FROM sales", "q1.n", "true and false alike"),
        (
            "SELECT count(*) AS n FROM sales WHERE day > now() - interval '9 days'",
            "q1.n",
            "the moment at which it runs",
        ),
        (
            "SELECT replace(region, 'North', 'East') AS r, count(*) AS n FROM sales GROUP BY 1",
            "q1[East].n",
            "statement wrote a part",
        ),
        ("SELECT count(*) AS n FROM sales", "silent(q1.n)", "not computed yet"),
    ] {
        let said = ground.say(sql, claim).await;
        assert!(said.starts_with("refused") && said.contains(part), "{sql}\n{claim}: {said}\nshould say: {part}");
    }
}

#[tokio::test]
async fn a_case_is_named_by_its_condition_and_not_by_its_label() {
    let ground = ground("facts_case").await;
    let sql = "SELECT CASE WHEN amount > 60 THEN 'fraudulent' ELSE 'fine' END AS verdict, count(*) AS n FROM sales GROUP BY 1";
    let said = ground.say(sql, "q1[fraudulent].n").await;
    assert!(said.contains("(amount above 60)") && !said.contains("fraud"), "{said}");
    let said = ground.say(sql, "q1[fine].n").await;
    assert!(said.contains("(amount above 60) not known to hold"), "{said}");
}

#[tokio::test]
async fn a_cell_that_the_rows_no_longer_give_is_not_believed() {
    let ground = ground("facts_changed").await;
    let mut book = ground.book(&["SELECT region, count(*) AS n FROM sales GROUP BY region"]).await.unwrap();
    let url = crate::support::server::url("facts_changed");
    crate::support::server::execute(&url, "DELETE FROM sales WHERE id = 0").await;
    let mut evaluator = super::Evaluator::new(&mut book, &ground.executor, super::LIMITS.timeout);
    let refusal = evaluator.evaluate("q1[North].n").await.unwrap_err();
    assert!(refusal.contains("q1[1].n is 28") || refusal.contains("q1[2].n is 28"), "{refusal}");
    assert!(refusal.contains("computed anew"), "{refusal}");
    assert!(evaluator.evaluate("q1[South].n").await.is_ok());
}

#[tokio::test]
async fn rows_and_columns_are_called_as_the_metadata_call_them() {
    let mut ground = ground("facts_nouns").await;
    let mut catalog = (*ground.catalog).clone();
    let table = catalog.tables.iter_mut().find(|table| table.name == "sales").unwrap();
    table.noun = Some("orders".to_owned());
    for (name, label) in [("region", "sales region"), ("amount", "order value")] {
        table.columns.iter_mut().find(|column| column.name == name).unwrap().label = Some(label.to_owned());
    }
    ground.catalog = std::sync::Arc::new(catalog);
    let sql = "SELECT region, count(*) AS n, round(avg(amount), 2) AS mean FROM sales GROUP BY region";
    check(
        &ground,
        sql,
        &[
            ("share(q1[North].n, all)", "28 of 95 orders (29.5%) are with (sales region) equal to 'North'."),
            ("q1[North].mean", "The average of order value over orders with"),
        ],
    )
    .await;
}

#[tokio::test]
async fn doubts_come_with_the_fact() {
    let tables = "
        CREATE TABLE stock (day date, item text, pieces int, PRIMARY KEY (day, item));
        INSERT INTO stock SELECT DATE '2024-01-01' + d, i, 5 FROM generate_series(0, 9) d, unnest(ARRAY['x', 'y']) i;
        CREATE TABLE people (id int PRIMARY KEY, boss int);
        INSERT INTO people VALUES (1, NULL), (2, 1), (3, 1), (4, 2);
        ANALYZE";
    let ground = Ground::new("facts_doubts", tables).await;
    for (sql, claim, doubt) in [
        ("SELECT item, sum(pieces) AS n FROM stock GROUP BY item", "q1[x].n", "stock"),
        ("SELECT count(*) AS n FROM people WHERE id NOT IN (SELECT boss FROM people)", "q1.n", "not_in"),
        ("SELECT count(*) AS n FROM (SELECT id FROM people UNION ALL SELECT boss FROM people) t", "q1.n", "united"),
        ("SELECT avg(n) AS a FROM (SELECT boss, count(*) AS n FROM people GROUP BY boss) t", "q1.a", "missing_group"),
        ("SELECT count(*) AS n FROM people WHERE NOT (boss = 1 OR id = 9)", "q1.n", "nulls_dropped"),
    ] {
        let fact = ground.state(&[sql], &[claim]).await.remove(0).unwrap_or_else(|reason| panic!("{sql}: {reason}"));
        let ids = fact.doubts.iter().map(|doubt| doubt.id.as_str()).collect::<Vec<_>>();
        assert!(ids.contains(&doubt), "{sql}: {ids:?} has no {doubt}");
    }
    let by_day = ground.state(&["SELECT day, sum(pieces) AS n FROM stock GROUP BY day"], &["q1[2024-01-01].n"]).await;
    assert!(by_day[0].as_ref().is_ok_and(|fact| fact.doubts.is_empty()), "{by_day:?}");
}

/// The same question in another form is the same fact.
#[tokio::test]
async fn the_form_of_a_statement_does_not_move_the_fact() {
    let ground = ground("facts_metamorphic").await;
    let plain = "SELECT region, count(*) AS n FROM sales WHERE units = 3 GROUP BY region";
    let said = ground.say(plain, "share(q1[North].n, all)").await;
    assert!(!said.starts_with("refused"), "{said}");
    for other in [
        "WITH s AS (SELECT * FROM sales) SELECT region AS r, count(*) AS c FROM s WHERE units = 3 GROUP BY 1 ORDER BY 2 DESC",
        "SELECT count(*), region FROM (SELECT region FROM sales WHERE 3 = units) AS x GROUP BY region",
        "SELECT region, sum(CASE WHEN units = 3 THEN 1 ELSE 0 END) AS n FROM sales GROUP BY region",
        "SELECT region, count(*) FILTER (WHERE units = 3) AS n FROM sales GROUP BY region",
        "SELECT region, count(CASE WHEN units = 3 THEN 1 END) AS n FROM sales GROUP BY region HAVING count(*) > 0",
    ] {
        assert_eq!(ground.say(other, "share(q1[North], all)").await, said, "{other}");
    }
    // One change in the statement is another fact.
    for other in [
        "SELECT region, count(*) AS n FROM sales WHERE units = 2 GROUP BY region",
        "SELECT region, count(*) AS n FROM sales GROUP BY region",
        "SELECT region, sum(units) AS n FROM sales WHERE units = 3 GROUP BY region",
        "SELECT region, count(amount) AS n FROM sales WHERE units = 3 GROUP BY region",
        "SELECT region, count(DISTINCT kind) AS n FROM sales WHERE units = 3 GROUP BY region",
    ] {
        assert_ne!(ground.say(other, "share(q1[North], all)").await, said, "{other}");
    }
}
