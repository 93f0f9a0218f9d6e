//! One wide table of sales lines: regular and memoryless customers, regions, channels, discounts.

use super::Content;
use super::chance::{World, hundredths, index, log_normal, memoryless, real, rounded, weighted};
use super::names::{self, one, pairs, some};
use super::plan::{Decoy, DecoyKind, Direction, Mark, Signal, SignalKind};
use super::table::{Cell, Column, Table};

pub(super) const MONTHS: i64 = 25;
const CUSTOMERS: usize = 60;
/// How many of the customers buy at random times.
const MEMORYLESS: usize = 24;
/// Days after the start of the period in which a customer buys first.
const FIRST_DAY_MAX: i64 = 20;

/// The names of the table and its columns.
struct Words {
    table: String,
    date: String,
    customer: String,
    region: String,
    channel: String,
    segment: String,
    category: String,
    quantity: String,
    price: String,
    discount: String,
    amount: String,
}

/// A customer, and how it buys.
struct Customer {
    name: String,
    region: usize,
    segment: usize,
    /// Days between two purchases.
    interval: f64,
    /// The usual quantity.
    quantity: f64,
    is_memoryless: bool,
}

/// What the market is made of, and what is planted in it.
struct Market {
    words: Words,
    customers: Vec<Customer>,
    regions: Vec<String>,
    channels: Vec<String>,
    segments: Vec<String>,
    categories: Vec<String>,
    channel_weights: Vec<f64>,
    /// The customers who stop and who decline.
    stopped: usize,
    declining: usize,
    /// The days on which the effects begin.
    stop_day: i64,
    decline_day: i64,
    loss_day: i64,
    erosion_day: i64,
}

/// A customer, a day, and whether it is the one order that is far too large.
struct Purchase {
    customer: usize,
    day: i64,
}

/// Generates the table. `all_memoryless` makes all customers buy at random times.
pub(super) fn generate(world: &mut World, all_memoryless: bool) -> Content {
    let market = Market::new(world, all_memoryless);
    let mut purchases = (0..CUSTOMERS).flat_map(|customer| market.purchases(customer, world)).collect::<Vec<_>>();
    purchases.sort_by_key(|purchase| purchase.day);
    // A customer of the second half of the regular ones: nothing else is planted on them.
    let large = large_order(&purchases, world);
    let mut table = Table::new(market.words.table.clone(), market.words.columns());
    table.rows = (0..purchases.len()).map(|index| market.row(index, &purchases[index], large, world)).collect();
    let big = purchases.get(large).map(|purchase| market.customers[purchase.customer].name.clone());
    let (signals, decoys) = (market.signals(), market.decoys(world, big));
    Content { tables: vec![table], signals, decoys }
}

/// Chooses the purchase that is far too large: one of the last two months, by a customer of whom nothing else is said.
fn large_order(purchases: &[Purchase], world: &mut World) -> usize {
    let from = world.calendar.months_before(2);
    let is_free =
        |purchase: &Purchase| purchase.day >= from && (3..CUSTOMERS - MEMORYLESS).contains(&purchase.customer);
    let free = (0..purchases.len()).filter(|&index| is_free(&purchases[index])).collect::<Vec<_>>();
    if free.is_empty() { 0 } else { free[index(free.len(), &mut world.noise)] }
}

impl Words {
    fn new(world: &mut World) -> Self {
        let dice = &mut world.plan;
        let table = one(&["sales", "invoice_lines", "turnover", "deliveries"], dice);
        Self {
            table,
            date: one(&["sold_on", "invoice_date", "billed_on", "booking_date"], dice),
            customer: one(&["customer", "client", "buyer", "account_name"], dice),
            region: one(&["region", "territory", "district"], dice),
            channel: one(&["channel", "sales_channel", "route"], dice),
            segment: one(&["segment", "customer_group"], dice),
            category: one(&["category", "product_group", "family"], dice),
            quantity: one(&["quantity", "units", "pieces"], dice),
            price: one(&["unit_price", "list_price"], dice),
            discount: one(&["discount", "discount_rate", "rebate"], dice),
            amount: one(&["net_amount", "revenue", "amount", "net_sales"], dice),
        }
    }

    fn columns(&self) -> Vec<Column> {
        let text = |name: &String| Column::new(name.as_str(), "text");
        vec![
            Column::new("line_no", "integer PRIMARY KEY"),
            Column::new(self.date.as_str(), "date"),
            text(&self.customer),
            text(&self.region),
            text(&self.segment),
            text(&self.channel),
            text(&self.category),
            Column::new(self.quantity.as_str(), "integer").outcome(),
            Column::new(self.price.as_str(), "numeric(10,2)").outcome(),
            Column::new(self.discount.as_str(), "numeric(4,2)").outcome(),
            Column::new(self.amount.as_str(), "numeric(12,2)").outcome(),
        ]
    }

