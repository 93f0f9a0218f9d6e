//! What charts are drawn of: the shape that suits the form, in the numbers and words of the sentence.

use explore::finding::companions::Evaluator;
use explore::finding::fact::Fact;
use explore::finding::hinge::{self, Hinge};
use explore::finding::picture::{Picture, Shape};

use super::forms::TABLES;
use super::{Ground, LIMITS};

/// What a claim over statements states, and what its chart is drawn of.
async fn pictured(ground: &Ground, statements: &[&str], claim: &str) -> (Fact, Option<Picture>) {
    let mut book = ground.book(statements).await.unwrap();
    let mut evaluator = Evaluator::new(&mut book, &ground.executor, LIMITS.timeout);
    let fact = evaluator.evaluate(claim).await.unwrap_or_else(|reason| panic!("{claim}: {reason}"));
    let picture = evaluator.picture(&fact).await;
    (fact, picture)
}

const REGIONS: &str = "SELECT region, count(*) AS alias_of_a_liar, avg(amount) AS mean, \
    count(*) FILTER (WHERE day >= '2024-01-01' AND day < '2024-02-01') AS before, \
    count(*) FILTER (WHERE day >= '2024-05-01' AND day < '2024-06-01') AS after FROM sales GROUP BY region";
const MONTHS: &str =
    "SELECT date_trunc('month', day) AS m, count(*) AS alias_of_a_liar FROM sales GROUP BY 1 ORDER BY 1";

