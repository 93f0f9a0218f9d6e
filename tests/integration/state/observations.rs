use std::sync::Arc;

use explore::monitor::memory::{Leaf, Replaced};
use explore::monitor::series::Observation;
use explore::state::State;
use jiff::Span;

use super::{january, layout, on_both, on_server};

fn observation(day: i8, dimensions: &[&str], measures: &[Option<f64>]) -> Observation {
    let dimensions = dimensions.iter().map(|value| (*value).to_owned()).collect();
    Observation { at: january(day), dimensions, measures: measures.to_vec() }
}

fn replaced(inserted: u64, restated: u64, removed: u64) -> Replaced {
    Replaced { inserted, restated, removed }
}

fn leaf(dimensions: &[&str], days: &[i8], measures: &[&[Option<f64>]]) -> Leaf {
    Leaf {
        dimensions: dimensions.iter().map(|value| (*value).to_owned()).collect(),
        at: days.iter().map(|day| january(*day)).collect(),
        measures: measures.iter().map(|values| values.to_vec()).collect(),
    }
}

#[tokio::test]
async fn observations_are_replaced_and_what_changed_is_counted() {
    on_both("state_replace", async |state: &State| {
        let turn = state.lock(layout("m", &["channel"], &["visitors", "requests"])).await.unwrap();
        assert!(turn.must_read_all().await.unwrap());
        assert_eq!(turn.observed().await.unwrap(), None);
        let first = [
            observation(1, &["paid"], &[Some(1.5), None]),
            observation(2, &["paid"], &[Some(2.0), Some(20.0)]),
            observation(2, &["it's {odd},\"\\NULL"], &[Some(-0.0), Some(f64::MAX)]),
        ];
        let replace = async |observations: &[Observation]| {
            turn.replace_observations(january(1), january(4), observations).await.unwrap()
        };
        assert_eq!(replace(&first).await, replaced(3, 0, 0));
        assert_eq!(replace(&first).await, replaced(0, 0, 0), "the same again");
        assert!(!turn.must_read_all().await.unwrap());
        assert_eq!(turn.observed().await.unwrap(), Some((january(1), january(2))));

        let restated = [
            first[0].clone(),
            observation(2, &["paid"], &[Some(2.5), Some(20.0)]),
            observation(3, &["paid"], &[None, None]),
        ];
        assert_eq!(replace(&restated).await, replaced(1, 1, 1));
        let history = turn.history(january(1), january(9)).await.unwrap();
        let expected = leaf(&["paid"], &[1, 2, 3], &[&[Some(1.5), Some(2.5), None], &[None, Some(20.0), None]]);
        assert_eq!(history, [expected]);
        assert_eq!(turn.history(january(3), january(4)).await.unwrap()[0].at, Arc::from([january(3)]));

        assert_eq!(turn.replace_observations(january(2), january(3), &[]).await.unwrap(), replaced(0, 0, 1));
        assert_eq!(turn.observed().await.unwrap(), Some((january(1), january(3))), "other steps are left alone");
    })
    .await;
}

#[tokio::test]
async fn columns_are_found_by_name_when_their_order_changes() {
    on_both("state_layout", async |state: &State| {
        let turn = state.lock(layout("m", &["channel", "device"], &["visitors", "requests"])).await.unwrap();
        let observations = [observation(1, &["paid", "mobile"], &[Some(1.0), Some(10.0)])];
        turn.replace_observations(january(1), january(2), &observations).await.unwrap();
        drop(turn);

        let turn =
            state.lock(layout("m", &["device", "channel"], &["contacts", "requests", "visitors"])).await.unwrap();
        assert!(turn.must_read_all().await.unwrap(), "contacts are new");
        let expected = leaf(&["mobile", "paid"], &[1], &[&[None], &[Some(10.0)], &[Some(1.0)]]);
        assert_eq!(turn.history(january(1), january(9)).await.unwrap(), [expected]);
        let observations = [observation(2, &["mobile", "paid"], &[Some(200.0), Some(20.0), Some(2.0)])];
        assert_eq!(turn.replace_observations(january(2), january(3), &observations).await.unwrap(), replaced(1, 0, 0));
        let expected = leaf(
            &["mobile", "paid"],
            &[1, 2],
            &[&[None, Some(200.0)], &[Some(10.0), Some(20.0)], &[Some(1.0), Some(2.0)]],
        );
        assert_eq!(turn.history(january(1), january(9)).await.unwrap(), [expected], "it is the same series");
        drop(turn);

        let turn = state.lock(layout("m", &["device"], &["visitors"])).await.unwrap();
        assert!(turn.must_read_all().await.unwrap(), "the dimensions are others");
        assert_eq!(turn.history(january(1), january(9)).await.unwrap(), []);
        let observations = [observation(2, &["mobile"], &[Some(2.0)])];
        turn.replace_observations(january(2), january(3), &observations).await.unwrap();
        assert_eq!(turn.observed().await.unwrap(), Some((january(2), january(2))));
    })
    .await;
}

