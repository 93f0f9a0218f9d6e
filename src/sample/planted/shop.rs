//! A shop as a star of tables without declared keys: orders, their items, products, customers, stock, returns.

use super::Content;
use super::chance::{World, hundredths, index, rounded, weighted};
use super::names::{self, one, pairs, some};
use super::plan::{Decoy, DecoyKind, Direction, Mark, Signal, SignalKind};
use super::table::{Cell, Column, Table};

pub(super) const MONTHS: i64 = 14;
const PRODUCTS: usize = 24;
const CATEGORIES: usize = 4;
const CUSTOMERS: usize = 80;
/// Orders of a day.
const ORDERS_A_DAY: f64 = 3.6;
/// Days between two counts of the stock.
const COUNT_DAYS: i64 = 7;
/// The products with an effect, all of different categories but the last two.
const RETURNED: usize = 0;
const DEARER: usize = 1;
const OUT_OF_STOCK: usize = 2;
/// The products that hardly anybody buys.
const RARE: [usize; 3] = [21, 22, 23];
/// The category that grows, and the one with a season: that of every fourth product from these on.
const GROWING: usize = 3;
const SEASONAL: usize = 0;

/// The names of tables and columns.
struct Words {
    orders: String,
    items: String,
    products: String,
    customers: String,
    stock: String,
    returns: String,
    date: String,
    product: String,
    category: String,
    quantity: String,
    price: String,
    on_hand: String,
    customer: String,
}

/// What the shop sells, and when what begins.
struct Shop {
    words: Words,
    products: Vec<String>,
    categories: Vec<String>,
    customers: Vec<String>,
    regions: Vec<String>,
    channels: Vec<String>,
    /// How well each product sells, and its price.
    weights: Vec<f64>,
    prices: Vec<f64>,
    return_day: i64,
    price_day: i64,
    shift_day: i64,
    out_day: i64,
    /// The rare product of which two are returned in this draw.
    unlucky: usize,
}

/// The tables that are filled.
struct Tables {
    orders: Table,
    items: Table,
    returns: Table,
}

pub(super) fn generate(world: &mut World) -> Content {
    let shop = Shop::new(world);
    let mut tables = shop.tables();
    let last = world.calendar.days();
    let large_day = world.noise.whole(world.calendar.months_before(2), last - 20);
    let mut large = None;
    for day in 0..last {
        for order in 0..rounded(world.noise.poisson(ORDERS_A_DAY)).max(i64::from(day == large_day)) {
            let is_large = world.is_planted && day == large_day && order == 0;
            let customer = shop.order(day, is_large, &mut tables, world);
            large = if is_large { Some(shop.customers[customer].clone()) } else { large };
        }
    }
    shop.rare_items(&mut tables, world);
    let (signals, decoys) = (shop.signals(), shop.decoys(world, large));
    let Tables { orders, items, returns } = tables;
    let tables = vec![shop.product_table(), shop.customer_table(), orders, items, returns, shop.stock_table(world)];
    Content { tables, signals, decoys }
}

impl Words {
    fn new(world: &mut World) -> Self {
        let dice = &mut world.plan;
        Self {
            orders: one(&["orders", "purchases", "baskets"], dice),
            items: one(&["order_items", "positions", "basket_lines"], dice),
            products: one(&["products", "articles", "goods"], dice),
            customers: one(&["customers", "clients"], dice),
            stock: one(&["stock_levels", "inventory"], dice),
            returns: one(&["returns", "returned_items"], dice),
            date: one(&["ordered_on", "placed_on", "order_date"], dice),
            product: one(&["product_name", "title", "label"], dice),
            category: one(&["category", "department", "range_name"], dice),
            quantity: one(&["quantity", "pieces"], dice),
            price: one(&["unit_price", "price"], dice),
            on_hand: one(&["on_hand", "available"], dice),
            customer: one(&["customer_name", "company"], dice),
        }
    }
}