    /// Adds what money or goods are measured by.
    fn by_sales(&self, mark: Mark) -> Mark {
        mark.by(&[&self.amount]).by(&[&self.quantity]).by(&["count("])
    }
}

impl Market {
    fn new(world: &mut World, all_memoryless: bool) -> Self {
        let words = Words::new(world);
        let dice = &mut world.plan;
        let (regions, segments) = (some(names::REGIONS, 5, dice), some(names::SEGMENTS, 3, dice));
        let (channels, categories) = (some(names::CHANNELS, 3, dice), some(names::CATEGORIES, 5, dice));
        let customers = pairs(names::FIRST_WORDS, names::LAST_WORDS, CUSTOMERS, dice);
        let calendar = world.calendar;
        let stop_day = calendar.days() - dice.whole(75, 100);
        let channel_weights = world.weights(channels.len());
        let customers = customers.into_iter().enumerate();
        let customers = customers.map(|(index, name)| Customer::new(index, name, world, all_memoryless)).collect();
        Self {
            words,
            customers,
            regions,
            channels,
            segments,
            categories,
            channel_weights,
            stopped: 0,
            declining: 1,
            stop_day,
            decline_day: calendar.months_before(7),
            loss_day: calendar.months_before(4),
            erosion_day: calendar.months_before(5),
        }
    }

    /// Returns the purchases of a customer over the whole time.
    fn purchases(&self, index: usize, world: &mut World) -> Vec<Purchase> {
        let customer = &self.customers[index];
        let end = if world.is_planted && index == self.stopped { self.stop_day } else { world.calendar.days() };
        let mut day = real(world.noise.whole(0, FIRST_DAY_MAX));
        let mut purchases = Vec::new();
        while day < real(end) {
            let number = rounded(day.floor());
            // In the region that loses orders, more than half of them are not placed.
            let is_kept =
                !world.is_planted || customer.region != 0 || number < self.loss_day || !world.noise.chance(0.55);
            if is_kept {
                purchases.push(Purchase { customer: index, day: number });
            }
            day += customer.gap(world);
        }
        purchases
    }

    fn row(&self, number: usize, purchase: &Purchase, large: usize, world: &mut World) -> Vec<Cell> {
        let customer = &self.customers[purchase.customer];
        let day = purchase.day;
        let channel = weighted(&self.channel_weights, &mut world.noise);
        let category = weighted(&self.category_weights(day, world), &mut world.noise);
        let mut quantity = customer.quantity * log_normal(1.0, 0.3, &mut world.noise);
        if purchase.customer == self.declining {
            quantity *= self.decline(day, world);
        }
        if world.is_planted && number == large {
            quantity *= 60.0;
        }
        let quantity = rounded(quantity).max(1);
        let price = hundredths([19.0, 24.0, 31.0, 27.0, 22.0][category] * world.noise.between(0.95, 1.05));
        let eroded = channel == 0 && day >= self.erosion_day;
        let rate = hundredths(world.share(eroded, 0.15, 0.05) * world.noise.around_one());
        let amount = quantity * price * (100 - rate) / 100;
        vec![
            Cell::Whole(i64::try_from(number).unwrap_or(0) + 1),
            world.calendar.date(day).into(),
            (&customer.name).into(),
            (&self.regions[customer.region]).into(),
            (&self.segments[customer.segment]).into(),
            (&self.channels[channel]).into(),
            (&self.categories[category]).into(),
            quantity.into(),
            Cell::Hundredths(price),
            Cell::Hundredths(rate),
            Cell::Hundredths(amount),
        ]
    }

    /// Returns what is left of the quantities of the customer who declines: down to a quarter at the end.
    fn decline(&self, day: i64, world: &World) -> f64 {
        if !world.is_planted || day < self.decline_day {
            return 1.0;
        }
        let over = real(day - self.decline_day) / real(world.calendar.days() - self.decline_day);
        1.0 - 0.75 * over
    }

    /// Returns the weights of the categories: one has a season before the end of each year of the data.
    fn category_weights(&self, day: i64, world: &World) -> Vec<f64> {
        let months_left = world.calendar.month(world.calendar.days() - 1) - world.calendar.month(day);
        let in_season = world.is_planted && matches!(months_left % 12, 1 | 2);
        (0..self.categories.len()).map(|category| if category == 0 && in_season { 3.0 } else { 1.0 }).collect()
    }

