//! The page that all HTML reports share. It has no script and makes no request, and its content security policy allows
//! only its own style sheet. The template escapes every value. `html/base.html` and `html/style.css` are compiled in.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const BASE: &str = include_str!("html/base.html");

const STYLE: &str = include_str!("html/style.css");

/// Returns a colour of the light half of the common style sheet, for places that style sheets do not reach. Returns
/// black for an unknown name.
pub(crate) fn colour(name: &str) -> &'static str {
    let value = STYLE.split_once(&format!("--{name}: ")).and_then(|(_, rest)| rest.split_once(';'));
    value.map_or("#000000", |(value, _)| value)
}

/// Returns the rules of the common style sheet for charts.
pub(crate) fn chart_rules() -> impl Iterator<Item = &'static str> {
    STYLE.lines().filter(|rule| rule.starts_with(".chart"))
}

/// Renders a template that extends `base.html`. `style` is appended to the common style sheet.
pub(crate) fn document(template: &str, style: &str, content: impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template("base.html", BASE)?;
    environment.add_template("page.html", template)?;
    let style = format!("{STYLE}{style}");
    let style_hash = format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(&style)));
    let page = context! { style, style_hash, ..minijinja::Value::from(Serde(content)) };
    environment.get_template("page.html")?.render(page)
}

/// Renders a template that extends `base.html`, for which `base` stands: a page of a site that serves its style sheet.
pub(crate) fn page(base: &str, template: &str, content: impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template("base.html", base)?;
    environment.add_template("page.html", template)?;
    environment.get_template("page.html")?.render(Serde(content))
}

/// Returns the common style sheet.
pub(crate) fn style() -> &'static str {
    STYLE
}

/// Renders a template that does not extend `base.html`, with the same escaping.
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
