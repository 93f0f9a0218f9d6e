//! The data sets with planted truth: the same by seed, and with the effects that their plans list.

use std::collections::BTreeSet;

use explore::sample::planted::{self, DecoyKind, Schema, SignalKind};

use super::value;
use crate::support::server;

#[test]
fn the_same_seed_and_draw_give_the_same_rows_and_others_give_others() {
    for schema in Schema::ALL {
        let data = planted::generate(schema, 7, 0);
        assert_eq!(data, planted::generate(schema, 7, 0), "{schema:?}");
        let redrawn = planted::generate(schema, 7, 1);
        assert_ne!(data.sql(), redrawn.sql(), "{schema:?}");
        assert_eq!(data.signals, redrawn.signals, "another draw of {schema:?} has the same truth");
        assert_ne!(data.sql(), planted::generate(schema, 8, 0).sql(), "{schema:?}");
        assert!((1_500..15_000).contains(&data.rows()), "{schema:?} has {} rows", data.rows());
    }
}

#[test]
fn together_the_schemas_have_every_kind_of_signal_and_decoy() {
    let data = Schema::ALL.map(|schema| planted::generate(schema, 1, 0));
    let signals = data.iter().flat_map(|data| &data.signals).map(|signal| signal.kind).collect::<BTreeSet<_>>();
    let decoys = data.iter().flat_map(|data| &data.decoys).map(|decoy| decoy.kind).collect::<BTreeSet<_>>();
    assert_eq!(signals, SignalKind::ALL.into_iter().collect());
    assert_eq!(decoys, DecoyKind::ALL.into_iter().collect());
    assert!(data.iter().map(|data| data.decoys.len()).sum::<usize>() >= 12);
}

#[tokio::test]
async fn what_is_planted_is_in_the_rows() {
    for schema in Schema::ALL {
        for (seed, draw) in [(1, 0), (2, 0), (3, 0), (3, 1)] {
            let data = planted::generate(schema, seed, draw);
            let url = server::fresh(&format!("planted_{}_{seed}_{draw}", schema.name()), &data.sql()).await;
            for signal in &data.signals {
                assert_eq!(value(&url, &signal.proof).await, "true", "{schema:?} {seed} {draw}: {signal:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_null_twin_has_the_tables_and_none_of_the_effects() {
    for schema in Schema::ALL {
        let data = planted::generate(schema, 3, 0);
        let twin = planted::shuffled(schema, 3);
        assert!(twin.signals.is_empty() && twin.decoys.is_empty());
        assert_eq!(twin.table_names().collect::<Vec<_>>(), data.table_names().collect::<Vec<_>>());
        let url = server::fresh(&format!("null_{}", schema.name()), &twin.sql()).await;
        for signal in &data.signals {
            assert_ne!(value(&url, &signal.proof).await, "true", "{schema:?}: {signal:?}");
        }
    }
}
