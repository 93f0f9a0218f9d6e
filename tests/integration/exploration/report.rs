//! The reports: what each format shows of one rich run, and what hostile text cannot do to any.

use explore::agent::journal::{Event, Run, StopReason, Stopped};
use explore::exploration::report::{Format, json, render};
use explore::finding::told::Told;
use explore::typeset::layout::Layout;
use unicode_width::UnicodeWidthStr;

use crate::support::sample_run;

const FORMATS: [Format; 4] = [Format::Terminal, Format::Markdown, Format::Json, Format::Html];

fn rich_run() -> Run {
    sample_run::run(&sample_run::events(StopReason::IterationLimit))
}

fn rendered(run: &Run, format: Format) -> String {
    render(run, format, Layout::default()).unwrap()
}

#[test]
fn the_terminal_report_of_a_rich_run() {
    insta::assert_snapshot!(rendered(&rich_run(), Format::Terminal));
}

#[test]
fn the_markdown_report_of_a_rich_run() {
    insta::assert_snapshot!(rendered(&rich_run(), Format::Markdown));
}

#[test]
fn the_html_report_of_a_rich_run() {
    let html = rendered(&rich_run(), Format::Html);
    let body = html.split_once("<body>").unwrap().1;
    insta::assert_snapshot!(body);
}

#[test]
fn the_json_report_of_a_run_without_its_megabytes() {
    let mut run = rich_run();
    run.findings.truncate(3);
    insta::assert_snapshot!(rendered(&run, Format::Json));
}

#[test]
fn the_published_schema() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&json::schema()).unwrap());
}

#[test]
fn json_reports_are_valid_against_the_schema_and_lose_nothing() {
    let validator = jsonschema::validator_for(json::schema().as_value()).unwrap();
    let check = |run: &Run| {
        let text = rendered(run, Format::Json);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors = validator.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>();
        assert!(errors.is_empty(), "{errors:?}");
        value
    };
    let value = check(&rich_run());
    assert_eq!(value["findings"][0]["id"], "F2");
    assert_eq!(value["findings"][3]["title"], sample_run::HOSTILE);
    assert_eq!(value["findings"][3]["evidence"][0]["rows"][0]["cells"][0], sample_run::HOSTILE);
    assert_eq!(value["stop_reason"], "iteration_limit");
    check(&sample_run::run(&[]));
    check(&sample_run::run(&[sample_run::started()]));
}

#[test]
fn no_format_lets_a_terminal_be_driven_or_text_be_reordered() {
    let run = rich_run();
    for format in FORMATS {
        let text = rendered(&run, format);
        let hostile = text.chars().find(|character| {
            (character.is_control() && *character != '\n')
                || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        });
        assert_eq!(hostile, None, "{format:?}");
    }
}

#[test]
fn what_is_long_is_cut() {
    let run = rich_run();
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        assert!(rendered(&run, format).len() < 100_000, "{format:?}");
    }
}

#[test]
fn terminal_lines_fit_the_width_they_are_given() {
    let run = rich_run();
    for width in [20, 40, 66, 80, 100, 200] {
        let layout = Layout { width, colours: false };
        for line in render(&run, Format::Terminal, layout).unwrap().lines() {
            assert!(line.width() <= width.clamp(40, 110), "{} columns at {width}: {line}", line.width());
        }
    }
}

#[test]
fn colours_are_written_only_when_asked_for_and_change_no_text() {
    let run = rich_run();
    let coloured = render(&run, Format::Terminal, Layout { width: 80, colours: true }).unwrap();
    assert!(coloured.contains("\u{1b}[1m"));
    assert_eq!(console::strip_ansi_codes(&coloured), rendered(&run, Format::Terminal));
}

#[test]
fn html_asks_nothing_of_anybody_and_runs_nothing() {
    let html = rendered(&rich_run(), Format::Html);
    let lower = html.to_ascii_lowercase();
    for forbidden in ["<script", "<img", "<iframe", "<link", "<object", "@import", "url(", "javascript:"] {
        assert!(!lower.contains(forbidden), "{forbidden}");
    }
    let tags = html.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect::<Vec<_>>();
    assert!(tags.iter().all(|tag| !tag.contains("http") || tag.starts_with("meta http-equiv")), "{tags:?}");
    let attributes = [" on", " src=", " style="];
    assert!(tags.iter().all(|tag| attributes.iter().all(|attribute| !tag.contains(attribute))), "{tags:?}");
    assert!(html.contains("default-src 'none'; style-src 'sha256-"));
    assert!(html.contains("{{ 7 * 7 }}"), "a template in the data was evaluated");
}

