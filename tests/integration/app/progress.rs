//! What a run tells on standard error: by event and verbosity, harmless to the terminal.

use explore::agent::journal::{Event, StopReason, Stopped, Totals};
use explore::app::progress::lines;
use explore::finding::results::QueryResult;
use explore::model::{Reply, ReplyEnd, ToolCall};
use explore::typeset::text::printable;
use explore::warehouse::table::{Column, Table};

fn queried() -> Event {
    let columns = vec![Column { name: "customer".to_owned(), type_name: "text".to_owned() }];
    let table = Table { columns, rows: vec![vec![Some("CUST004".to_owned())]], more_rows: true, suppressed: 0 };
    let result = QueryResult {
        id: "q1".to_owned(),
        sql: "SELECT customer\nFROM primary_sales".to_owned(),
        question: "Who stopped ordering?".to_owned(),
        table,
        elapsed_milliseconds: 8,
    };
    Event::Queried(result)
}

fn replied(text: &str) -> Event {
    let call = ToolCall { id: "c1".to_owned(), name: "execute_sql".to_owned(), arguments: "{\"sql\":1}".to_owned() };
    let reply = Reply {
        text: Some(text.to_owned()),
        tool_calls: vec![call],
        end: ReplyEnd::Complete,
        usage: None,
        carried: None,
    };
    Event::Replied { turn: 2, reply, elapsed_milliseconds: 900, totals: Totals::default(), model: None }
}

#[test]
fn without_v_events_have_no_lines() {
    assert_eq!(lines(&queried(), 0), None);
    assert_eq!(lines(&replied("Looking."), 0), None);
}

#[test]
fn with_v_a_query_is_shown_with_its_question_rows_and_time() {
    let expected = "q1 Who stopped ordering?\n   SELECT customer\n   FROM primary_sales\n   1 row and more in 8 ms";
    assert_eq!(lines(&queried(), 1).unwrap(), expected);
}

#[test]
fn with_v_the_reason_that_the_model_states_is_shown_and_its_calls_are_not() {
    assert_eq!(lines(&replied("Recency first."), 1).unwrap(), "turn 2, the model\n   Recency first.");
    assert_eq!(lines(&replied("  "), 1), None);
}

#[test]
fn with_vv_whole_messages_plans_and_results_are_shown() {
    assert!(lines(&queried(), 2).unwrap().contains("CUST004"));
    assert!(lines(&replied("Recency first."), 2).unwrap().contains("turn 2, call of execute_sql\n   {\"sql\":1}"));
    let plan = Event::Planned { id: "q1".to_owned(), plan: "Seq Scan".to_owned() };
    assert_eq!((lines(&plan, 1), lines(&plan, 2).unwrap()), (None, "q1 plan\n   Seq Scan".to_owned()));
}

#[test]
fn a_stop_is_told_with_its_reason_in_words() {
    let stopped = Stopped {
        reason: StopReason::ModelFailed,
        detail: Some("connection refused".to_owned()),
        looked_at: Vec::new(),
        answers: Vec::new(),
        totals: Totals::default(),
        models: Vec::new(),
        complete: None,
        coverage: None,
    };
    assert_eq!(lines(&Event::Stopped(stopped), 1).unwrap(), "stopped: model failed: connection refused");
}

#[test]
fn what_would_drive_the_terminal_is_replaced() {
    let check = |text: &str, expected: &str| assert_eq!(printable(text), expected);
    check("plain\n\ttext · ₹ 🛢", "plain\n\ttext · ₹ 🛢");
    check("\u{1b}[2J\u{1b}]0;title\u{7}", "\u{fffd}[2J\u{fffd}]0;title\u{fffd}");
    check("a\rb\u{9b}31mc\0", "a\u{fffd}b\u{fffd}31mc\u{fffd}");
    check("abc\u{202e}fed\u{2066}", "abc\u{fffd}fed\u{fffd}");
}
