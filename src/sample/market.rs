//! The customers and products: who orders what, how often and on which terms, and which customers are planted signals.

use super::Options;
use crate::analysis::dice::Dice;

/// The regions of ordinary customers. The last of them has a season.
const REGIONS: [&str; 6] = ["North", "South", "East", "West", "Central", SEASONAL_REGION];
/// The region whose customers order little in the months before the end of the data, and in the same months a year
/// earlier.
pub(super) const SEASONAL_REGION: &str = "Hills";
/// The region in which most customers stop ordering.
pub(super) const SILENT_REGION: &str = "Islands";
/// Segments with their usual trade, volume and cash discounts, in tenths of a percent. Key accounts have better terms,
/// which is not a signal.
const SEGMENTS: [(&str, [i64; 3]); 5] = [
    ("Workshop", [30, 10, 10]),
    ("Retailer", [35, 15, 10]),
    ("Fleet", [40, 25, 10]),
    ("Industrial", [40, 20, 15]),
    ("Key Account", [70, 40, 20]),
];
const FIRST_WORDS: [&str; 12] = [
    "Amber", "Bharat", "Coastal", "Delta", "Eastern", "Fairway", "Ganga", "Himalaya", "Indus", "Jyoti", "Kaveri",
    "Lotus",
];
const LAST_WORDS: [&str; 10] = [
    "Motors",
    "Logistics",
    "Transport",
    "Service Center",
    "Industries",
    "Traders",
    "Engineering",
    "Auto Works",
    "Mills",
    "Enterprises",
];

/// The products: code, name, business unit, and gross price of a unit in INR.
pub(super) const PRODUCTS: [(&str, &str, &str, i64); 10] = [
    ("EO", "Engine Oil", "Automotive", 400),
    ("EP", "Engine Oil Premium", "Automotive", 650),
    ("GO", "Gear Oil", "Automotive", 500),
    ("BF", "Brake Fluid", "Automotive", 300),
    ("CO", "Coolant", "Automotive", 220),
    ("GR", "Grease", "Automotive", 350),
    ("HO", "Hydraulic Oil", "Industrial", 300),
    ("CP", "Compressor Oil", "Industrial", 550),
    ("TO", "Turbine Oil", "Industrial", 700),
    ("CF", "Cutting Fluid", "Industrial", 260),
];

/// A customer of the market. Days are counted from the first day of the data.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) segment: &'static str,
    pub(super) region: &'static str,
    /// The usual number of days between two orders.
    pub(super) interval: f64,
    /// The usual number of units of an order.
    pub(super) units: f64,
    /// The day from which its first interval is counted.
    pub(super) first_day: i64,
    /// The first day without orders, if the customer was planted as one who stops.
    pub(super) stop_day: Option<i64>,
    /// Trade, volume and cash discounts, in tenths of a percent.
    pub(super) discounts: [i64; 3],
    /// Whether its discounts were planted as a signal.
    pub(super) is_overdiscounted: bool,
    /// Indices of its products in [`PRODUCTS`].
    pub(super) products: Vec<usize>,
}

/// All customers, and the length of the data.
#[derive(Debug, Clone)]
pub(super) struct Market {
    pub(super) customers: Vec<Customer>,
    /// The last day of the data, counted from its first day as 0.
    pub(super) last_day: i64,
}

impl Market {
    pub(super) fn new(options: Options) -> Self {
        let last_day = i64::from(options.months) * 365 / 12 - 1;
        let mut dice = Dice::new(options.seed, 1);
        let customers = (0..options.customers).map(|index| Customer::new(index, last_day, &mut dice)).collect();
        let mut market = Self { customers, last_day };
        market.plant_silent_region(&mut dice);
        market.plant_discounts(&mut dice);
        market.plant_churn(&mut dice);
        market
    }

