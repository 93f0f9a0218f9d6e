//! Counts the events on their way to the observer, so that the end of a run can report its coverage.

use std::io;

use super::Observer;
use super::journal::{Event, Tally};

/// An observer, and the coverage counted from its events.
pub(super) struct Recording<'a> {
    observer: &'a mut dyn Observer,
    tally: Tally,
}

impl<'a> Recording<'a> {
    pub(super) fn new(observer: &'a mut dyn Observer) -> Self {
        Self { observer, tally: Tally::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally.clone()
    }

    pub(super) fn observe(&mut self, event: Event) -> io::Result<()> {
        self.tally.take(&event);
        self.observer.observe(event)
    }
}