#[tokio::test]
async fn observations_that_make_no_sense_are_refused_and_nothing_is_written() {
    on_both("state_refused", async |state: &State| {
        let turn = state.lock(layout("m", &["channel"], &["visitors"])).await.unwrap();
        let check = async |observations: &[Observation], expected: &str| {
            let error = turn.replace_observations(january(1), january(3), observations).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert_eq!(turn.observed().await.unwrap(), None);
        };
        let (good, late) = (observation(1, &["a"], &[Some(1.0)]), observation(3, &["a"], &[Some(1.0)]));
        let belongs = "does not belong to the steps from 2025-01-01T00:00:00 to 2025-01-03T00:00:00 of its monitor";
        check(
            &[good.clone(), late],
            &format!("m: an observation of 2025-01-03T00:00:00 with 1 dimensions and 1 measures {belongs}"),
        )
        .await;
        let short = observation(1, &[], &[Some(1.0)]);
        check(
            &[short],
            &format!("m: an observation of 2025-01-01T00:00:00 with 0 dimensions and 1 measures {belongs}"),
        )
        .await;
        let twice = "m: two observations of one step have the same dimension values; one of them has to go";
        check(&[good.clone(), good], twice).await;
    })
    .await;
}

#[tokio::test]
async fn a_monitor_without_dimensions_is_one_series() {
    on_both("state_plain", async |state: &State| {
        let turn = state.lock(layout("m", &[], &["visitors"])).await.unwrap();
        let observations = [observation(2, &[], &[Some(2.0)]), observation(1, &[], &[Some(1.0)])];
        turn.replace_observations(january(1), january(3), &observations).await.unwrap();
        let expected = leaf(&[], &[1, 2], &[&[Some(1.0), Some(2.0)]]);
        assert_eq!(turn.history(january(1), january(9)).await.unwrap(), [expected]);
    })
    .await;
}

#[tokio::test]
async fn many_series_are_written_in_windows_and_read_back_whole() {
    let (state, _) = on_server("state_many").await;
    let turn = state.lock(layout("m", &["segment"], &["visitors"])).await.unwrap();
    let value = |series: i32, day: i32| (day % 7 != series % 7).then(|| f64::from(series * 1000 + day));
    for start in (0..100).step_by(25) {
        let at = |day: i32| january(1).saturating_add(Span::new().days(day));
        let observations = (start..start + 25).flat_map(|day| {
            (0..1200).map(move |series| Observation {
                at: at(day),
                dimensions: vec![format!("series {series:04}")],
                measures: vec![value(series, day)],
            })
        });
        let observations = observations.collect::<Vec<_>>();
        let replaced = turn.replace_observations(at(start), at(start + 25), &observations).await.unwrap();
        assert_eq!(replaced.inserted, 30_000);
    }
    let history = turn.history(january(1), january(1).saturating_add(Span::new().years(1))).await.unwrap();
    assert_eq!(history.len(), 1200);
    for (leaf, series) in history.iter().zip(0..) {
        assert_eq!(leaf.dimensions, [format!("series {series:04}")]);
        assert_eq!(leaf.measures[0], (0..100).map(|day| value(series, day)).collect::<Vec<_>>());
    }
    let shared = history.windows(2).filter(|pair| Arc::ptr_eq(&pair[0].at, &pair[1].at)).count();
    assert_eq!(shared, 1199, "equal steps are kept once");
}
