//! Monitors as people write them: what a few lines come to, and how each mistake is told.

use std::path::Path;

use explore::monitor::holidays;
use explore::monitor::registry::{
    Comparison, Direction, Formula, Grain, Monitor, Override, Problem, Registry, Text, parse, schema, unmatched,
};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use crate::support::program::Program;

pub(crate) const ORDERS_SQL: &str = "SELECT day, country, count(*) AS orders, sum(amount) AS revenue FROM sales
WHERE day >= $1 AND day < $2 GROUP BY day, country";

const ORDERS: &str = r#"label = "Orders"
dimensions = ["country"]

[measures.orders]

[measures.revenue]
unit = "EUR"

[ratios.average_order]
numerator = "revenue"
denominator = "orders"
"#;

pub(crate) fn try_parse(toml: &str, sql: &str) -> Result<Monitor, Vec<Problem>> {
    let (toml_path, sql_path) = (Path::new("orders.toml"), Path::new("orders.sql"));
    parse("orders", Text { path: toml_path, text: toml }, Text { path: sql_path, text: sql })
}

pub(crate) fn monitor(toml: &str) -> Monitor {
    try_parse(toml, ORDERS_SQL).unwrap_or_else(|problems| panic!("{toml}\n{problems:#?}"))
}

/// The TOML has these problems, and no other.
#[track_caller]
fn check(toml: &str, expected: &[&str]) {
    let problems = try_parse(toml, ORDERS_SQL).map_or_else(|problems| problems, |_| Vec::new());
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told, expected, "{toml}");
}

#[test]
fn ten_lines_make_a_monitor() {
    let orders = monitor(ORDERS);
    assert_eq!((orders.key.as_str(), orders.label.as_str()), ("orders", "Orders"));
    assert_eq!(orders.calendar.grain, Grain::Day);
    assert_eq!(orders.calendar.delay, SignedDuration::from_hours(6));
    assert_eq!(orders.calendar.time_zone.iana_name(), Some("UTC"));
    let counts = orders.measures.iter().map(|measure| (measure.key.as_str(), measure.is_count)).collect::<Vec<_>>();
    assert_eq!(counts, [("orders", true), ("revenue", false)], "what has a unit is an amount");
    let metrics = orders.metrics.iter().map(|metric| (metric.key.as_str(), metric.label.as_str())).collect::<Vec<_>>();
    assert_eq!(metrics, [("orders", "Orders"), ("revenue", "Revenue"), ("average_order", "Average order")]);
    let Formula::Ratio { numerator, denominator, denominator_min } = orders.metrics[2].formula else { panic!() };
    assert_eq!((numerator, denominator, denominator_min), (1, 0, 30));
    let orders = &orders.metrics[0];
    assert_eq!((orders.direction, orders.enabled, orders.thresholds.probability), (Direction::BothBad, true, 0.99));
}

#[test]
fn everything_that_can_be_said_is_taken() {
    let toml = r#"
label = "Orders"
owner = "Sales"
time_zone = "Europe/Paris"
day_starts = "06:00"
grain = "hour"
delay = "90m"
restated_steps = 12
history = "30 days"
dimensions = ["country"]
channels = ["slack", "mail"]
thresholds = { probability = 0.995 }
severity = { medium = 0.15 }

[measures.orders]
direction = "up_is_good"
count = true
value = 12.5
thresholds = { interval = 0.9, deviation_min = 0.1 }

[ratios.average_order]
label = "Basket"
numerator = "revenue"
denominator = "orders"
denominator_min = 50
after = ["orders"]

[measures.revenue]
unit = "EUR"
enabled = false
after = ["orders", "average_order"]
severity = { high = 0.3, critical = 0.5 }
impact = { medium = 0.01, high = 0.1, very_high = 0.3 }

[forecast]
seasons = [24]
yearly = false
retrain_days = 7
holidays = ["FR"]

[[forecast.events]]
name = "Sale"
dates = [2026-01-07, "2026-06-24"]
before = 1

[growth]
traffic = "orders"
conversions = "orders"
revenue = "revenue"

[[rules]]
metric = "revenue"
comparison = "previous_week"
change_min = 0.2
"#;
    let monitor = monitor(toml);
    let keys = monitor.metrics.iter().map(|metric| metric.key.as_str()).collect::<Vec<_>>();
    assert_eq!(keys, ["orders", "average_order", "revenue"], "the order of the text is that of the funnel");
    let [orders, basket, revenue] = &monitor.metrics[..] else { panic!() };
    assert_eq!((orders.thresholds.interval, orders.thresholds.probability), (0.9, 0.995));
    assert_eq!((orders.value, orders.severity.fall.medium), (Some(12.5), 0.15));
    assert_eq!((basket.label.as_str(), basket.after.as_slice()), ("Basket", &["orders".to_owned()][..]));
    assert_eq!((revenue.severity.fall.medium, revenue.severity.fall.high, revenue.impact.very_high), (0.15, 0.3, 0.3));
    assert!(!revenue.enabled);
    assert_eq!(monitor.calendar.day_starts.hour(), 6);
    assert_eq!(monitor.forecasting.seasons, [24]);
    assert_eq!((monitor.forecasting.yearly, monitor.forecasting.retrain_days), (false, 7));
    assert_eq!(monitor.growth.unwrap().revenue, 1);
    assert_eq!(monitor.rules[0].comparison, Comparison::PreviousWeek);
    let holidays = &monitor.forecasting.holidays;
    assert_eq!(holidays[&date(2026, 1, 6)], "Sale -1");
    assert_eq!(holidays[&date(2026, 6, 24)], "Sale");
    assert_eq!(holidays[&date(2026, 7, 14)], "National Day");
}