impl Shop {
    fn new(world: &mut World) -> Self {
        let words = Words::new(world);
        let dice = &mut world.plan;
        let (products, categories) = (some(names::PRODUCTS, PRODUCTS, dice), some(names::CATEGORIES, CATEGORIES, dice));
        let customers = pairs(names::FIRST_WORDS, names::LAST_WORDS, CUSTOMERS, dice);
        let (regions, channels) = (some(names::REGIONS, 4, dice), some(names::CHANNELS, 3, dice));
        let prices = (0..PRODUCTS).map(|_| dice.between(12.0, 60.0)).collect::<Vec<_>>();
        let unlucky = RARE[index(RARE.len(), &mut world.noise)];
        let mut weights = world.weights(PRODUCTS);
        for rare in RARE {
            weights[rare] = 0.0;
        }
        // Enough of them is sold for their effects to show.
        for product in [RETURNED, DEARER, OUT_OF_STOCK] {
            weights[product] *= if world.is_planted { 1.8 } else { 1.0 };
        }
        let flat = vec![30.0; PRODUCTS];
        let prices = if world.is_planted { prices } else { flat };
        let before = |months: i64| world.calendar.months_before(months);
        let (return_day, price_day, shift_day) = (before(4), before(5), before(4));
        let out_day = world.calendar.days() - 42;
        Self {
            words,
            products,
            categories,
            customers,
            regions,
            channels,
            weights,
            prices,
            return_day,
            price_day,
            shift_day,
            out_day,
            unlucky,
        }
    }

    fn category(product: usize) -> usize {
        product % CATEGORIES
    }

    fn tables(&self) -> Tables {
        let Words { orders, items, returns, date, quantity, price, .. } = &self.words;
        let whole = |name: &str| Column::new(name, "integer");
        let columns = vec![
            whole("order_id"),
            whole("customer_id"),
            Column::new(date.as_str(), "date"),
            Column::new("channel", "text"),
        ];
        let of_items = vec![
            whole("order_id"),
            whole("product_id"),
            whole(quantity).outcome(),
            Column::new(price.as_str(), "numeric(10,2)").outcome(),
        ];
        let of_returns = vec![
            whole("order_id"),
            whole("product_id"),
            Column::new("returned_on", "date"),
            Column::new("reason", "text").outcome(),
        ];
        Tables {
            orders: Table::new(orders.as_str(), columns),
            items: Table::new(items.as_str(), of_items),
            returns: Table::new(returns.as_str(), of_returns),
        }
    }

    /// Adds an order with one to three items. Returns its customer.
    fn order(&self, day: i64, is_large: bool, tables: &mut Tables, world: &mut World) -> usize {
        let customer = index(CUSTOMERS, &mut world.noise);
        let channel = index(self.channels.len(), &mut world.noise);
        self.add_order(day, customer, channel, tables, world);
        let weights = self.weights_of(day, world);
        for _ in 0..world.noise.whole(1, 3) {
            let product = weighted(&weights, &mut world.noise);
            let quantity = world.noise.whole(1, 6) * if is_large { 70 } else { 1 };
            let share = world.share(product == RETURNED && day >= self.return_day, 0.45, 0.04);
            let is_returned = world.noise.chance(share);
            self.add_item(day, product, quantity, is_returned, tables, world);
        }
        customer
    }

    fn add_order(&self, day: i64, customer: usize, channel: usize, tables: &mut Tables, world: &World) {
        let id = number(tables.orders.rows.len());
        let date = world.calendar.date(day);
        tables.orders.rows.push(vec![
            id.into(),
            number(customer).into(),
            date.into(),
            (&self.channels[channel]).into(),
        ]);
    }

