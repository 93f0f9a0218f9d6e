//! Generates the invoices: each customer orders at its own pace, with growth, seasons and returns. Then adds up what
//! was planted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::ToSpan;
use jiff::civil::Date;

use super::market::{Customer, Market, PRODUCTS, SEASONAL_REGION, SILENT_REGION};
use super::{Kind, Options, Planted};
use crate::analysis::dice::Dice;

/// Demand in each month of the year, in percent of the average.
const SEASON: [i64; 12] = [95, 97, 108, 110, 106, 96, 90, 92, 100, 108, 104, 94];
/// Probability that a part of a line is returned, except for bad batches.
const RETURN_CHANCE: f64 = 0.02;
/// Days before the end of the data in which the seasonal region pauses, in every year.
const PAUSE_DAYS: i64 = 110;
/// Number of trial batches. They have a few units. The return of one or two of them is not a signal.
const TRIAL_BATCHES: i64 = 25;

/// A line of an invoice: a sale, or a return with negative units.
#[derive(Debug, Clone)]
pub(super) struct Invoice {
    number: usize,
    date: Date,
    day: i64,
    customer: usize,
    product: usize,
    units: i64,
    /// Gross price of a unit in INR.
    price: i64,
    batch: String,
    plant: char,
}

impl Invoice {
    /// Returns gross value, trade, volume and cash discount in INR.
    fn amounts(&self, customer: &Customer) -> [i64; 4] {
        let gross = self.units * self.price;
        let [trade, volume, cash] = customer.discounts.map(|tenths| gross * tenths / 1000);
        [gross, trade, volume, cash]
    }

    fn net(&self, customer: &Customer) -> i64 {
        let [gross, trade, volume, cash] = self.amounts(customer);
        gross - trade - volume - cash
    }

    /// Writes the row as `(...)`, without a line break.
    pub(super) fn write_row(&self, writer: &mut impl Write, market: &Market) -> io::Result<()> {
        let customer = &market.customers[self.customer];
        let (_, product, business_unit, _) = PRODUCTS[self.product];
        let [gross, trade, volume, cash] = self.amounts(customer);
        let (kind, prefix) = if self.units < 0 { ("RE", "RET") } else { ("SA", "INV") };
        let net = self.net(customer);
        write!(
            writer,
            "('{}','{kind}','{prefix}{:06}','{}','{}','{}','{}','{product}','{business_unit}',{},{gross},{},{net},{trade},{volume},{cash},{},'{}','Plant-{}')",
            self.date,
            self.number,
            customer.code,
            customer.name,
            customer.segment,
            customer.region,
            self.units,
            gross - trade,
            net - gross * 65 / 100,
            self.batch,
            self.plant,
        )
    }
}

/// Returns all invoices, numbered by date, and the batches that were planted.
pub(super) fn generate(market: &Market, options: Options) -> (Vec<Invoice>, BTreeSet<String>) {
    let first_date = options.as_of.saturating_sub(market.last_day.days());
    let mut invoices = Vec::new();
    for (index, customer) in market.customers.iter().enumerate() {
        let mut dice = Dice::new(options.seed, 1_000 + index as u64);
        sales(index, customer, market.last_day, first_date, &mut dice, &mut invoices);
    }
    let mut dice = Dice::new(options.seed, 2);
    trial_batches(market, first_date, &mut dice, &mut invoices);
    let bad = bad_batches(market, &invoices, &mut dice);
    let returns = invoices.iter().filter_map(|sale| returned(sale, &bad, market.last_day, first_date, &mut dice));
    let returns = returns.collect::<Vec<_>>();
    invoices.extend(returns);
    invoices.sort_by_key(|invoice| (invoice.day, invoice.customer, invoice.units));
    for (index, invoice) in invoices.iter_mut().enumerate() {
        invoice.number = index + 1;
    }
    (invoices, bad)
}

fn sales(
    index: usize,
    customer: &Customer,
    last_day: i64,
    first_date: Date,
    dice: &mut Dice,
    invoices: &mut Vec<Invoice>,
) {
    let stop = customer.stop_day.unwrap_or(last_day + 1);
    #[expect(clippy::cast_precision_loss, reason = "days are small")]
    let mut day = customer.first_day as f64;
    loop {
        let late = if dice.chance(0.04) { dice.between(1.8, 2.6) } else { 1.0 };
        day += (customer.interval * dice.around_one() * late).max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "days are small")]
        let whole_day = day as i64;
        if whole_day >= stop || whole_day > last_day {
            break;
        }
        let days_to_end = last_day - whole_day;
        let is_paused = customer.region == SEASONAL_REGION && days_to_end % 365 < PAUSE_DAYS;
        if is_paused && !dice.chance(0.08) {
            continue;
        }
        invoices.push(sale(index, customer, whole_day, first_date, dice));
    }
}

fn sale(index: usize, customer: &Customer, day: i64, first_date: Date, dice: &mut Dice) -> Invoice {
    let date = first_date.saturating_add(day.days());
    let product = *dice.pick(&customer.products);
    let (code, _, _, price) = PRODUCTS[product];
    let season = SEASON[usize::try_from(date.month() - 1).unwrap_or(0)];
    // Units grow by a tenth a year, prices by a twenty-fifth.
    #[expect(clippy::cast_precision_loss, reason = "days and percentages are small")]
    let units = customer.units * dice.around_one() * (season as f64) / 100.0 * (1.0 + 0.1 * day as f64 / 365.0);
    let plant = *dice.pick(&['A', 'B', 'C']);
    Invoice {
        number: 0,
        date,
        day,
        customer: index,
        product,
        #[expect(clippy::cast_possible_truncation, reason = "orders are small")]
        units: (units as i64).max(1),
        price: price * (100 + 4 * (day / 365)) / 100,
        batch: format!("{code}-{:02}{:02}-{plant}", date.year() % 100, date.month()),
        plant,
    }
}