    fn signals(&self) -> Vec<Signal> {
        let Words { table, date, customer, region, channel, discount, amount, .. } = &self.words;
        let stopped = self.customers[self.stopped].name.as_str();
        let declining = self.customers[self.declining].name.as_str();
        let (lost, eroded) = (self.regions[0].as_str(), self.channels[0].as_str());
        let last = format!("(SELECT max({date}) FROM {table})");
        let rise = |what: &str, of: &str, days: i64| {
            format!(
                "(SELECT {what} FILTER (WHERE {date} > {last} - {days}) / nullif({what} FILTER (WHERE {date} <= {last} - \
                 {days}), 0) FROM {table} WHERE {of})"
            )
        };
        vec![
            Signal {
                kind: SignalKind::Churn,
                what: format!("{stopped} bought in an even rhythm and stopped"),
                mark: self.words.by_sales(Mark::of(customer, &[stopped])).by(&["max(", date]).going(Direction::Down),
                proof: format!("{last} - (SELECT max({date}) FROM {table} WHERE {customer} = '{stopped}') > 60"),
            },
            Signal {
                kind: SignalKind::SilentDecline,
                what: format!("{declining} buys as often as ever, and ever less"),
                mark: self.words.by_sales(Mark::of(customer, &[declining])).going(Direction::Down),
                proof: format!(
                    "{} < 0.8",
                    rise(&format!("avg({amount})"), &format!("{customer} = '{declining}'"), 120)
                ),
            },
            Signal {
                kind: SignalKind::RegionalLoss,
                what: format!("{lost} lost more than half of its orders"),
                mark: self
                    .words
                    .by_sales(Mark::of(region, &[lost]))
                    .by(&["avg(cast((", lost])
                    .going(Direction::Down)
                    .over_time(),
                proof: format!(
                    "(SELECT count(*) FILTER (WHERE {date} > {last} - 100) / 100.0 < 0.7 * count(*) FILTER (WHERE {date} \
                     BETWEEN {last} - 500 AND {last} - 140) / 361.0 FROM {table} WHERE {region} = '{lost}')"
                ),
            },
            Signal {
                kind: SignalKind::DiscountErosion,
                what: format!("discounts of {eroded} tripled"),
                mark: Mark::of(channel, &[eroded]).by(&[discount]).going(Direction::Up),
                proof: format!("{} > 1.8", rise(&format!("avg({discount})"), &format!("{channel} = '{eroded}'"), 120)),
            },
        ]
    }

    fn decoys(&self, world: &World, big: Option<String>) -> Vec<Decoy> {
        let Words { customer, category, .. } = &self.words;
        let seasonal = self.categories[0].as_str();
        let random = self.customers.iter().filter(|customer| customer.is_memoryless);
        let random = random.map(|customer| customer.name.as_str()).collect::<Vec<_>>();
        let big = big.unwrap_or_default();
        vec![
            Decoy {
                kind: DecoyKind::Season,
                what: format!("{seasonal} sells more in the same two months of each year"),
                mark: self.words.by_sales(Mark::of(category, &[seasonal])).over_time(),
            },
            Decoy {
                kind: DecoyKind::BigOrder,
                what: format!("{big} placed one order of sixty times its usual size"),
                mark: Mark::of(customer, &[&big])
                    .by(&[&self.words.amount])
                    .by(&[&self.words.quantity])
                    .going(Direction::Up),
            },
            Decoy {
                kind: DecoyKind::MemorylessBuyers,
                what: format!("{} customers buy at random times", random.len()),
                mark: self
                    .words
                    .by_sales(Mark::of(customer, &random))
                    .by(&["max(", &self.words.date])
                    .going(Direction::Down)
                    .over_time(),
            },
            super::partial_month(world, &[&self.words.amount]),
        ]
    }
}

impl Customer {
    fn new(index: usize, name: String, world: &mut World, all_memoryless: bool) -> Self {
        let is_memoryless = all_memoryless || index >= CUSTOMERS - MEMORYLESS;
        let (interval, quantity) = (world.plan.between(11.0, 17.0), world.plan.between(12.0, 40.0));
        // Where nothing is planted, customers do not differ.
        let (interval, quantity) = if world.is_planted { (interval, quantity) } else { (14.0, 20.0) };
        let interval = if is_memoryless && world.is_planted { interval * 1.8 } else { interval };
        Self { name, region: index % 5, segment: index % 3, interval, quantity, is_memoryless }
    }

    /// Draws the days until the next purchase.
    fn gap(&self, world: &mut World) -> f64 {
        if self.is_memoryless {
            return memoryless(self.interval, &mut world.noise);
        }
        self.interval * (1.0 + 0.2 * world.noise.normal()).max(0.3)
    }
}