#[test]
fn markdown_holds_no_markup_of_the_data() {
    let markdown = rendered(&rich_run(), Format::Markdown);
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if ticks.len() >= open.len() && line == ticks => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            Some(_) => {}
            None => {
                for forbidden in ["<script", "<img", "](http", "://", "\n# not"] {
                    assert!(!line.replace("\\]", "").contains(forbidden), "{forbidden} in {line}");
                }
            }
        }
    }
    assert_eq!(fence, None, "a fence is left open");
}

#[test]
fn every_table_row_of_markdown_has_the_cells_of_its_heading() {
    check_table_rows(&rendered(&rich_run(), Format::Markdown));
}

/// Each has as many cells as the heading of its table.
#[track_caller]
pub(crate) fn check_table_rows(markdown: &str) {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut heading = None;
    for line in markdown.lines() {
        if line.starts_with('|') {
            assert_eq!(cells(line), *heading.get_or_insert(cells(line)), "{line}");
        } else {
            heading = None;
        }
    }
}

#[test]
fn a_run_without_findings_says_so_and_why() {
    let check = |events: &[Event], expected: &str| {
        let run = sample_run::run(events);
        for format in [Format::Terminal, Format::Markdown, Format::Html] {
            let text = rendered(&run, format).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("No findings"), "{format:?}: {text}");
            assert!(text.contains(expected), "{format:?}: {text}");
        }
    };
    let ended = |reason| vec![sample_run::started(), sample_run::stopped(reason)];
    check(&ended(StopReason::Finished), "After 12 queries nothing stood out");
    check(&ended(StopReason::CostLimit), "The run reached its limit after 12 queries");
    check(&[sample_run::started()], "this says nothing about the data");
    check(&[], "this says nothing about the data");
}

#[test]
fn every_limit_names_the_flag_that_raises_it() {
    let check = |reason, expected: &str| {
        let run = sample_run::run(&[sample_run::started(), sample_run::stopped(reason)]);
        for format in [Format::Terminal, Format::Markdown, Format::Html] {
            let text = rendered(&run, format).replace('\\', "").split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(expected), "{format:?}: {text}");
        }
    };
    check(StopReason::IterationLimit, "limit of iterations (iteration_limit); --max-iterations raises it");
    check(StopReason::QueryLimit, "--max-queries raises it");
    check(StopReason::TokenLimit, "--max-tokens-total raises it");
    check(StopReason::CostLimit, "--max-cost raises it");
    check(StopReason::DayCostLimit, "limit of the cost of a day over all runs (day_cost_limit): run it again tomorrow");
    check(StopReason::MonthCostLimit, "run it again next month, or raise --max-cost-month");
    check(StopReason::TimeLimit, "--time-limit raises it");
    check(StopReason::Unfinished, "The run is unfinished: it was killed, or is still running.");
    check(StopReason::ModelFailed, "the model gave no answer (model_failed): check the model");
}

#[test]
fn what_a_journal_lost_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = sample_run::write(directory.path(), sample_run::RUN_ID, &[sample_run::started()]);
    std::fs::write(&path, "not json\n").unwrap();
    let run = explore::agent::journal::read(&path).unwrap();
    let text = rendered(&run, Format::Markdown);
    assert!(text.contains("journal.jsonl:1 cannot be read and is missing here"), "{text}");
}

#[test]
fn a_chart_is_drawn_of_series_and_rankings_and_of_nothing_else() {
    let check = |cells: [&str; 3], expected: &str| {
        let mut result = sample_run::monthly();
        for (row, cell) in result.table.rows.iter_mut().zip(cells) {
            row[1] = (cell != "NULL").then(|| cell.to_owned());
        }
        let found = Event::Found(Box::new(sample_run::churn()));
        let html = rendered(&sample_run::run(&[Event::Queried(result), found]), Format::Html);
        assert_eq!(html.matches("<svg").count(), usize::from(!expected.is_empty()), "{cells:?}");
        assert!(html.contains(expected), "{cells:?}");
    };
    check(["1", "2", "3"], "<desc>A series of 8 values.");
    check(["1", "NULL", "3"], "<desc>A series of 7 values.");
    check(["-1", "0", "99999999999999999999999999"], "<desc>A series of 8 values.");
    check(["NaN", "2", "3"], "");
    check(["1", "Infinity", "3"], "");
}

