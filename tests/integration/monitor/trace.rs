//! `explore monitor why`: the story of one value.

use explore::monitor::series::Segment;
use explore::monitor::trace::story;
use explore::typeset::layout::Layout;

use crate::support::sample_day::{Sample, segment};

fn told(metric: &str, segment: &Segment) -> String {
    story(Sample::new().reported(), metric, segment, Layout::default()).unwrap()
}

#[test]
fn the_story_of_a_value_that_fired() {
    insta::assert_snapshot!(told("requests", &Segment::default()));
}

#[test]
fn the_story_of_a_value_that_follows_another() {
    insta::assert_snapshot!(told("revenue", &Segment::default()));
}

#[test]
fn the_story_of_a_value_that_did_not_fire() {
    insta::assert_snapshot!(told("visitors", &Segment::default()));
}

#[test]
fn the_story_of_values_that_are_not_there() {
    insta::assert_snapshot!(told("contacts", &Segment::default()) + &told("revenue_per_project", &Segment::default()));
}

#[test]
fn the_story_of_a_segment() {
    let text = told("requests", &segment(&[("channel", "paid")]));
    assert!(text.starts_with("Requests, channel = paid, 2026-11-20\nAnomalous: 82.6% below expected."), "{text}");
}

#[test]
fn what_is_not_watched_is_told_with_what_is() {
    let sample = Sample::new();
    let check = |metric: &str, segment: &Segment, expected: &str| {
        let error = story(sample.reported(), metric, segment, Layout::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("revenues", &Segment::default(), "watches no metric \"revenues\"; it watches visitors, requests,");
    let email = segment(&[("channel", "email")]);
    check("requests", &email, "of channel = email was not looked at on 2026-11-20; looked at were all; channel = paid");
}
