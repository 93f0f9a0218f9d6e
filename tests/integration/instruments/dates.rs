//! Text that is all dates is a date: instruments say of it what they say of the same rows with dates of the database.

use explore::instruments::Instrument;

use super::support::told;

const INSTRUMENTS: [Instrument; 7] = [
    Instrument::Profile,
    Instrument::Compare,
    Instrument::Trend,
    Instrument::Change,
    Instrument::Backlog,
    Instrument::Funnel,
    Instrument::Silent,
];

/// Tickets of two years, more and more of them; those of the north take longer. Of one in a hundred the beginning is not
/// known, and some have not ended.
fn tickets(is_text: bool) -> String {
    let (kind, unknown) =
        if is_text { ("text", "(ARRAY['unknown', '2024-02-30', ''])[1 + n % 3]") } else { ("timestamp", "NULL") };
    let written = |value: &str| {
        let value = format!("date_trunc('second', {value})");
        if is_text { format!("to_char({value}, 'YYYY-MM-DD\"T\"HH24:MI:SS')") } else { value }
    };
    let (opened, closed) = (written("at"), written("at + days * interval '1 day'"));
    format!(
        "SELECT setseed(0.3);
         CREATE TABLE tickets (id int PRIMARY KEY, customer int, opened {kind}, closed {kind}, team text, cost numeric);
         INSERT INTO tickets SELECT n, 1 + n % 40, CASE WHEN n % 100 = 7 THEN {unknown} ELSE {opened} END,
             CASE WHEN n % 9 > 0 THEN {closed} END, team,
             round((20 + random() * 30 + CASE team WHEN 'south' THEN n / 99.0 ELSE 0 END)::numeric, 2)
         FROM (SELECT n, (ARRAY['north', 'south', 'east'])[1 + n % 3] AS team,
                 timestamp '2024-01-01 08:00' + sqrt(n / 3000.0) * 720 * interval '1 day' AS at,
                 2 + random() * 3 + CASE n % 3 WHEN 0 THEN 2 ELSE 0 END AS days
             FROM generate_series(1, 3000) n) one"
    )
}

#[tokio::test]
async fn text_of_dates_with_strays_says_what_dates_say_where_the_strays_are_missing() {
    let mut told_in_all = 0;
    for (number, instrument) in INSTRUMENTS.into_iter().enumerate() {
        let of_dates = told(instrument, &format!("dates_typed_{number}"), &tickets(false)).await;
        let of_text = told(instrument, &format!("dates_text_{number}"), &tickets(true)).await;
        assert_eq!(of_text, of_dates, "{instrument:?}");
        told_in_all += of_text.len();
    }
    assert!(told_in_all > 10, "{told_in_all}");
}
