//! What passes on its way to the observer is counted, so that the end can say what was looked at.

use std::io;

use super::Observer;
use super::journal::{Event, Tally};

/// The observer, and what it was told.
pub(super) struct Recording<'a> {
    observer: &'a mut dyn Observer,
    tally: Tally,
}

impl<'a> Recording<'a> {
    pub(super) fn new(observer: &'a mut dyn Observer) -> Self {
        Self { observer, tally: Tally::default() }
    }

    /// What came of the events so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally.clone()
    }

    pub(super) fn observe(&mut self, event: Event) -> io::Result<()> {
        self.tally.take(&event);
        self.observer.observe(event)
    }
}
