//! How unevenly a total is spread.

use explore::analysis::concentration::{Amounts, top_share};
use proptest::prelude::*;

use super::expected::{CLOSED, cases, near, number, numbers};

#[test]
fn concentration_is_that_of_the_definitions_in_fractions() {
    for case in cases("concentration") {
        let amounts = numbers(&case["amounts"]);
        let total = Amounts::of(&amounts).unwrap();
        assert!((total.gini().unwrap() - number(&case["gini"])).abs() < 1e-12, "{case}");
        near(total.herfindahl().unwrap(), number(&case["herfindahl"]), CLOSED);
        near(top_share(&amounts, 2).unwrap(), number(&case["top_2"]), CLOSED);
    }
}

#[test]
fn amounts_that_have_no_share_give_none() {
    assert_eq!(Amounts::of(&[1.0, -1.0]), None);
    assert_eq!(Amounts::of(&[1.0, f64::NAN]), None);
    let nothing = Amounts::of(&[0.0, 0.0]).unwrap();
    assert_eq!((nothing.gini(), nothing.herfindahl()), (None, None));
    assert_eq!(Amounts::of(&[]).unwrap().gini(), None);
    assert_eq!((top_share(&[], 1), top_share(&[0.0], 1)), (None, None));
    assert_eq!(top_share(&[1.0, 3.0], 0), Some(0.0));
}

proptest! {
    #[test]
    fn units_order_and_equal_copies_do_not_matter(
        amounts in prop::collection::vec(0.01_f64..1e6, 1..30), unit in 0.01_f64..100.0,
    ) {
        let scaled = amounts.iter().rev().map(|amount| amount * unit).collect::<Vec<_>>();
        let (one, other) = (Amounts::of(&amounts).unwrap(), Amounts::of(&scaled).unwrap());
        prop_assert!((one.gini().unwrap() - other.gini().unwrap()).abs() < 1e-9);
        near(other.herfindahl().unwrap(), one.herfindahl().unwrap(), CLOSED);
        near(top_share(&scaled, 3).unwrap(), top_share(&amounts, 3).unwrap(), CLOSED);
        let twice = Amounts::of(&amounts.repeat(2)).unwrap();
        prop_assert!((one.gini().unwrap() - twice.gini().unwrap()).abs() < 1e-9);
        near(twice.herfindahl().unwrap() * 2.0, one.herfindahl().unwrap(), CLOSED);
    }
}