    /// Adds an item to the last order.
    fn add_item(
        &self,
        day: i64,
        product: usize,
        quantity: i64,
        is_returned: bool,
        tables: &mut Tables,
        world: &mut World,
    ) {
        let order = number(tables.orders.rows.len()) - 1;
        let dearer = if product == DEARER { world.factor(day, self.price_day, 1.3) } else { 1.0 };
        let price = hundredths(self.prices[product] * dearer * world.noise.between(0.97, 1.03));
        let row = vec![order.into(), number(product).into(), quantity.into(), Cell::Hundredths(price)];
        tables.items.rows.push(row);
        let back = day + world.noise.whole(2, 12);
        if is_returned && back < world.calendar.days() {
            let reason = *world.noise.pick(&["broken", "wrong size", "late", "unwanted"]);
            let returned = world.calendar.date(back);
            tables.returns.rows.push(vec![order.into(), number(product).into(), returned.into(), reason.into()]);
        }
    }

    /// Adds a few items of the products that hardly anybody buys. Of one, two of seven come back.
    fn rare_items(&self, tables: &mut Tables, world: &mut World) {
        for product in RARE {
            for item in 0..7 {
                let day = world.noise.whole(0, world.calendar.days() - 20);
                let (customer, channel) = (index(CUSTOMERS, &mut world.noise), index(3, &mut world.noise));
                self.add_order(day, customer, channel, tables, world);
                let is_returned = world.is_planted && product == self.unlucky && item < 2;
                self.add_item(day, product, 1, is_returned, tables, world);
            }
        }
    }

    /// Returns how well each product sells on a day.
    fn weights_of(&self, day: i64, world: &World) -> Vec<f64> {
        let months_left = world.calendar.month(world.calendar.days() - 1) - world.calendar.month(day);
        let in_season = world.is_planted && matches!(months_left, 1 | 13);
        let weight = |(product, weight): (usize, &f64)| {
            let category = Self::category(product);
            let is_out = world.is_planted && product == OUT_OF_STOCK && day >= self.out_day;
            match category {
                _ if is_out => 0.0,
                GROWING => weight * world.factor(day, self.shift_day, 2.6),
                SEASONAL if in_season => weight * 2.2,
                _ => *weight,
            }
        };
        self.weights.iter().enumerate().map(weight).collect()
    }

    fn product_table(&self) -> Table {
        let Words { products, product, category, .. } = &self.words;
        let columns = vec![
            Column::new("product_id", "integer"),
            Column::new(product.as_str(), "text"),
            Column::new(category.as_str(), "text"),
            Column::new("unit_cost", "numeric(10,2)"),
        ];
        let mut table = Table::new(products.as_str(), columns);
        table.rows = (0..PRODUCTS)
            .map(|index| {
                let cost = Cell::Hundredths(hundredths(self.prices[index] * 0.6));
                let category = &self.categories[Self::category(index)];
                vec![number(index).into(), (&self.products[index]).into(), category.into(), cost]
            })
            .collect();
        table
    }

    fn customer_table(&self) -> Table {
        let Words { customers, customer, .. } = &self.words;
        let text = |name: &str| Column::new(name, "text");
        let columns = vec![Column::new("customer_id", "integer"), text(customer), text("region")];
        let mut table = Table::new(customers.as_str(), columns);
        let named = self.customers.iter().enumerate();
        table.rows = named
            .map(|(index, name)| {
                vec![number(index).into(), name.into(), (&self.regions[index % self.regions.len()]).into()]
            })
            .collect();
        table
    }

    /// Returns the stock of each product, counted once a week.
    fn stock_table(&self, world: &mut World) -> Table {
        let Words { stock, on_hand, .. } = &self.words;
        let columns = vec![
            Column::new("product_id", "integer"),
            Column::new("counted_on", "date"),
            Column::new(on_hand.as_str(), "integer").outcome(),
        ];
        let mut table = Table::new(stock.as_str(), columns);
        for day in (0..world.calendar.days()).step_by(usize::try_from(COUNT_DAYS).unwrap_or(7)) {
            for product in 0..PRODUCTS {
                let is_out = world.is_planted && product == OUT_OF_STOCK && day >= self.out_day;
                let on_hand = if is_out { 0 } else { world.noise.whole(15, 90) };
                table.rows.push(vec![number(product).into(), world.calendar.date(day).into(), on_hand.into()]);
            }
        }
        table
    }