    /// Moves one customer in 250, at least three, to the silent region. Two of three of them stop.
    fn plant_silent_region(&mut self, dice: &mut Dice) {
        let count = (self.customers.len() / 250).max(3);
        let last_day = self.last_day;
        for (index, customer) in self.customers.iter_mut().take(count).enumerate() {
            customer.region = SILENT_REGION;
            customer.interval = dice.between(14.0, 30.0);
            customer.units = dice.between(80.0, 200.0);
            customer.first_day = dice.whole(0, 60);
            customer.stop_day = (index % 3 != 2).then(|| last_day - dice.whole(130, 170));
        }
    }

    /// Gives one customer in 600 discounts that are 11 to 15 percentage points above those of its segment.
    fn plant_discounts(&mut self, dice: &mut Dice) {
        for index in self.ordinary(dice, self.customers.len().div_ceil(600)) {
            let customer = &mut self.customers[index];
            customer.discounts[0] += dice.whole(80, 100);
            customer.discounts[1] += dice.whole(30, 50);
            customer.is_overdiscounted = true;
        }
    }

    /// Makes one customer in 125 stop, at least 75 days and five of its intervals before the end of the data.
    fn plant_churn(&mut self, dice: &mut Dice) {
        for index in self.ordinary(dice, self.customers.len().div_ceil(125)) {
            let customer = &mut self.customers[index];
            #[expect(clippy::cast_possible_truncation, reason = "an interval is at most 200 days")]
            let silence_min = (customer.interval * 5.0) as i64;
            customer.stop_day = Some(self.last_day - dice.whole(silence_min.max(75), silence_min.max(75) + 60));
        }
    }

    /// Chooses up to `count` customers who can carry a signal: of some size, frequent, known for long, in no special
    /// region, and not planted yet.
    fn ordinary(&self, dice: &mut Dice, count: usize) -> Vec<usize> {
        let is_ordinary = |customer: &Customer| {
            let is_special = [SEASONAL_REGION, SILENT_REGION].contains(&customer.region);
            let is_planted = customer.stop_day.is_some() || customer.is_overdiscounted;
            let is_known = customer.first_day < self.last_day / 3;
            !is_special && !is_planted && is_known && customer.units >= 25.0 && customer.interval <= 40.0
        };
        let mut pool =
            (0..self.customers.len()).filter(|&index| is_ordinary(&self.customers[index])).collect::<Vec<_>>();
        let mut chosen = Vec::new();
        while chosen.len() < count && !pool.is_empty() {
            let index = usize::try_from(dice.whole(0, i64::try_from(pool.len()).unwrap_or(1) - 1)).unwrap_or(0);
            chosen.push(pool.swap_remove(index));
        }
        chosen
    }
}

impl Customer {
    fn new(index: u32, last_day: i64, dice: &mut Dice) -> Self {
        let (segment, discounts) = if dice.chance(0.03) { SEGMENTS[4] } else { *dice.pick(&SEGMENTS[..4]) };
        let interval = match dice.unit() {
            unit if unit < 0.15 => dice.between(8.0, 20.0),
            unit if unit < 0.65 => dice.between(20.0, 45.0),
            unit if unit < 0.90 => dice.between(45.0, 90.0),
            _ => dice.between(90.0, 200.0),
        };
        let first_day = if dice.chance(0.7) { dice.whole(0, 45) } else { dice.whole(46, last_day - 30) };
        let is_key_account = segment == "Key Account";
        let product_count = dice.whole(1, 3);
        Self {
            code: format!("CUST{:05}", index + 1),
            name: format!("{} {}", dice.pick(&FIRST_WORDS), dice.pick(&LAST_WORDS)),
            segment,
            region: *dice.pick::<&str>(&REGIONS),
            interval,
            units: dice.pareto(60.0) * if is_key_account { 60.0 } else { 10.0 },
            first_day,
            stop_day: None,
            discounts: discounts.map(|usual| usual + dice.whole(-5, 5)),
            is_overdiscounted: false,
            products: (0..product_count)
                .map(|_| dice.whole(0, 9))
                .filter_map(|product| usize::try_from(product).ok())
                .collect(),
        }
    }
}