/// Statements, a claim, and what the picture of its fact is: shape, points, marked points, measure.
type Expected<'e> = (&'e [&'e str], &'e str, Shape, usize, usize, &'e str);

#[tokio::test]
async fn a_chart_suits_the_form_and_draws_the_numbers_of_the_sentence() {
    let ground = Ground::new("facts_pictures", TABLES).await;
    let february = "SELECT count(*) AS n FROM sales WHERE day >= '2024-02-01' AND day < '2024-03-01'";
    let june = "SELECT count(*) AS n FROM sales WHERE day >= '2024-06-01' AND day < '2024-07-01'";
    let north = "SELECT count(*) AS n FROM sales WHERE region = 'North'";
    let south = "SELECT region, count(*) AS n FROM sales WHERE region = 'South' GROUP BY region";
    let expected: &[Expected<'_>] = &[
        (&[REGIONS], "q1[North].alias_of_a_liar", Shape::Bars, 2, 1, ""),
        (&[REGIONS], "rank(q1[North].alias_of_a_liar)", Shape::Bars, 2, 1, "average of 2 values of region"),
        (&[REGIONS], "rank(q1[North].mean)", Shape::Bars, 2, 1, "all of them together"),
        (&[REGIONS], "range(q1.alias_of_a_liar)", Shape::Bars, 2, 2, "average of 2 values of region"),
        (&[REGIONS], "top(1, q1.alias_of_a_liar)", Shape::Bars, 2, 1, "average of 2 values of region"),
        (&[REGIONS], "count(q1.alias_of_a_liar > 30)", Shape::Bars, 2, 1, "bound of this analysis"),
        (&[REGIONS], "alike(q1.mean)", Shape::Dots, 2, 2, "all of them together"),
        (&[REGIONS], "gap(q1[North].mean, rest)", Shape::Bars, 2, 1, "all others"),
        (&[REGIONS], "gap(q1[North].mean, q1[South].mean)", Shape::Bars, 2, 2, "all of them together"),
        (&[REGIONS], "share(q1[North].alias_of_a_liar, all)", Shape::Bars, 2, 1, "an equal share"),
        (&[REGIONS], "share(q1[North].before, q1[North].alias_of_a_liar)", Shape::Bars, 2, 1, ""),
        (&[REGIONS], "each change(q1.before, q1.after)", Shape::Steps, 2, 2, ""),
        (&[REGIONS], "differ(q1[North].mean, q1[South].mean)", Shape::Interval, 1, 1, ""),
        (&[MONTHS], "trend(q1.alias_of_a_liar)", Shape::Series, 6, 2, ""),
        (&[MONTHS], "change(q1[2024-02].alias_of_a_liar, q1[2024-03].alias_of_a_liar)", Shape::Series, 6, 2, ""),
        (&[february, june], "change(q1.n, q2.n)", Shape::Series, 6, 2, ""),
        (&[north, south], "gap(q1.n, q2[South].n)", Shape::Bars, 2, 2, "average of 2 values of region"),
    ];
    for (statements, claim, shape, points, cited, level) in expected {
        let (fact, picture) = pictured(&ground, statements, claim).await;
        let picture = picture.unwrap_or_else(|| panic!("{claim} has no chart: {}", fact.sentence));
        assert_eq!((picture.shape, picture.points.len()), (*shape, *points), "{claim}: {picture:?}");
        assert_eq!(picture.points.iter().filter(|point| point.cited).count(), *cited, "{claim}: {picture:?}");
        for point in picture.points.iter().filter(|point| point.cited && !claim.starts_with("count(")) {
            assert!(fact.sentence.contains(&point.text), "{claim}: {} is not in {}", point.text, fact.sentence);
        }
        let names = picture.levels.iter().map(|level| level.name.as_str()).collect::<String>();
        assert!(names.starts_with(level) && names.is_empty() == level.is_empty(), "{claim}: {names}");
        assert!(!serde_json::to_string(&picture).unwrap().contains("alias_of_a_liar"), "{claim}: {picture:?}");
    }
}

#[tokio::test]
async fn the_levels_of_a_chart_are_those_of_the_sentence() {
    let tables = "CREATE TABLE orders (day date NOT NULL, late boolean NOT NULL);
        INSERT INTO orders SELECT DATE '2024-01-01' + n, CASE WHEN n < 182 THEN n % 10 = 0 ELSE n % 2 = 0 END
            FROM generate_series(0, 365) AS n";
    let ground = Ground::new("facts_picture_levels", tables).await;
    let months = "SELECT date_trunc('month', day) AS m, 1.0 * count(*) FILTER (WHERE late) / count(*) AS share \
        FROM orders GROUP BY 1";
    let (fact, picture) = pictured(&ground, &[months], "since(q1.share)").await;
    let levels = picture.unwrap().levels;
    assert_eq!(levels.iter().map(|level| (level.from, level.to)).collect::<Vec<_>>(), [(0, 6), (6, 12)]);
    assert!(levels.iter().all(|level| fact.sentence.contains(&level.text)), "{}: {levels:?}", fact.sentence);
    let stretch = |from: &str, to: &str| {
        format!(
            "SELECT count(*) FILTER (WHERE late) AS late, count(*) AS n FROM orders WHERE day >= '{from}' AND day < '{to}'"
        )
    };
    let (one, other) = (stretch("2024-02-10", "2024-06-01"), stretch("2024-07-10", "2024-11-01"));
    let claim = "change(share(q1.late, q1.n), share(q2.late, q2.n))";
    let (fact, picture) = pictured(&ground, &[&one, &other], claim).await;
    let picture = picture.unwrap_or_else(|| panic!("{} has no chart", fact.sentence));
    assert_eq!((picture.shape, picture.points.len(), picture.companions.len()), (Shape::Series, 12, 2));
    assert_eq!(picture.levels.iter().map(|level| (level.from, level.to)).collect::<Vec<_>>(), [(1, 5), (6, 10)]);
    assert!(picture.levels.iter().all(|level| fact.sentence.contains(&level.text)), "{picture:?}");
}

#[tokio::test]
async fn a_number_that_stands_alone_has_no_chart() {
    let ground = Ground::new("facts_picture_alone", TABLES).await;
    let alone = "SELECT count(*) AS n FROM sales";
    for (sql, claim) in [(alone, "q1.n"), (REGIONS, "q1[North].mean - q1[South].mean")] {
        assert_eq!(pictured(&ground, &[sql], claim).await.1, None, "{claim}");
    }
}

#[tokio::test]
async fn a_hinge_joins_facts_that_share_something_and_although_those_that_are_opposite() {
    let ground = Ground::new("facts_hinges", TABLES).await;
    let months = "SELECT date_trunc('month', day) AS m, count(*) AS n, count(DISTINCT kind) AS kinds FROM sales \
        WHERE region = 'North' GROUP BY 1";
    let other = "SELECT avg(units) AS units FROM sales WHERE region = 'South'";
    let claims = [
        "change(q1[2024-02].n, q1[2024-04].n)",
        "change(q1[2024-01].n, q1[2024-02].n)",
        "change(q1[2024-04].n, q1[2024-05].n)",
        "q2.units",
    ];
    let facts = ground.state(&[months, other], &claims).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let direction = |fact: &Fact| fact.sentence.contains(" rose ");
    let join = |one: usize, hinge: Hinge, other: usize| hinge::join(&facts[one], hinge, &facts[other]);
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let joint = join(one, Hinge::While, other).unwrap().sentence;
        assert!(joint.contains(", while from ") && joint.ends_with('.'), "{joint}");
        let unlike = direction(&facts[one]) != direction(&facts[other])
            && [one, other].iter().all(|index| !facts[*index].sentence.contains("unchanged"));
        assert_eq!(join(one, Hinge::Although, other).is_ok(), unlike, "{joint}");
    }
    assert!(join(0, Hinge::While, 3).unwrap_err().contains("share neither measure nor subject"));
    assert!(join(0, Hinge::While, 0).unwrap_err().contains("one fact"));
    assert_eq!(hinge::parted("f4 while f7"), Some(("f4", Hinge::While, "f7")));
    assert_eq!(hinge::parted("f4 although  rank(q1[a].n)"), Some(("f4", Hinge::Although, "rank(q1[a].n)")));
    assert_eq!(hinge::parted("rank(q1[here while there].n)"), None);
    assert_eq!(hinge::parted("meanwhile f7"), None);
}