fn wide_run(finding: &Told) -> Run {
    sample_run::run(&[
        sample_run::started(),
        Event::Queried(sample_run::wide()),
        Event::Found(Box::new(finding.clone())),
        sample_run::stopped(StopReason::Finished),
    ])
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn arithmetic_is_told_where_there_is_some() {
    let check = |arithmetic: &str, expected: &[&str]| {
        let mut surplus = sample_run::surplus();
        arithmetic.clone_into(&mut surplus.impact.arithmetic);
        let html = rendered(&wide_run(&surplus), Format::Html);
        let lines = html.split("<p class=\"arithmetic\">").skip(1).map(|rest| rest.split('<').next().unwrap());
        assert_eq!(lines.collect::<Vec<_>>(), expected, "{arithmetic}");
        assert_eq!(html.contains("How it adds up"), !expected.is_empty());
    };
    check("378,710 = 378,710", &[]);
    check("746,724 × 2 = 1,493,448", &["746,724 × 2 = 1,493,448"]);
}

#[test]
fn what_counts_is_whole_and_what_measures_is_not() {
    let check = |amount: &str, unit: &str, expected: &str| {
        let mut surplus = sample_run::surplus();
        surplus.impact.amount = amount.parse().unwrap();
        amount.clone_into(&mut surplus.impact.amount_text);
        unit.clone_into(&mut surplus.impact.unit);
        let text = rendered(&wide_run(&surplus), Format::Terminal);
        assert!(text.contains(&format!("Impact      {expected} ·")), "{text}");
    };
    check("53.22", "customers", "53 customers");
    check("12345.67", "Orders per year", "12,346 Orders per year");
    check("2.5", "orders", "2.5 orders");
    check("53.22", "EUR", "53.22 EUR");
    check("53.22", "%", "53.22 %");
}

#[test]
fn a_unit_that_the_amount_says_already_is_not_said_again() {
    let check = |amount: &str, unit: &str, expected: &str| {
        let mut surplus = sample_run::surplus();
        amount.clone_into(&mut surplus.impact.amount_text);
        unit.clone_into(&mut surplus.impact.unit);
        let run = wide_run(&surplus);
        let (terminal, markdown) = (rendered(&run, Format::Terminal), rendered(&run, Format::Markdown));
        assert!(terminal.contains(&format!("Impact      {expected} ·")), "{terminal}");
        assert!(markdown.contains(&format!("**Impact:** {expected} ·")), "{markdown}");
        let (number, rest) = expected.split_once(' ').unwrap_or((expected, ""));
        let html = rendered(&run, Format::Html);
        assert!(html.contains(&format!("<p class=\"big\">{number} <small>{rest}</small></p>")), "{expected}");
    };
    check("21.5%", "%", "21.5%");
    check("21.5%", "% of sales", "21.5% of sales");
    check("21.5%", "percent of customers", "21.5% of customers");
    check("-21.5%", "per cent", "-21.5%");
    check("21.5%", "INR", "21.5% INR");
    check("21.5", "% of sales", "21.5 % of sales");
}

#[test]
fn errors_stand_at_the_end_and_cautions_at_the_head() {
    let Event::Stopped(stopped) = sample_run::stopped(StopReason::ModelFailed) else { unreachable!() };
    let stopped = Stopped { detail: Some("cannot reach 127.0.0.1, os error 111".to_owned()), ..stopped };
    let caution = "the newest date in the data is 2011-12-09".to_owned();
    let events = [
        sample_run::started(),
        Event::Queried(sample_run::wide()),
        Event::Found(Box::new(sample_run::surplus())),
        Event::Warned { message: caution.clone() },
        Event::Stopped(stopped),
    ];
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        let text = words(&rendered(&sample_run::run(&events), format));
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{format:?} has no {part}: {text}"));
        let finding = place("net sales that do not exist");
        assert!(place("Stopped early because the model gave no answer") < finding, "{format:?}");
        assert!(place(&caution) < finding, "{format:?}");
        assert!(place("os error 111") > finding, "{format:?}");
        assert!(place("Recorded by version 0.1 and checked by its rules") > finding, "{format:?}");
    }
}
