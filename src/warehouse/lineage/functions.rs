//! The kinds of functions, by what the value of a call depends on.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What the value of a call depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The rows of a group.
    Aggregate,
    /// The rows of a group and their order.
    OrderedAggregate,
    /// The rows of a window.
    Window,
    /// Its arguments.
    Pure,
    /// The moment at which the statement runs.
    Moment,
    /// What is not traced. It is one value.
    Opaque,
    /// Its arguments, and it returns rows.
    Rows,
}

static KINDS: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| {
    let mut kinds = HashMap::new();
    let mut kind = Kind::Pure;
    for line in include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')) {
        match line {
            "[aggregates]" => kind = Kind::Aggregate,
            "[ordered]" => kind = Kind::OrderedAggregate,
            "[windows]" => kind = Kind::Window,
            "[pure]" => kind = Kind::Pure,
            "[moment]" => kind = Kind::Moment,
            "[opaque]" => kind = Kind::Opaque,
            "[rows]" => kind = Kind::Rows,
            names => kinds.extend(names.split_whitespace().map(|name| (name, kind))),
        }
    }
    kinds
});

/// Returns the kind of a function of pg_catalog; `None` if it is not known.
pub(super) fn kind(name: &str) -> Option<Kind> {
    KINDS.get(name).copied()
}
