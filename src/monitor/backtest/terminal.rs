//! Renders a backtest as text for a terminal.

use comfy_table::{Cell, CellAlignment, Table};
use console::Style;

use super::{Backtest, Month};
use crate::monitor::description::line;
use crate::monitor::wording::step;
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;

pub(super) fn render(backtest: &Backtest, layout: Layout) -> String {
    let mut page = Page::new(layout);
    page.styled(&line(&format!("{}, {}", backtest.label, backtest.period())), 0, &Style::new().bold());
    page.paragraph(&backtest.headline());
    months(&mut page, backtest);
    page.blank();
    for alert in &backtest.alerts {
        let when = step(alert.at, backtest.grain);
        page.styled(&format!("{} {when} {}", alert.priority, alert.title), 0, &Style::new().bold());
        page.line(&alert.cause, 3);
        for reason in &alert.reasons {
            page.line(&format!("- {reason}"), 3);
        }
        page.blank();
    }
    if !backtest.held_back.is_empty() {
        page.line("Not told:", 0);
    }
    for (hindrance, count) in &backtest.held_back {
        page.line(&format!("{count:>5}  {hindrance}"), 0);
    }
    page.text
}

fn months(page: &mut Page, backtest: &Backtest) {
    let mut table = Table::new();
    table.set_header(["month", "steps", "judged", "anomalous", "incidents", "P0", "P1"]);
    for (name, month) in &backtest.months {
        let Month { steps, judged, anomalous, incidents, p0, p1 } = *month;
        let numbers = [steps, judged, anomalous, incidents, p0, p1];
        let numbers = numbers.map(|number| Cell::new(number).set_alignment(CellAlignment::Right));
        table.add_row([Cell::new(name)].into_iter().chain(numbers));
    }
    let room = page.width - 3;
    page.table(table, room);
}
