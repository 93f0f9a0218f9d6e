//! A run that goes on: the loop plays the turns that are on record again, with the replies and results that it got, and
//! nothing is paid or asked twice.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::Observer;
use super::journal::Event;
use crate::model::{Error, Message, Model, Reply, Request, Unseen};

/// The replies that are on record, which the models of a run share.
#[derive(Debug, Clone, Default)]
pub struct Recorded(Arc<Mutex<VecDeque<Reply>>>);

impl Recorded {
    pub fn new(replies: Vec<Reply>) -> Self {
        Self(Arc::new(Mutex::new(replies.into())))
    }

    fn next(&self) -> Option<Reply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// A model that first repeats the replies that are on record.
#[derive(Debug)]
pub struct Replayed {
    pub recorded: Recorded,
    pub model: Box<dyn Model>,
}

#[async_trait]
impl Model for Replayed {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error> {
        match self.recorded.next() {
            Some(reply) => Ok(reply),
            None => self.model.reply(request).await,
        }
    }

    fn unseen(&self, messages: &[Message]) -> Vec<Unseen> {
        self.model.unseen(messages)
    }

    fn is_program(&self) -> bool {
        self.model.is_program()
    }
}

/// Keeps events that are on record from being recorded twice.
#[expect(missing_debug_implementations, reason = "an observer has none")]
pub struct Unrecorded<'o> {
    pub observer: &'o mut dyn Observer,
    /// The replies whose turns are on record up to the reply itself; `None` if all events are.
    pub replies_left: Option<usize>,
}

impl Observer for Unrecorded<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        match &mut self.replies_left {
            Some(0) => self.observer.observe(event),
            Some(left) => {
                *left -= usize::from(matches!(event, Event::Replied { .. }));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
