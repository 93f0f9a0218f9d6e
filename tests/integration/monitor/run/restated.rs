//! Days whose data were restated after they were judged, a few days ago.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::Value;

use super::{COLLAPSE, Shop, delivered, remembered, sent};
use crate::support::server;

/// A shop whose last days were judged one after the other.
struct Judged {
    shop: Shop,
    /// The second of the days that were judged, of four.
    day: Date,
}

impl Judged {
    async fn new(name: &str, collapses: bool) -> Self {
        let yesterday = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date().yesterday().unwrap();
        let day = yesterday - 2.days();
        let judged = Self { shop: Shop::until(name, &yesterday.to_string()).await, day };
        if collapses {
            judged.source(COLLAPSE).await;
        }
        let code = judged.judge(&judged.shop.state);
        assert_eq!(code, if collapses { 10 } else { 0 });
        judged
    }

    /// Changes the database that is measured.
    async fn source(&self, sql: &str) {
        server::execute(&self.shop.source, &sql.replace("{day}", &self.day.to_string())).await;
    }

    fn judge(&self, state: &str) -> i32 {
        let [from, to] = [self.day - 1.day(), self.day + 2.days()].map(|day| day.to_string());
        self.shop.run(state, &["--from", &from, "--to", &to]).code
    }

    /// What the next morning's run comes to: its exit code, and how many days it judged.
    fn next(&self) -> (i32, usize) {
        let outcome = self.shop.run(&self.shop.state, &[]);
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}", outcome.stderr));
        (outcome.code, report["days"].as_array().unwrap().len())
    }

    /// Checks that the state is what it would be had the data never been others.
    async fn check_as_if_never_otherwise(&self, name: &str) {
        let other = server::fresh(name, "").await;
        self.judge(&other);
        let judged = async |state: &str| {
            let mut lines = remembered(state).await;
            lines.retain(|line| !line.starts_with("message") && !line.starts_with("analysis"));
            lines
        };
        assert_eq!(judged(&self.shop.state).await, judged(&other).await);
    }
}

const CORRECTED: &str = "UPDATE visits SET visits = 1000 + 100 * extract(isodow FROM day)::int
    WHERE channel = 'paid' AND day = '{day}'";

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_was_corrected_and_those_after_it_are_judged_again_by_the_next_run() {
    let judged = Judged::new("restated_corrected", true).await;
    judged.source(CORRECTED).await;
    assert_eq!(judged.next(), (0, 3));
    judged.check_as_if_never_otherwise("restated_corrected_other").await;
    assert_eq!(delivered(&judged.shop.state).await, sent(), "what was sent stays on record");
    assert_eq!(judged.next(), (0, 1), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_appears_by_restatement_is_told() {
    let check = async |name: &str, change: &str| {
        let judged = Judged::new(name, false).await;
        judged.source(change).await;
        assert_eq!(judged.next(), (10, 3), "{change}");
        assert_eq!(delivered(&judged.shop.state).await, sent(), "{change}");
        judged.check_as_if_never_otherwise(&format!("{name}_other")).await;
    };
    check("restated_fall", COLLAPSE).await;
    check("restated_removed", "DELETE FROM visits WHERE channel = 'email' AND day = '{day}'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_before_all_restated_days_are_judged_leaves_them_to_the_next() {
    let judged = Judged::new("restated_cut", true).await;
    judged.source(CORRECTED).await;
    for (day, left) in [(judged.day, 3), (judged.day + 1.day(), 2)] {
        let trap = "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut'; END $$;
            CREATE TRIGGER trap BEFORE INSERT ON explore.days FOR EACH ROW WHEN (new.at = '{day}') EXECUTE FUNCTION trap()";
        server::execute(&judged.shop.state, &trap.replace("{day}", &day.to_string())).await;
        let cut = judged.shop.run(&judged.shop.state, &[]);
        assert!(cut.stderr.contains("cut"), "{}", cut.stderr);
        server::execute(&judged.shop.state, "DROP FUNCTION trap CASCADE").await;
        let statement = "SELECT count(*) FROM explore.days WHERE is_outdated";
        let outdated = server::client(&judged.shop.state).await.query_one(statement, &[]).await.unwrap();
        assert_eq!(outdated.get::<_, i64>(0), left);
    }
    assert_eq!(judged.next(), (0, 2));
    judged.check_as_if_never_otherwise("restated_cut_other").await;
}
