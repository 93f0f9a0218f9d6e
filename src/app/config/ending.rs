//! Derives the output format from the extension of the output file: `-o report.html`.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::app::error::Failure;

/// File extensions with the names of their formats.
const ENDINGS: [(&str, &str); 6] =
    [("json", "json"), ("html", "html"), ("htm", "html"), ("md", "markdown"), ("markdown", "markdown"), ("csv", "csv")];

/// Endings of plain text, which ask for no format.
const PLAIN: [&str; 3] = ["txt", "text", "log"];

/// Returns the format among `formats` that the file's extension stands for; `None` if it stands for none. `asked` is
/// the explicitly requested format, which must not contradict it.
pub(crate) fn format(
    path: Option<&Path>,
    asked: Option<&str>,
    formats: &[&'static str],
) -> Result<Option<&'static str>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let Some((_, told)) = ENDINGS.into_iter().find(|(known, _)| *known == ending) else {
        let is_a_format = !ending.is_empty() && ending.bytes().all(|byte| byte.is_ascii_alphabetic());
        if asked.is_none() && is_a_format && !PLAIN.contains(&ending.as_str()) {
            return Err(Failure::usage(format!("cannot write {}: no format has the ending .{ending}", path.display()))
                .hint(format!("the formats here are {}; choose one with --format", formats.join(", "))));
        }
        return Ok(None);
    };
    match (asked, formats.iter().find(|format| **format == told)) {
        (Some(asked), _) if asked != told => Err(Failure::usage(format!(
            "--format {asked} and --output {} contradict each other: the ending .{ending} asks for {told}",
            path.display()
        ))
        .hint("leave --format out, or give the file another ending")),
        (_, Some(format)) => Ok(Some(format)),
        (_, None) => Err(Failure::usage(format!(
            "cannot write {} as {told}, which its ending .{ending} asks for",
            path.display()
        ))
        .hint(format!("the formats here are {}", formats.join(", ")))),
    }
}

/// Returns the requested format, otherwise the one of the file's extension, otherwise the default.
pub(crate) fn choose<T>(path: Option<&Path>, asked: Option<T>, formats: &[&'static str]) -> Result<T, Failure>
where
    T: DeserializeOwned + Copy + Default + PartialEq,
{
    let of_name = |name: &str| serde_json::from_value::<T>(name.into()).ok();
    let name = asked.and_then(|asked| formats.iter().copied().find(|name| of_name(name) == Some(asked)));
    let told = format(path, name, formats)?;
    Ok(asked.or_else(|| of_name(told?)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, asked: Option<&str>) -> Result<Option<&'static str>, String> {
        format(Some(Path::new(path)), asked, &["terminal", "markdown", "json", "html"])
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_ending_tells_the_format_whatever_its_case() {
        assert_eq!(told("a/report.html", None), Ok(Some("html")));
        assert_eq!(told("REPORT.JSON", None), Ok(Some("json")));
        assert_eq!(told("report.md", Some("markdown")), Ok(Some("markdown")));
        for path in ["report", "report.txt", "/dev/stdout", ".json", "html"] {
            assert_eq!(told(path, Some("json")), Ok(None), "{path} asks for nothing");
        }
        assert_eq!(format(None, Some("json"), &["json"]).ok(), Some(None), "standard output has no ending");
    }

    #[test]
    fn another_format_than_the_ending_tells_is_refused() {
        let refused = "--format json and --output report.html contradict each other: the ending .html asks for html";
        assert_eq!(told("report.html", Some("json")), Err(refused.to_owned()));
        let refused = "cannot write report.pdf: no format has the ending .pdf";
        assert_eq!(told("report.pdf", None), Err(refused.to_owned()));
        assert_eq!(told("report.pdf", Some("html")), Ok(None));
        assert_eq!(told("report.2025-11-30", None), Ok(None));
        let refused = "cannot write report.csv as csv, which its ending .csv asks for";
        assert_eq!(told("report.csv", None), Err(refused.to_owned()));
    }
}