#[test]
fn every_mistake_is_told_with_its_line_and_all_at_once() {
    check("label = ", &["orders.toml:1: not TOML: string values must be quoted, expected literal string"]);
    check("label = \"x\"\n", &["orders.toml:1: `measures` is missing"]);
    check(
        "label = 3\ngrian = \"day\"\ngrain = \"month\"\n\n[measures.orders]\nunits = \"EUR\"\nvalue = -1\n\n[thresholds]\nprobability = 2\n",
        &[
            "orders.toml:1: `label`: expected text in quotes, found 3",
            "orders.toml:2: unknown key `grian`; did you mean `grain`?",
            "orders.toml:3: `grain`: expected one of hour, day, week, found `month`",
            "orders.toml:6: unknown key `units`; did you mean `unit`?",
            "orders.toml:7: `measures.orders.value`: expected a number from 0, found -1",
            "orders.toml:10: `thresholds.probability`: expected a number from 0.5 to 0.999999, found 2",
        ],
    );
    check(
        "time_zone = \"Paris\"\nday_starts = \"noon\"\ndelay = \"soon\"\nhistory = \"-1 day\"\ndimensions = [\"day\", \"a\", \"a\", \"orders\"]\n[measures.orders]\n",
        &[
            "orders.toml:1: `Paris` is not a time zone; write one such as Europe/Paris",
            "orders.toml:2: `noon` is not a time; write one such as 06:00",
            "orders.toml:3: `soon` is not a length of time; write one such as 90m, 6h or 1 day",
            "orders.toml:4: `-1 day` is not a length of time; write one such as 90 days or 2 years",
            "orders.toml:5: the dimension `a` is named twice",
            "orders.toml:5: the dimension `day` is a name of the time column",
            "orders.toml:5: the dimension `orders` is also a measure",
        ],
    );
    check(
        "[measures.orders]\nafter = [\"revenu\", \"revenue\"]\n[measures.revenue]\n[ratios.orders]\nnumerator = \"revenues\"\ndenominator = \"orders\"\n[measures.Total]\n[measures.at]\n",
        &[
            "orders.toml:2: `revenu` is not a metric; did you mean `revenue`?",
            "orders.toml:2: `revenue` must come before `orders`: the file follows the order of the funnel",
            "orders.toml:4: `orders` is also the name of a measure; choose another name",
            "orders.toml:5: `revenues` is not a measure; did you mean `revenue`?",
            "orders.toml:7: `Total`: a name has only lower case letters, digits and _; give the column an alias",
            "orders.toml:8: `at` is a name of the time column; choose another name",
        ],
    );
    check(
        "[measures.orders]\nseverity = { medium = 0.5 }\n[forecast]\nseasons = [7, 3]\nholidays = [\"FR\", \"XX\"]\n[[forecast.events]]\nname = \"\"\ndates = [\"soon\"]\n[[rules]]\nmetric = \"order\"\ncomparison = \"previous_year\"\nchange_min = 0.1\n[ratios.r]\nnumerator = \"orders\"\n",
        &["orders.toml:13: ratios.r: `denominator` is missing"],
    );
    check(
        "[measures.orders]\nseverity = { medium = 0.5 }\n[forecast]\nseasons = [7, 3]\n[[forecast.events]]\nname = \"\"\ndates = [\"soon\"]\n[[rules]]\nmetric = \"order\"\ncomparison = \"previous_year\"\nchange_min = 0.1\n",
        &[
            "orders.toml:2: severity of `orders`: medium = 0.5, high = 0.2, critical = 0.4; each must be above the one before",
            "orders.toml:4: seasons must be numbers of steps from 2 on, the shortest first, such as [24, 168]",
            "orders.toml:5: an event needs a name and dates: name = \"Black Friday\", dates = [2026-11-27]",
            "orders.toml:7: `soon` is not a date; write one such as 2026-11-27",
            "orders.toml:9: `order` is not a metric; did you mean `orders`?",
        ],
    );
    check(
        "grain = \"hour\"\n[measures.orders]\n[forecast]\nseasons = [24, 8760]\nyearly = true\n",
        &[
            "orders.toml:4: a season of 8760 steps is too long for the history: the longest possible one has 360 steps",
            "orders.toml:5: a year has too many hours for a yearly season; leave yearly out",
        ],
    );
}

