//! Finds the files that the user names, and says what each one is by its name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::problem::{Error, Problem};
use super::{Compression, DataFile, Format, Stamp, names};

const READABLE: &str =
    "files that are read end in .csv, .tsv, .jsonl, .ndjson, .json or .parquet, each also with .gz or .zst";

/// Returns the files in order. A name that is no file may be a pattern, such as `data/*.csv`.
pub fn find(given: &[PathBuf]) -> Result<Vec<DataFile>, Error> {
    let mut files = Vec::<DataFile>::new();
    let mut found = HashMap::<PathBuf, usize>::new();
    for path in given {
        for path in expanded(path)? {
            let name = path.display().to_string();
            let file = file(&path).map_err(|problem| problem.of(name))?;
            let canonical = path.canonicalize().unwrap_or(path);
            found.entry(canonical).or_insert_with(|| {
                files.push(file);
                files.len()
            });
        }
    }
    check_names(&files)?;
    Ok(files)
}

/// Returns the files that a pattern matches, in the order of their names; the path itself if it exists or is none.
fn expanded(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let pattern = path.to_string_lossy();
    if path.exists() || !pattern.contains(['*', '?', '[']) {
        return Ok(vec![path.to_owned()]);
    }
    let wrong = |what: String| Problem::new(what).of(pattern.clone());
    let matches = glob::glob(&pattern).map_err(|error| wrong(format!("it is not a pattern: {error}")))?;
    let files =
        matches.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(format!("cannot be searched: {error}")))?;
    if files.is_empty() { Err(wrong("no file matches this pattern".to_owned())) } else { Ok(files) }
}

fn file(path: &Path) -> Result<DataFile, Problem> {
    let metadata = path.metadata().map_err(|error| Problem::new(format!("cannot be read: {error}")))?;
    if metadata.is_dir() {
        let pattern = path.join("*.csv");
        return Err(Problem::new("it is a directory").advise(format!("name its files: {}", pattern.display())));
    }
    if !metadata.is_file() {
        return Err(Problem::new("it is a pipe or a device, and a file has to be read twice")
            .advise("write what it gives into a file first"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (format, compression, stem) = kind(&name)?;
    Ok(DataFile { path: path.to_owned(), table: names::table(stem), format, compression, stamp: Stamp::of(&metadata) })
}

/// Returns what a file is by its name, with the name without its endings.
fn kind(name: &str) -> Result<(Format, Compression, &str), Problem> {
    let (bare, compression) = match ending(name) {
        Some((bare, ending)) if ending == "gz" => (bare, Compression::Gzip),
        Some((bare, ending)) if matches!(ending.as_str(), "zst" | "zstd") => (bare, Compression::Zstandard),
        _ => (name, Compression::None),
    };
    let Some((stem, ending)) = ending(bare) else {
        return Err(Problem::new("its name does not say what it is").advise(READABLE));
    };
    let format = match ending.as_str() {
        "csv" => Format::Delimited(None),
        "tsv" | "tab" => Format::Delimited(Some(b'\t')),
        "jsonl" | "ndjson" | "json" => Format::Json,
        "parquet" | "pq" => Format::Parquet,
        "sql" => return Err(Problem::new("it is a SQL script").advise("load it with --load")),
        "xlsx" | "xls" | "ods" => {
            return Err(Problem::new("a spreadsheet is not read").advise("save each sheet as CSV (UTF-8)"));
        }
        other => return Err(Problem::new(format!("a file that ends in .{other} is not read")).advise(READABLE)),
    };
    Ok((format, compression, stem))
}

fn ending(name: &str) -> Option<(&str, String)> {
    name.rsplit_once('.').map(|(bare, ending)| (bare, ending.to_lowercase()))
}

/// Rejects files whose tables would have the same name.
fn check_names(files: &[DataFile]) -> Result<(), Error> {
    let mut first = HashMap::new();
    for file in files {
        if let Some(other) = first.insert(file.table.as_str(), file) {
            let what = format!("it and {} would both be the table {}", other.name(), file.table);
            let advice = "rename one of them; if they are parts of one table, put them into one file";
            return Err(Problem::new(what).advise(advice).of(file.name()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_what_it_is() {
        let zstandard = Compression::Zstandard;
        let cases = [
            ("sales.csv", Format::Delimited(None), Compression::None, "sales"),
            ("Sales.CSV.GZ", Format::Delimited(None), Compression::Gzip, "Sales"),
            ("a.b.tsv.zst", Format::Delimited(Some(b'\t')), zstandard, "a.b"),
            ("events.ndjson", Format::Json, Compression::None, "events"),
            (".parquet", Format::Parquet, Compression::None, ""),
        ];
        for (name, format, compression, stem) in cases {
            assert_eq!(kind(name).unwrap(), (format, compression, stem), "{name}");
        }
        for (name, reason) in [("a.gz", "does not say"), ("a", "does not say"), ("a.sql", "script"), ("a.txt", ".txt")]
        {
            let problem = kind(name).unwrap_err();
            assert!(problem.what.contains(reason) && problem.advice.is_some(), "{name}: {}", problem.what);
        }
    }
}
