//! The visits of each day and channel: new visitors, and visitors who return because they came before.

use super::{World, calendar};

/// A channel through which visitors come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) name: &'static str,
    /// New visitors on an average day at the start.
    visitors: f64,
    /// Growth per year, as a share.
    growth: f64,
    /// The factor of a Saturday against a working day.
    weekend: f64,
    /// The amplitude of the yearly season, as a share.
    amplitude: f64,
    /// The share of visitors who request an offer, relative to that of the average channel.
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

/// Share of new visitors who join the pool of those who may return.
const JOINING: f64 = 0.35;
/// Share of the pool that returns on an average day, and leaves the pool.
const RETURNING: f64 = 0.05;
/// Share of the pool that is lost every day.
const FORGETTING: f64 = 0.02;
/// Relative standard deviation of the factor that all channels share on a day.
const DAY_DEVIATION: f64 = 0.03;
/// Relative standard deviation of the factor of one channel on a day.
const CHANNEL_DEVIATION: f64 = 0.03;
/// Relative standard deviation of the mean of one count.
const COUNT_DEVIATION: f64 = 0.03;
/// Share of a day's deviation that the next day keeps, for all channels and for one.
const KEPT: f64 = 0.4;

/// The visits of one day by new and returning visitors.
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

/// Returns the factors that all channels share, one for each day.
pub(super) fn shocks(world: &World<'_>, series: u64) -> Vec<f64> {
    world.chance_of_series(series).shocks(world.days(), DAY_DEVIATION, KEPT)
}

/// Returns the visits of one channel, one for each day. `measure` is the column that an injection names.
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