    /// Returns a mark that names a product, by its name or its number.
    fn of_product(&self, product: usize) -> Mark {
        let number = number(product).to_string();
        Mark::of(&self.words.product, &[&self.products[product]]).or("product_id", &[&number])
    }

    fn signals(&self) -> Vec<Signal> {
        let words = &self.words;
        let Words { orders, items, stock, returns, date, quantity, price, on_hand, .. } = words;
        let product = |index: usize| self.products[index].as_str();
        let growing = self.categories[GROWING].as_str();
        let dated = format!("{items} i JOIN {orders} o USING (order_id)");
        let last = format!("(SELECT max({date}) FROM {orders})");
        let share = |is: &str| format!("avg(({is})::int) FILTER (WHERE o.{date} > {last} - 100)");
        let earlier = |is: &str| format!("avg(({is})::int) FILTER (WHERE o.{date} <= {last} - 150)");
        let in_category = format!("i.product_id % {CATEGORIES} = {}", (GROWING + 1) % CATEGORIES);
        let shift = format!("(SELECT {} > 1.5 * {} FROM {dated})", share(&in_category), earlier(&in_category));
        vec![
            Signal {
                kind: SignalKind::ReturnSpike,
                what: format!("of {} far more comes back than before", product(RETURNED)),
                mark: self.of_product(RETURNED).by(&[returns]).going(Direction::Up),
                proof: format!(
                    "(SELECT count(*) FROM {returns} WHERE product_id = {0}) > 0.12 * (SELECT count(*) FROM {items} WHERE \
                     product_id = {0})",
                    number(RETURNED)
                ),
            },
            Signal {
                kind: SignalKind::PriceChange,
                what: format!("the price of {} rose by three tenths", product(DEARER)),
                mark: self.of_product(DEARER).by(&[price]).going(Direction::Up).over_time(),
                proof: format!(
                    "(SELECT max({price}) > 1.25 * min({price}) FROM {items} WHERE product_id = {})",
                    number(DEARER)
                ),
            },
            Signal {
                kind: SignalKind::MixShift,
                what: format!("{growing} makes up ever more of the sales"),
                mark: Mark::of(&words.category, &[growing])
                    .by(&["count("])
                    .by(&["avg(cast((", growing])
                    .by(&[quantity])
                    .going(Direction::Up)
                    .over_time(),
                proof: shift,
            },
            Signal {
                kind: SignalKind::StockOut,
                what: format!("{} was out of stock for six weeks, and was not sold", product(OUT_OF_STOCK)),
                mark: self.of_product(OUT_OF_STOCK).by(&[stock]).by(&[on_hand]).by(&["count("]).by(&[quantity]),
                proof: format!(
                    "(SELECT count(*) FROM {stock} WHERE {on_hand} = 0 AND product_id = {}) >= 5",
                    number(OUT_OF_STOCK)
                ),
            },
        ]
    }

    fn decoys(&self, world: &World, large: Option<String>) -> Vec<Decoy> {
        let words = &self.words;
        let seasonal = self.categories[SEASONAL].as_str();
        let large = large.unwrap_or_default();
        vec![
            Decoy {
                kind: DecoyKind::Season,
                what: format!("{seasonal} sells more in the same month of each year"),
                mark: Mark::of(&words.category, &[seasonal]).by(&["count("]).by(&[&words.quantity]).over_time(),
            },
            Decoy {
                kind: DecoyKind::BigOrder,
                what: format!("{large} placed one order of seventy times the usual size"),
                mark: Mark::of(&words.customer, &[&large])
                    .by(&[&words.quantity])
                    .by(&[&words.price])
                    .going(Direction::Up),
            },
            Decoy {
                kind: DecoyKind::SmallNumbers,
                what: format!("two of seven {} came back", self.products[self.unlucky]),
                mark: self.of_product(self.unlucky).by(&[&words.returns]).going(Direction::Up),
            },
            super::partial_month(world, &[&words.quantity, &words.price]),
        ]
    }
}

/// Returns the id of the row at an index.
fn number(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(0) + 1
}