fn trial_batches(market: &Market, first_date: Date, dice: &mut Dice, invoices: &mut Vec<Invoice>) {
    let customers = i64::try_from(market.customers.len()).unwrap_or(1);
    for number in 1..=TRIAL_BATCHES {
        let index = usize::try_from(dice.whole(0, customers - 1)).unwrap_or(0);
        let customer = &market.customers[index];
        let until = customer.stop_day.unwrap_or(market.last_day) - 45;
        let mut trial = sale(index, customer, dice.whole(customer.first_day.min(until), until), first_date, dice);
        trial.units = dice.whole(2, 4);
        trial.batch = format!("TRIAL-{number:02}");
        if dice.chance(0.4) {
            let mut back = trial.clone();
            back.day += 20;
            back.date = back.date.saturating_add(20.days());
            back.units = -1;
            invoices.push(back);
        }
        invoices.push(trial);
    }
}

/// Chooses the batches that are returned: from a year of sales that leaves at least three months for returns, with at
/// least eight lines and the average number of units.
fn bad_batches(market: &Market, invoices: &[Invoice], dice: &mut Dice) -> BTreeSet<String> {
    let mut lines = BTreeMap::<&str, (usize, i64)>::new();
    for invoice in invoices.iter().filter(|invoice| (90..455).contains(&(market.last_day - invoice.day))) {
        let entry = lines.entry(&invoice.batch).or_default();
        *entry = (entry.0 + 1, entry.1 + invoice.units);
    }
    let typical = lines.values().map(|(_, units)| units).sum::<i64>() / i64::try_from(lines.len().max(1)).unwrap_or(1);
    let mut pool = lines.iter().filter(|(_, (lines, units))| *lines >= 8 && *units >= typical).collect::<Vec<_>>();
    let count = market.customers.len().div_ceil(750);
    let mut chosen = BTreeSet::new();
    while chosen.len() < count && !pool.is_empty() {
        let index = usize::try_from(dice.whole(0, i64::try_from(pool.len()).unwrap_or(1) - 1)).unwrap_or(0);
        chosen.insert((*pool.swap_remove(index).0).to_owned());
    }
    chosen
}

/// Returns the return of a sale, if there is one. Of a bad batch, a third of the lines come back, about half of each.
fn returned(
    sale: &Invoice,
    bad: &BTreeSet<String>,
    last_day: i64,
    first_date: Date,
    dice: &mut Dice,
) -> Option<Invoice> {
    let is_bad = bad.contains(&sale.batch);
    let (chance, share) = if is_bad { (0.35, dice.between(0.4, 0.7)) } else { (RETURN_CHANCE, dice.between(0.1, 0.6)) };
    let day = sale.day + dice.whole(5, 40);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "orders are small")]
    let units = (sale.units as f64 * share) as i64;
    let comes_back = dice.chance(chance) && units >= 1 && sale.units > 0 && day <= last_day;
    comes_back.then(|| Invoice { day, date: first_date.saturating_add(day.days()), units: -units, ..sale.clone() })
}

/// Returns the planted signals with their amounts in the invoices, by kind and then by amount, the largest first.
pub(super) fn planted(market: &Market, invoices: &[Invoice], bad_batches: &BTreeSet<String>) -> Vec<Planted> {
    let mut before = vec![0; market.customers.len()];
    let mut discounts = vec![0; market.customers.len()];
    let mut returned = BTreeMap::<&str, i64>::new();
    for invoice in invoices {
        let customer = &market.customers[invoice.customer];
        let [_, trade, volume, cash] = invoice.amounts(customer);
        if invoice.day > customer.stop_day.unwrap_or(market.last_day) - 365 {
            before[invoice.customer] += invoice.net(customer);
        }
        if invoice.day > market.last_day - 365 {
            discounts[invoice.customer] += trade + volume + cash;
        }
        if invoice.units < 0 && bad_batches.contains(&invoice.batch) {
            *returned.entry(&invoice.batch).or_default() -= invoice.net(customer);
        }
    }
    let mut planted = Vec::new();
    let mut region =
        Planted { kind: Kind::SilentRegion, entity: SILENT_REGION.to_owned(), amount: 0, members: Vec::new() };
    for (index, customer) in market.customers.iter().enumerate() {
        let entity = customer.code.clone();
        if customer.stop_day.is_some() && customer.region == SILENT_REGION {
            region.amount += before[index];
            region.members.push(entity);
        } else if customer.stop_day.is_some() {
            planted.push(Planted { kind: Kind::Churn, entity, amount: before[index], members: Vec::new() });
        } else if customer.is_overdiscounted {
            planted.push(Planted { kind: Kind::Discount, entity, amount: discounts[index], members: Vec::new() });
        }
    }
    let batch = |batch: &String| {
        let amount = returned.get(batch.as_str()).copied().unwrap_or(0);
        Planted { kind: Kind::Returns, entity: batch.clone(), amount, members: Vec::new() }
    };
    planted.extend(bad_batches.iter().map(batch));
    planted.push(region);
    planted.sort_by(|left, right| {
        (left.kind, -left.amount, &left.entity).cmp(&(right.kind, -right.amount, &right.entity))
    });
    planted
}
