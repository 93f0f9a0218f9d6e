//! The page that all HTML reports share: no script, no request to anywhere, a content security policy that allows its own
//! style sheet and nothing else. The template escapes everything; `html/base.html` and `html/style.css` are compiled in.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const BASE: &str = include_str!("html/base.html");

const STYLE: &str = include_str!("html/style.css");

/// A colour of the light half of the common style sheet, for where style sheets do not reach.
pub(crate) fn colour(name: &str) -> &'static str {
    let value = STYLE.split_once(&format!("--{name}: ")).and_then(|(_, rest)| rest.split_once(';'));
    value.map_or("#000000", |(value, _)| value)
}

/// The rules of the common style sheet that are about charts.
pub(crate) fn chart_rules() -> impl Iterator<Item = &'static str> {
    STYLE.lines().filter(|rule| rule.starts_with(".chart"))
}

/// Renders a template that extends `base.html`, with a style sheet beyond the common one.
pub(crate) fn document(template: &str, style: &str, content: impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template("base.html", BASE)?;
    environment.add_template("page.html", template)?;
    let style = format!("{STYLE}{style}");
    let style_hash = format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(&style)));
    let page = context! { style, style_hash, ..minijinja::Value::from(Serde(content)) };
    environment.get_template("page.html")?.render(page)
}

/// Renders a template that stands by itself, escaped like every other.
pub(crate) fn fragment(template: &str, content: impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template("fragment.html", template)?;
    environment.get_template("fragment.html")?.render(Serde(content))
}

fn environment<'a>() -> Result<Environment<'a>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    Ok(environment)
}