#[test]
fn a_country_whose_holidays_are_not_known_is_told_with_those_that_are() {
    let problems = try_parse("[measures.orders]\n[forecast]\nholidays = [\"XX\"]\n", ORDERS_SQL).unwrap_err();
    let told = problems[0].to_string();
    assert!(told.starts_with("orders.toml:3: the holidays of `XX` are not known; known countries are AT, "), "{told}");
}

#[test]
fn a_select_is_checked_without_a_database_as_far_as_it_can_be() {
    let cases = [
        ("SELECT 1; SELECT 2", " one_statement: 2 statements found"),
        ("DELETE FROM t WHERE day >= $1 AND day < $2", " read_only: DELETE is not a query"),
        ("SELECT day FROM t WHERE day >= $1", " syntax: $2 is not used; compare a time column with it"),
        ("SELECT day FROM t WHERE day < $2", " syntax: $1 is not used"),
        ("SELECT '$1', $$ $2 $$", " syntax: $1 is not used"),
        ("SELECT day FROM t\nWHERE day >= $1\nAND day < $2 AND n = $3", "3: syntax: the parameters here are $1 and $2"),
        ("SELECT day FROM t\nWHERE day >= $1a AND day < $2", "2: syntax: the parameters here are $1 and $2"),
        ("SELECT day\nFROM (t WHERE day >= $1\nAND day < $2", "2: syntax: not understood near"),
        ("SELECT day\nINTO x\nFROM t WHERE day >= $1 AND day < $2", "2: read_only: SELECT INTO creates a table"),
    ];
    for (sql, expected) in cases {
        let problems = try_parse("[measures.orders]\n", sql).unwrap_err();
        let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(told.len() == 1 && told[0].starts_with(&format!("orders.sql:{expected}")), "{sql}: {told:?}");
    }
}

#[test]
fn the_monitors_that_come_with_the_program_are_right_and_agree_with_the_json_schema() {
    let registry = Registry::shipped();
    assert_eq!(registry.problems, []);
    let keys = registry.monitors.iter().map(|monitor| monitor.key.as_str()).collect::<Vec<_>>();
    assert_eq!(keys, ["ga4_events", "revenue_funnel"]);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("metadata/monitors");
    let read = Registry::read(&folder).unwrap();
    assert_eq!((read.monitors.len(), read.problems), (2, Vec::new()));
    let shipped = std::fs::read_to_string(folder.join("../schema/monitor.json")).unwrap();
    let shipped = serde_json::from_str::<serde_json::Value>(&shipped).unwrap();
    let advice =
        "metadata/schema/monitor.json is out of date: run `explore json-schema monitor > metadata/schema/monitor.json`";
    assert_eq!(shipped, schema(), "{advice}");
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for key in keys {
        let text = std::fs::read_to_string(folder.join(format!("{key}.toml"))).unwrap();
        let value = as_json(&text);
        let errors = validator.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>();
        assert_eq!(errors, Vec::<String>::new(), "{key}");
    }
}

/// A TOML text as an editor checks it: dates are text.
fn as_json(text: &str) -> serde_json::Value {
    fn plain(value: toml::Value) -> serde_json::Value {
        match value {
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(plain).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            other => serde_json::to_value(other).unwrap(),
        }
    }
    plain(text.parse::<toml::Table>().unwrap().into())
}

