//! Visits a day and channel: who comes for the first time, and who comes back for having come before.

use super::{World, calendar};

/// A way by which people come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) name: &'static str,
    /// New visitors on an average day at the start.
    visitors: f64,
    /// Growth a year, as a share.
    growth: f64,
    /// What a day of the weekend is to a working day.
    weekend: f64,
    /// How far the year moves it.
    amplitude: f64,
    /// The share of visitors who ask for an offer, against the average channel's.
    pub(super) conversion: f64,
}

pub(super) const CHANNELS: [Channel; 5] = [
    channel("organic", 2_600.0, 0.12, 0.72, 0.12, 1.0),
    channel("paid", 1_500.0, 0.25, 0.85, 0.08, 0.75),
    channel("direct", 900.0, 0.05, 0.62, 0.10, 1.3),
    channel("email", 380.0, 0.08, 0.40, 0.15, 1.7),
    channel("referral", 300.0, -0.06, 0.78, 0.06, 0.8),
];

const fn channel(
    name: &'static str,
    visitors: f64,
    growth: f64,
    weekend: f64,
    amplitude: f64,
    conversion: f64,
) -> Channel {
    Channel { name, visitors, growth, weekend, amplitude, conversion }
}

/// The part of new visitors who may come back, the part of those who do on a day, and the part who are lost to it.
const JOINING: f64 = 0.35;
const RETURNING: f64 = 0.05;
const FORGETTING: f64 = 0.02;
/// Relative standard deviation of what a day does to all channels, to one, and to one count; the part of the first two that
/// the day after keeps.
const DAY_DEVIATION: f64 = 0.03;
const CHANNEL_DEVIATION: f64 = 0.03;
const COUNT_DEVIATION: f64 = 0.03;
const KEPT: f64 = 0.4;

/// Who came on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Visits {
    pub(super) new: f64,
    pub(super) returning: f64,
}

impl Visits {
    pub(super) fn all(self) -> f64 {
        self.new + self.returning
    }
}

/// What a day does to all channels.
pub(super) fn shocks(world: &World<'_>, series: u64) -> Vec<f64> {
    world.chance_of_series(series).shocks(world.days(), DAY_DEVIATION, KEPT)
}

/// The visits of one channel, a day each; `measure` is the column that an injection names.
pub(super) fn visits(world: &World<'_>, channel: &Channel, series: u64, shocks: &[f64], measure: &str) -> Vec<Visits> {
    let own = world.chance_of_series(series).shocks(world.days(), CHANNEL_DEVIATION, KEPT);
    let mut pool = channel.visitors * JOINING / (RETURNING + FORGETTING);
    let day = |day: usize| {
        let mut chance = world.chance(series, day);
        let date = world.date(day);
        let special = calendar::special(date).map_or(1.0, |special| special.visits);
        let season = calendar::week(date, channel.weekend) * calendar::year(date, channel.amplitude) * special;
        let injected = world.factor(measure, &[("channel", channel.name)], day);
        let size = season * shocks[day] * own[day] * injected;
        let growth = libm::pow(1.0 + channel.growth, day as f64 / 365.25);
        let new = chance.count(channel.visitors * growth * size, COUNT_DEVIATION);
        let returning = chance.count(RETURNING * pool * size, COUNT_DEVIATION);
        pool += JOINING * new - FORGETTING * pool - RETURNING * pool;
        Visits { new, returning }
    };
    (0..world.days()).map(day).collect()
}
