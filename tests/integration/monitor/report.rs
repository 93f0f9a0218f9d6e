//! The reports of a monitor's day: what each format shows of a rich one, and what hostile text cannot do to any.

use explore::monitor::commentary;
use explore::monitor::day::{Day, Decision};
use explore::monitor::report::{json, render};
use explore::typeset::format::Format;
use explore::typeset::layout::Layout;
use unicode_width::UnicodeWidthStr;

use crate::exploration::report::check_table_rows;
use crate::support::sample_day::{HOSTILE, Sample, segment};

const FORMATS: [Format; 4] = [Format::Terminal, Format::Markdown, Format::Json, Format::Html];

fn rendered(sample: &Sample, format: Format) -> String {
    let analysis = commentary::offline(sample.reported().case());
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    render(&[reported], format, Layout::default()).unwrap()
}

#[test]
fn the_terminal_report_of_a_rich_day() {
    insta::assert_snapshot!(rendered(&Sample::new(), Format::Terminal));
}

#[test]
fn the_markdown_report_of_a_rich_day() {
    insta::assert_snapshot!(rendered(&Sample::new(), Format::Markdown));
}

#[test]
fn the_html_report_of_a_rich_day() {
    let html = rendered(&Sample::new(), Format::Html);
    insta::assert_snapshot!(html.split_once("<body>").unwrap().1);
}

#[test]
fn the_json_report_of_a_rich_day() {
    insta::assert_snapshot!(rendered(&Sample::new(), Format::Json));
}

#[test]
fn what_broke_with_it_in_a_segment_alone_names_that() {
    let mut sample = Sample::new();
    sample.day.judgements[3].is_anomalous = false;
    let mut part = sample.day.judgements[3].clone();
    part.is_anomalous = true;
    part.segment = segment(&[("channel", "paid"), ("device", "mobile")]);
    sample.day.judgements.push(part);
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        let text = rendered(&sample, format).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("Requests per visitor, Projects (channel = paid, device = mobile), Revenue"), "{text}");
    }
}

#[test]
fn what_is_open_and_quiet_raises_no_alarm_and_asks_for_nothing() {
    let mut sample = Sample::new();
    let reason = "nothing of it is anomalous for 1 of the 2 steps after which it is over";
    sample.day.incidents[0].quiet_steps = 1;
    sample.day.incidents[0].decision = Decision { fires: None, reasons: vec![reason.to_owned()] };
    sample.day.incidents.truncate(1);
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        let text = rendered(&sample, format).split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "0 alerts, 1 quiet, ",
            "Requests is quiet again, the incident is still open",
            "it was critical, with impact very high, when",
            reason,
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = text.to_lowercase();
        for part in ["suppressed", "■ critical", "**critical**", "pill critical\"", "what changed there", "at stake"]
        {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }
    assert!(rendered(&sample, Format::Terminal).contains("\n□□□□ QUIET\n"));
}

#[test]
fn days_of_before_an_incident_kept_what_its_grades_come_from_still_read() {
    let mut value = serde_json::to_value(Sample::new().day).unwrap();
    for incident in value["incidents"].as_array_mut().unwrap() {
        let incident = incident.as_object_mut().unwrap();
        assert!(incident.remove("severity_by").is_some() && incident.remove("impact_by").is_some());
    }
    let day: Day = serde_json::from_value(value).unwrap();
    assert!(day.incidents.iter().all(|incident| incident.severity_by.is_none() && incident.impact_by.is_none()));
}

#[test]
fn the_published_schema_of_a_monitors_report() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&json::schema()).unwrap());
}

#[test]
fn json_reports_are_valid_against_the_schema_and_lose_nothing() {
    let validator = jsonschema::validator_for(json::schema().as_value()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&rendered(&Sample::new(), Format::Json)).unwrap();
    let errors = validator.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(value["days"][0]["metrics"][4]["label"], HOSTILE);
    assert_eq!(value["days"][0]["day"]["incidents"][1]["segments"][0]["segment"]["channel"], HOSTILE);
}

#[test]
fn no_format_lets_a_terminal_be_driven_or_text_be_reordered() {
    for format in FORMATS {
        let text = rendered(&Sample::new(), format);
        let hostile = text.chars().find(|character| {
            (character.is_control() && *character != '\n')
                || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        });
        assert_eq!(hostile, None, "{format:?}");
    }
}

#[test]
fn terminal_lines_fit_the_width_they_are_given() {
    let sample = Sample::new();
    for width in [20, 40, 80, 100, 200] {
        let layout = Layout { width, colours: false };
        for line in render(&[sample.reported()], Format::Terminal, layout).unwrap().lines() {
            assert!(line.width() <= width.clamp(40, 110), "{} columns at {width}: {line}", line.width());
        }
    }
}

#[test]
fn html_asks_nothing_of_anybody_and_runs_nothing() {
    let html = rendered(&Sample::new(), Format::Html);
    let lower = html.to_ascii_lowercase();
    for forbidden in ["<script", "<img", "<iframe", "<link", "<object", "@import", "url(", "javascript:"] {
        assert!(!lower.contains(forbidden), "{forbidden}");
    }
    let tags = html.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect::<Vec<_>>();
    assert!(tags.iter().all(|tag| [" on", " src=", " style="].iter().all(|part| !tag.contains(part))), "{tags:?}");
    assert!(html.contains("default-src 'none'; style-src 'sha256-"));
    assert!(html.contains("{{ 7 * 7 }}"), "a template in the data was evaluated");
}

#[test]
fn markdown_holds_no_markup_of_the_data() {
    let markdown = rendered(&Sample::new(), Format::Markdown);
    for line in markdown.lines() {
        for forbidden in ["<script", "<!channel", "](http", "://", " @here"] {
            assert!(!line.replace("\\]", "").contains(forbidden), "{forbidden} in {line}");
        }
        assert!(!line.starts_with("# not"), "{line}");
    }
    check_table_rows(&markdown);
}

#[test]
fn the_headline_counts_what_became_of_incidents_and_metrics() {
    let text = rendered(&Sample::new(), Format::Terminal).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("1 alert, 1 suppressed, 1 without an alert, 1 metric as expected, 1 late, 1 missing"),
        "{text}"
    );
}

#[test]
fn a_growth_is_split_into_parts_that_add_up() {
    let sample = Sample::new();
    let growth = explore::monitor::growth::split(&sample.monitor, &sample.day).unwrap();
    let sum = growth.parts.iter().map(|part| part.amount).sum::<f64>();
    assert!((sum - (growth.actual - growth.before)).abs() < 1e-6, "{growth:?}");
}