#[test]
fn the_json_schema_and_the_program_refuse_the_same() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let cases = [
        "grain = \"month\"\n[measures.a]\n",
        "label = 1\n[measures.a]\n",
        "unknown = 1\n[measures.a]\n",
        "label = \"no measures\"\n",
        "[measures.a]\nvalue = -1\n",
        "[measures.a]\nvalue = \"1\"\n",
        "[measures.a]\n[ratios.b]\nnumerator = \"a\"\n",
        "[measures.a]\n[[forecast.events]]\nname = \"x\"\ndates = [1]\n",
        "[measures.a]\n[thresholds]\ninterval = 1\n",
        "[measures.a]\n[[rules]]\nmetric = \"a\"\ncomparison = \"previous_month\"\nchange_min = 1\n",
        "dimensions = \"a\"\n[measures.a]\n",
        "[measures.a]\nenabled = 1\n",
        "measures = []\n",
    ];
    for case in cases {
        assert!(!validator.is_valid(&as_json(case)), "the schema takes {case}");
        assert!(try_parse(case, ORDERS_SQL).is_err(), "the program takes {case}");
    }
    assert!(validator.is_valid(&as_json(ORDERS)));
}

#[test]
fn a_folder_is_read_whole_whatever_is_wrong_with_a_part_of_it() {
    let program = Program::new();
    let folder = program.path("monitors");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("orders.toml", ORDERS);
    write("orders.sql", ORDERS_SQL);
    write("alone.toml", ORDERS);
    write("lonely.sql", ORDERS_SQL);
    write("wrong.toml", "x = 1\n[measures.orders]\n");
    write("wrong.sql", "SELECT 1");
    write("README.md", "text");
    let registry = Registry::read(&folder).unwrap();
    assert_eq!(registry.monitors.iter().map(|monitor| monitor.key.as_str()).collect::<Vec<_>>(), ["orders"]);
    let outcome = program.run(&["monitor", "check", "--monitors", "monitors"]);
    let lines = outcome.stdout.lines().collect::<Vec<_>>();
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert_eq!(
        lines,
        [
            "monitors/alone.toml: there is no alone.sql beside it; a monitor is two files",
            "monitors/lonely.sql: there is no lonely.toml beside it; a monitor is two files",
            "monitors/wrong.sql: syntax: $1 is not used; compare a time column with it, the inclusive start of the range",
            "monitors/wrong.toml:1: unknown key `x`; the keys here are label, owner, time_zone, day_starts, grain, delay, \
             restated_steps, history, dimensions, channels, investigate, thresholds, severity, impact, measures, ratios, forecast, \
             growth, rules",
        ]
    );
    assert!(outcome.stderr.contains("4 problems in the monitors"), "{}", outcome.stderr);
    assert_eq!(program.run(&["monitor", "check", "orders", "--monitors", "monitors"]).code, 0);
    let unknown = program.run(&["monitor", "check", "order", "--monitors", "monitors"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("there is no monitor `order`; did you mean `orders`?"), "{}", unknown.stderr);
}

#[test]
fn monitors_are_listed_those_of_the_program_where_there_is_no_folder() {
    let program = Program::new();
    let listed = program.run(&["monitor", "list"]);
    assert_eq!(listed.code, 0);
    assert!(
        listed.stdout.lines().any(|line| line.starts_with("revenue_funnel  Revenue funnel  day")),
        "{}",
        listed.stdout
    );
    assert!(listed.stderr.contains("come with the program"), "{}", listed.stderr);
    let json = program.run(&["monitor", "list", "--json"]).stdout;
    let json = serde_json::from_str::<serde_json::Value>(&json).unwrap();
    assert_eq!(json[1]["metrics"][3]["key"], "requests_per_visitor");
    let missing = program.run(&["monitor", "list", "--monitors", "nowhere"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("nowhere: cannot read the folder of monitors"), "{}", missing.stderr);
}

#[test]
fn what_the_business_turned_in_the_table_goes_over_the_files() {
    let row = |metric: &str| Override { metric: metric.to_owned(), ..Override::default() };
    let rows = [
        Override { enabled: Some(false), probability: Some(0.999), ..row("orders") },
        Override { medium_deviation: Some(0.3), critical_deviation: Some(0.6), ..row("revenue") },
        Override { critical_deviation: Some(0.05), enabled: Some(false), ..row("average_order") },
        row("nothing"),
    ];
    let (monitor, notes) = monitor(ORDERS).with_overrides(&rows);
    let [orders, revenue, basket] = &monitor.metrics[..] else { panic!() };
    assert_eq!((orders.enabled, orders.thresholds.probability), (false, 0.999));
    let bands = (revenue.severity.fall.medium, revenue.severity.fall.critical);
    assert_eq!(bands, (0.3, 0.6));
    assert!((revenue.severity.fall.high - 0.45).abs() < 1e-12, "the band between goes to the middle");
    assert_eq!(
        (basket.enabled, basket.severity.fall.critical),
        (true, 0.4),
        "a row that makes no sense is left out whole"
    );
    assert!(notes.len() == 1 && notes[0].contains("`average_order`"), "{notes:?}");
}

#[test]
fn a_row_of_the_table_that_no_monitor_takes_is_told() {
    let monitors = [monitor(ORDERS), Monitor { key: "other".to_owned(), ..monitor("[measures.visits]\n") }];
    let check = |key: &str, metric: &str, expected: Option<&str>| {
        let expected = expected.map(|problem| format!("monitor_config: {problem}"));
        assert_eq!(unmatched(&monitors, key, metric), expected);
    };
    check("other", "visits", None);
    check("", "visits", None);
    check("orders", "visits", Some("`visits` is not a metric of orders"));
    check("othr", "visits", Some("there is no monitor `othr`"));
    check("", "visit", Some("no monitor has a metric `visit`"));
}

#[test]
fn a_day_has_one_name_and_its_neighbours_names_of_their_own() {
    let monitor = monitor(
        "time_zone = \"Europe/Paris\"\n[measures.orders]\n[forecast]\nholidays = [\"FR\", \"DE\"]\nholidays_after = 2\n\
         [[forecast.events]]\nname = \"Christmas sale\"\ndates = [2026-12-26]\n",
    );
    let names = |day: Date| monitor.forecasting.holidays.get(&day).map(String::as_str);
    assert_eq!(names(date(2026, 12, 24)), Some("Christmas Day -1"));
    assert_eq!(names(date(2026, 12, 25)), Some("Christmas Day"));
    assert_eq!(names(date(2026, 12, 26)), Some("Christmas sale"), "one's own days come first");
    assert_eq!(names(date(2026, 12, 27)), Some("Second Day of Christmas +1"), "the nearer of two");
    assert_eq!(names(date(2026, 5, 8)), Some("Victory Day"));
    assert_eq!(names(date(2026, 10, 3)), Some("German Unity Day"));
    assert_eq!(names(date(2026, 4, 6)), Some("Easter Monday"));
    assert_eq!(names(date(2026, 3, 29)), Some("clocks forward"));
    assert_eq!(names(date(2026, 10, 25)), Some("clocks back"));
    assert_eq!(names(date(2026, 9, 16)), None);
}

#[test]
fn public_holidays_of_many_countries_are_known_for_years() {
    let countries = holidays::countries();
    assert!(countries.len() >= 25, "{countries:?}");
    for (country, name, day) in [
        ("US", "Thanksgiving Day", date(2026, 11, 26)),
        ("GB", "Boxing Day", date(2040, 12, 26)),
        ("JP", "Greenery Day", date(2015, 5, 4)),
        ("CH", "National Day", date(2030, 8, 1)),
    ] {
        let events = holidays::public(country);
        let event = events.iter().find(|event| event.name == name).unwrap_or_else(|| panic!("{country} has no {name}"));
        assert!(event.dates.contains(&day), "{country} {name}");
    }
}

#[test]
fn a_day_and_a_week_that_do_not_begin_at_midnight_or_sunday_are_cut_where_they_should_be() {
    let day =
        monitor("time_zone = \"Europe/Paris\"\nday_starts = \"06:00\"\ndelay = \"3h\"\n[measures.orders]\n").calendar;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(day.step_of(at("2026-01-02T04:59:59Z")).to_string(), "2026-01-01T06:00:00");
    assert_eq!(day.step_of(at("2026-01-02T05:00:00Z")).to_string(), "2026-01-02T06:00:00");
    assert_eq!(day.last_over(at("2026-01-02T05:00:00Z")).to_string(), "2026-01-01T06:00:00");
    assert_eq!(day.last_due(at("2026-01-02T05:00:00Z")).to_string(), "2025-12-31T06:00:00");
    assert_eq!(day.last_due(at("2026-01-02T08:00:00Z")).to_string(), "2026-01-01T06:00:00");
    let week = monitor("grain = \"week\"\n[measures.orders]\n").calendar;
    assert_eq!(week.step_of(at("2026-01-04T23:59:59Z")).to_string(), "2025-12-29T00:00:00");
    assert_eq!(week.step_of(at("2026-01-05T00:00:00Z")).to_string(), "2026-01-05T00:00:00");
    // In Beirut the clocks go over midnight.
    let beirut = monitor("time_zone = \"Asia/Beirut\"\n[measures.orders]\n").calendar;
    let spring = date(2026, 3, 29).at(0, 0, 0, 0);
    assert_eq!(beirut.start(spring), at("2026-03-28T22:00:00Z"));
    assert_eq!(beirut.step_of(at("2026-03-28T21:59:59Z")).to_string(), "2026-03-28T00:00:00");
    assert_eq!(beirut.step_of(at("2026-03-28T22:00:00Z")).to_string(), "2026-03-29T00:00:00");
}
