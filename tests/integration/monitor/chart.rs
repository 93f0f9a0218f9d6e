//! Charts of metrics: what is drawn, and what hostile names cannot do.

use explore::monitor::chart::{Chart, Point};

use crate::support::sample_day::chart;

#[test]
fn the_svg_of_a_chart() {
    insta::assert_snapshot!(chart().svg().unwrap().replace("><", ">\n<"));
}

#[test]
fn hostile_names_become_no_markup() {
    let svg = chart().svg_file().unwrap();
    assert!(!svg.contains("<script") && !svg.contains('\u{1b}') && !svg.contains('\u{202e}'), "{svg}");
    for tag in svg.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(
            ["svg", "title", "desc", "style", "rect", "text", "line", "path", "circle", "g"].contains(&name),
            "{tag}"
        );
    }
}

#[test]
fn a_png_has_the_chart_in_it() {
    let png = chart().png().unwrap().unwrap();
    let image = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert_eq!((image.width(), image.height()), (1200, 480));
    let count = |wanted: fn(u8, u8, u8) -> bool| {
        image.pixels().iter().filter(|pixel| wanted(pixel.red(), pixel.green(), pixel.blue())).count()
    };
    assert!(count(|red, green, blue| red > 150 && green < 60 && blue < 80) > 100, "no anomaly is drawn");
    assert!(count(|red, green, blue| red < 60 && green < 110 && blue > 130) > 500, "no line is drawn");
    // Letters are dark; without a font there would be none.
    assert!(count(|red, green, blue| red < 80 && green < 80 && blue < 80) > 300, "no text is drawn");
}

#[test]
fn what_cannot_be_drawn_is_left_out() {
    let check = |values: &[Option<f64>], is_drawn: bool| {
        let points = values.iter().map(|actual| Point {
            actual: *actual,
            expected: None,
            lower: None,
            upper: None,
            ..chart().points[0].clone()
        });
        let chart = Chart { points: points.collect(), ..chart() };
        assert_eq!(chart.svg().is_some(), is_drawn, "{values:?}");
        if let Some(svg) = chart.svg() {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{values:?}: {svg}");
            assert!(chart.png().unwrap().is_some());
        }
    };
    check(&[], false);
    check(&[None, None], false);
    check(&[Some(f64::NAN)], false);
    check(&[Some(5.0)], true);
    check(&[Some(0.0), Some(0.0)], true);
    check(&[Some(1.0), Some(f64::INFINITY), None, Some(3.0)], true);
    check(&[Some(-1e300), Some(1e300)], true);
    check(&[Some(1e-300), Some(2e-300)], true);
}
