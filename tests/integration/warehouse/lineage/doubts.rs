//! Each doubt, on rows on which the figure says something else than it seems to.

use explore::semantic;
use explore::semantic::metadata::Metadata;
use explore::warehouse::lineage::{self, completeness, definition, doubts};

use super::Ground;

/// The ids of the doubts about the measures of a statement.
async fn doubted(ground: &Ground, sql: &str) -> Vec<&'static str> {
    let select = ground.executor.validate(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    let lineage = lineage::of(&select, &ground.catalog);
    let columns = lineage.branches.iter().flat_map(|branch| &branch.columns);
    let measures = columns.flat_map(|column| &column.measures);
    let mut ids = measures.flat_map(|measure| doubts::of_measure(measure, &ground.catalog)).map(|doubt| doubt.id);
    let mut found = Vec::new();
    for id in ids.by_ref() {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// A statement in doubt, and one that says what was meant. Their figures differ, and the second is in no such doubt.
struct Case {
    id: &'static str,
    doubtful: &'static str,
    meant: &'static str,
}

const TABLES: &str = "
    CREATE TABLE customers (customer_id integer PRIMARY KEY, region text, email text);
    CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id integer, ordered_at timestamp, closed_at timestamp,
        shipping numeric, minutes integer, status text, deleted_at timestamp);
    CREATE TABLE lines (order_id integer, product text, amount numeric);
    CREATE TABLE prices (product text, valid_from date, valid_to date, price numeric);
    CREATE TABLE payments (payment_id integer PRIMARY KEY, order_id integer, due_on date, paid_on date, amount numeric,
        currency text, checked boolean, note text);
    INSERT INTO payments VALUES (1, 1, '2024-01-10', '2024-01-09', 900, 'EUR', true, '9'), (2, 2, '2024-01-20', NULL, 80000, 'JPY', NULL, '10'),
        (3, 4, '2024-02-10', '2024-02-12', 40, 'EUR', false, '100');
    CREATE TABLE people (person_id integer PRIMARY KEY, name text);
    INSERT INTO people SELECT g, 'Person ' || (g % 19) FROM generate_series(1, 20) g;
    INSERT INTO customers VALUES (1, 'North', 'a'), (2, 'North', NULL), (3, 'South', 'c');
    INSERT INTO orders VALUES (1, 1, '2024-01-31 10:00', '2024-02-02 10:00', 5, 90, 'paid', NULL),
        (2, 1, '2024-01-31 23:00', NULL, 7, 30, NULL, NULL), (3, 2, '2024-01-05 08:00', '2024-01-06 08:00', 9, 45, 'open', '2024-01-07'),
        (4, 3, '2024-01-02 08:00', '2024-01-01 08:00', 1, 10, 'paid', NULL);
    INSERT INTO lines VALUES (1, 'a', 10), (1, 'b', 20), (2, 'a', 30), (3, 'c', 40), (3, 'a', 1), (4, 'a', 2);
    INSERT INTO prices VALUES ('a', '2023-01-01', '2023-12-31', 1), ('a', '2024-01-01', '2024-12-31', 2);
    CREATE VIEW paid AS SELECT * FROM orders WHERE status = 'paid';
    ANALYZE";

const CASES: &[Case] = &[
    Case {
        id: "multiplied",
        doubtful: "SELECT sum(o.shipping) FROM orders o JOIN lines l ON l.order_id = o.order_id",
        meant: "SELECT sum(o.shipping) FROM orders o",
    },
    Case {
        id: "multiplied",
        doubtful: "SELECT count(*) FROM customers CROSS JOIN generate_series(1, 10)",
        meant: "SELECT count(*) FROM customers",
    },
    Case {
        id: "average_of_averages",
        doubtful: "SELECT avg(m) FROM (SELECT customer_id, avg(shipping) AS m FROM orders GROUP BY 1) q",
        meant: "SELECT avg(shipping) FROM orders",
    },
    Case {
        id: "sum_of_distinct",
        doubtful: "SELECT sum(n) FROM (SELECT order_id, count(DISTINCT product) AS n FROM lines GROUP BY 1) q",
        meant: "SELECT count(DISTINCT product) FROM lines",
    },
    Case {
        id: "one_side",
        doubtful: "SELECT avg(abs(minutes - 40)) FROM orders WHERE minutes - 40 > 0",
        meant: "SELECT avg(abs(minutes - 40)) FROM orders",
    },
    Case {
        id: "month_end",
        doubtful: "SELECT count(o.order_id) FROM generate_series(DATE '2023-10-31', DATE '2023-12-31', interval '1 month') m \
                   JOIN orders o ON o.ordered_at >= m AND o.ordered_at < m + interval '1 month'",
        meant: "SELECT count(o.order_id) FROM generate_series(DATE '2023-10-01', DATE '2024-01-01', interval '1 month') m \
                JOIN orders o ON o.ordered_at >= m AND o.ordered_at < m + interval '1 month'",
    },
    Case {
        id: "last_day",
        doubtful: "SELECT count(*) FROM orders WHERE ordered_at BETWEEN '2024-01-01' AND '2024-01-31'",
        meant: "SELECT count(*) FROM orders WHERE ordered_at >= '2024-01-01' AND ordered_at < '2024-02-01'",
    },
    Case {
        id: "integer_division",
        doubtful: "SELECT sum(minutes / 60) FROM orders",
        meant: "SELECT sum(minutes / 60.0) FROM orders",
    },
    Case {
        id: "nulls_dropped",
        doubtful: "SELECT count(*) FROM orders WHERE status <> 'open'",
        meant: "SELECT count(*) FROM orders WHERE status IS DISTINCT FROM 'open'",
    },
    Case {
        id: "nulls_dropped",
        doubtful: "SELECT count(*) FILTER (WHERE status NOT IN ('open', 'lost')) FROM orders",
        meant: "SELECT count(*) FILTER (WHERE status IS DISTINCT FROM 'open') FROM orders",
    },
    Case {
        id: "closed_only",
        doubtful: "SELECT avg(closed_at - ordered_at) FROM orders",
        meant: "SELECT avg(coalesce(closed_at, timestamp '2024-03-01') - ordered_at) FROM orders",
    },
    Case {
        id: "void_rows",
        doubtful: "SELECT count(*) FROM orders",
        meant: "SELECT count(*) FROM orders WHERE deleted_at IS NULL",
    },
    Case {
        id: "validity",
        doubtful: "SELECT sum(l.amount * p.price) FROM lines l JOIN prices p ON p.product = l.product",
        meant: "SELECT sum(l.amount * p.price) FROM lines l JOIN prices p ON p.product = l.product AND p.valid_from >= '2024-01-01'",
    },
    Case {
        id: "integer_division",
        doubtful: "SELECT count(*) FROM orders WHERE minutes / 60 > 0.5",
        meant: "SELECT count(*) FROM orders WHERE minutes / 60.0 > 0.5",
    },
    Case {
        id: "integer_division",
        doubtful: "SELECT count(*) FROM payments WHERE (paid_on - due_on) / 7 = 0",
        meant: "SELECT count(*) FROM payments WHERE (paid_on - due_on) / 7.0 = 0",
    },
    Case {
        id: "text_order",
        doubtful: "SELECT count(*) FROM payments WHERE note > '5'",
        meant: "SELECT count(*) FROM payments WHERE note::numeric > 5",
    },
    Case {
        id: "text_order",
        doubtful: "SELECT count(*) FROM payments WHERE to_char(due_on, 'DD-MM-YYYY') > '15-01-2024'",
        meant: "SELECT count(*) FROM payments WHERE to_char(due_on, 'YYYY-MM-DD') > '2024-01-15'",
    },
    Case {
        id: "several_currencies",
        doubtful: "SELECT sum(amount) FROM payments",
        meant: "SELECT sum(amount) FROM payments WHERE currency = 'EUR'",
    },
    Case {
        id: "still_open",
        doubtful: "SELECT count(*) FILTER (WHERE paid_on <= due_on) * 1.0 / count(*) FROM payments",
        meant: "SELECT count(*) FILTER (WHERE coalesce(paid_on, DATE '2024-01-15') <= due_on) * 1.0 / count(*) FROM payments",
    },
    Case {
        id: "still_open",
        doubtful: "SELECT date_trunc('month', due_on), count(*) FILTER (WHERE paid_on IS NOT NULL) FROM payments GROUP BY 1 ORDER BY 1",
        meant: "SELECT date_trunc('month', paid_on), count(*) FILTER (WHERE paid_on IS NOT NULL) FROM payments GROUP BY 1 ORDER BY 1",
    },
    Case {
        id: "unknown_value",
        doubtful: "SELECT count(*) FILTER (WHERE checked) * 1.0 / count(*) FROM payments",
        meant: "SELECT count(*) FILTER (WHERE checked) * 1.0 / count(*) FROM payments WHERE checked IS NOT NULL",
    },
    Case {
        id: "no_partner",
        doubtful: "SELECT count(*) FROM orders o LEFT JOIN payments p ON p.order_id = o.order_id WHERE p.paid_on IS NULL",
        meant: "SELECT count(*) FROM orders o JOIN payments p ON p.order_id = o.order_id WHERE p.paid_on IS NULL",
    },
    Case {
        id: "same_name",
        doubtful: "SELECT name, count(*) FROM people GROUP BY name ORDER BY 1",
        meant: "SELECT person_id, name, count(*) FROM people GROUP BY 1, 2 ORDER BY 1",
    },
    Case {
        id: "other_case",
        doubtful: "SELECT count(*) FROM orders WHERE status = 'Paid'",
        meant: "SELECT count(*) FROM orders WHERE status = 'paid'",
    },
    Case { id: "view", doubtful: "SELECT count(*) FROM paid", meant: "SELECT count(*) FROM orders" },
];

#[tokio::test]
async fn each_doubt_has_rows_on_which_the_figure_misleads() {
    let mut ground = Ground::new("lineage_doubts", TABLES).await;
    semantic::complete(&mut ground.catalog, &Metadata::default());
    for Case { id, doubtful, meant } in CASES {
        assert!(doubted(&ground, doubtful).await.contains(id), "{id} is not raised: {doubtful}");
        assert!(!doubted(&ground, meant).await.contains(id), "{id} is raised: {meant}");
        let figures = [ground.rows(doubtful).await.unwrap(), ground.rows(meant).await.unwrap()];
        assert_ne!(figures[0], figures[1], "{id}: the figures are the same");
    }
}

#[tokio::test]
async fn a_join_along_keys_is_in_no_doubt() {
    let ground = Ground::new("lineage_joins_along_keys", TABLES).await;
    for sql in [
        "SELECT c.region, sum(l.amount) FROM lines l JOIN orders o USING (order_id) JOIN customers c USING (customer_id) WHERE o.deleted_at IS NULL GROUP BY 1",
        "SELECT sum(q.n) FROM (SELECT customer_id, count(*) AS n FROM lines JOIN orders USING (order_id) WHERE deleted_at IS NULL GROUP BY 1) q JOIN customers c ON c.customer_id = q.customer_id",
        "SELECT o.order_id, count(l.product) FROM orders o LEFT JOIN lines l ON l.order_id = o.order_id WHERE o.deleted_at IS NULL GROUP BY o.order_id",
    ] {
        assert_eq!(doubted(&ground, sql).await, Vec::<&str>::new(), "{sql}");
    }
}

/// The hashes of the measures of a statement.
async fn hashes(ground: &Ground, sql: &str) -> Vec<String> {
    let select = ground.executor.validate(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    let lineage = lineage::of(&select, &ground.catalog);
    let columns = lineage.branches.iter().flat_map(|branch| &branch.columns);
    columns.flat_map(|column| &column.measures).map(|measure| definition::hash(measure).unwrap()).collect()
}

#[tokio::test]
async fn a_definition_does_not_move_with_what_is_around_it() {
    let ground = Ground::new("lineage_definitions", TABLES).await;
    let plain = "SELECT c.region, sum(l.amount) AS total FROM lines l JOIN orders o ON o.order_id = l.order_id \
                 JOIN customers c ON c.customer_id = o.customer_id WHERE o.status = 'paid' AND l.amount > 1 GROUP BY c.region";
    let expected = hashes(&ground, plain).await;
    assert_eq!(expected.len(), 1);
    for same in [
        "WITH paid AS (SELECT order_id AS n, customer_id AS who FROM orders WHERE 'paid' = status) SELECT sum(x.amount) AS anything, \
         y.region AS r FROM paid p JOIN lines x ON x.order_id = p.n JOIN customers y ON p.who = y.customer_id WHERE x.amount > 1 GROUP BY 2",
        "SELECT round(total, 1) FROM (SELECT region, sum(amount) AS total FROM customers JOIN orders USING (customer_id) \
         JOIN lines USING (order_id) WHERE amount > 1 AND status = 'paid' GROUP BY region) q ORDER BY region LIMIT 3",
    ] {
        assert_eq!(hashes(&ground, same).await, expected, "{same}");
    }
    for other in [
        plain.replace("'paid'", "'open'"),
        plain.replace("sum(", "avg("),
        plain.replace("> 1", ">= 1"),
        plain.replace(" AND l.amount > 1", ""),
        plain.replace("JOIN customers c ON", "LEFT JOIN customers c ON"),
        plain.replace("sum(l.amount)", "sum(l.amount * 2)"),
        plain.replace("FROM lines l", "FROM (SELECT * FROM lines LIMIT 3) l"),
    ] {
        assert_ne!(hashes(&ground, &other).await, expected, "{other}");
    }
}

#[tokio::test]
async fn what_is_cut_at_any_level_is_known() {
    let ground = Ground::new("lineage_cuts", TABLES).await;
    for (sql, of_rows, of_groups) in [
        ("SELECT region, count(*) FROM customers GROUP BY 1", 0, 0),
        ("SELECT region, count(*) FROM customers GROUP BY 1 HAVING count(*) > 1", 0, 1),
        ("SELECT region, n FROM (SELECT region, count(*) AS n FROM customers GROUP BY 1) q WHERE n > 1", 0, 1),
        (
            "SELECT sum(n) FROM (SELECT region, count(*) AS n FROM customers GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1) q",
            1,
            1,
        ),
        (
            "SELECT count(*) FROM (SELECT DISTINCT ON (customer_id) * FROM orders ORDER BY customer_id, order_id) q",
            1,
            1,
        ),
        (
            "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY customer_id ORDER BY order_id) AS rn FROM orders) q WHERE rn = 1",
            1,
            1,
        ),
        ("SELECT count(*) FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY 1) q WHERE n > 1", 1, 1),
    ] {
        let select = ground.executor.validate(sql).await.unwrap();
        let lineage = lineage::of(&select, &ground.catalog);
        let branch = &lineage.branches[0];
        let measure = branch.columns.iter().flat_map(|column| &column.measures).next().unwrap();
        let found = (completeness::of_rows(&measure.rows).len(), completeness::of_block(&branch.block).len());
        assert_eq!(found, (of_rows, of_groups), "{sql}");
    }
}
