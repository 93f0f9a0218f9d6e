//! Medians of a window that moves along a series. The window is kept sorted, so that a step costs an insertion and a
//! removal and no sort.

/// The values of a window in ascending order.
#[derive(Debug, Default)]
pub(super) struct Window {
    ordered: Vec<f64>,
}

impl Window {
    pub(super) fn insert(&mut self, value: f64) {
        let place = self.place(value);
        self.ordered.insert(place, value);
    }

    /// Removes a value that was inserted before.
    pub(super) fn remove(&mut self, value: f64) {
        let place = self.place(value);
        self.ordered.remove(place);
    }

    pub(super) fn median(&self) -> f64 {
        let middle = self.ordered.len() / 2;
        match self.ordered.as_slice() {
            [] => 0.0,
            ordered if ordered.len().is_multiple_of(2) => f64::midpoint(ordered[middle - 1], ordered[middle]),
            ordered => ordered[middle],
        }
    }

    /// Returns the median of the absolute deviations from `middle`.
    pub(super) fn deviation(&self, middle: f64) -> f64 {
        let ordered = &self.ordered;
        let mut right = ordered.partition_point(|value| *value < middle);
        let mut left = right;
        let mut last = [0.0; 2];
        for _ in 0..=ordered.len() / 2 {
            let below = left.checked_sub(1).map(|place| middle - ordered[place]);
            let above = ordered.get(right).map(|value| value - middle);
            let nearest = match (below, above) {
                (Some(below), Some(above)) if below <= above => below,
                (Some(below), None) => below,
                (_, Some(above)) => above,
                (None, None) => break,
            };
            if below == Some(nearest) {
                left -= 1;
            } else {
                right += 1;
            }
            last = [last[1], nearest];
        }
        if ordered.len().is_multiple_of(2) { f64::midpoint(last[0], last[1]) } else { last[1] }
    }

    fn place(&self, value: f64) -> usize {
        self.ordered.partition_point(|known| known.total_cmp(&value).is_lt())
    }
}

/// Returns the median of each `width` consecutive values, by the first of them. Returns none if there are fewer than
/// `width` values.
pub(super) fn medians(values: &[f64], width: usize) -> Vec<f64> {
    let mut window = Window::default();
    let mut medians = Vec::with_capacity(values.len());
    for (step, value) in values.iter().enumerate() {
        window.insert(*value);
        if step + 1 >= width {
            medians.push(window.median());
            window.remove(values[step + 1 - width]);
        }
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::super::median;
    use super::*;

    #[test]
    fn a_moving_window_has_the_medians_of_each_of_its_places() {
        let values = (0..60_u32).map(|step| f64::from(step * 37 % 23) - 11.0).collect::<Vec<_>>();
        for width in 1..12 {
            let expected = values.windows(width).map(|window| median(&mut window.to_vec())).collect::<Vec<_>>();
            assert_eq!(medians(&values, width), expected);
            let mut window = Window::default();
            values[..width].iter().for_each(|value| window.insert(*value));
            let middle = window.median();
            let mut deviations = values[..width].iter().map(|value| (value - middle).abs()).collect::<Vec<_>>();
            assert!((window.deviation(middle) - median(&mut deviations)).abs() < f64::EPSILON);
        }
    }
}
