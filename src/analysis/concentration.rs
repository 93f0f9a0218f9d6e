//! How unevenly a total is spread over those that make it up, from what SQL aggregates.

/// The amounts of entities: their number, sum and sum of squares, and the sum of each times its place in ascending
/// order.
///
/// In SQL, over one row an entity: `count(*)`, `sum(x)`, `sum(x * x)` and `sum(x * place)` with
/// `row_number() OVER (ORDER BY x) AS place`. No amount is negative: with returns that exceed sales there is no share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amounts {
    pub count: u64,
    pub sum: f64,
    pub squares: f64,
    pub placed: f64,
}

impl Amounts {
    /// Sums up amounts, in any order. `None` if one is negative or not a number.
    pub fn of(amounts: &[f64]) -> Option<Self> {
        if amounts.iter().any(|amount| !amount.is_finite() || *amount < 0.0) {
            return None;
        }
        let sorted = sorted(amounts);
        let placed = sorted.iter().zip(1_u64..).map(|(amount, place)| amount * place as f64).sum();
        let squares = sorted.iter().map(|amount| amount * amount).sum();
        Some(Self { count: amounts.len() as u64, sum: sorted.iter().sum(), squares, placed })
    }

    /// Returns Gini's coefficient (1912), 2 Σ place x amount / (n Σ amount) - (n + 1) / n: 0 if all are equal, (n - 1)
    /// / n if one has everything. `None` if the sum is not positive.
    pub fn gini(&self) -> Option<f64> {
        let n = self.count as f64;
        self.has_sum().then(|| (2.0 * self.placed / (n * self.sum) - (n + 1.0) / n).max(0.0))
    }

    /// Returns Herfindahl's index (1950), the sum of the squared shares: 1 / n if all are equal, 1 if one has
    /// everything; its inverse is the number of equal ones that are as concentrated. `None` if the sum is not positive.
    pub fn herfindahl(&self) -> Option<f64> {
        self.has_sum().then(|| self.squares / self.sum / self.sum)
    }

    fn has_sum(&self) -> bool {
        self.count > 0 && self.sum > 0.0 && self.sum.is_finite()
    }
}

/// Returns the share of the `top` largest in the sum, from 0 to 1; all of it if there are no more. `None` if an amount
/// is negative or not a number, or the sum is 0.
pub fn top_share(amounts: &[f64], top: usize) -> Option<f64> {
    let total = Amounts::of(amounts)?;
    let largest = sorted(amounts).into_iter().rev().take(top).sum::<f64>();
    total.has_sum().then(|| (largest / total.sum).min(1.0))
}

fn sorted(amounts: &[f64]) -> Vec<f64> {
    let mut sorted = amounts.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
