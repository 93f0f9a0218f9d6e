//! Fills the engine: with SQL scripts, and with the rows of data files.
//!
//! COPY does not go through the driver, which sends the data only after the engine has said that it expects them. The
//! engine answers a request once it has all of it. So the command and its data are one request, past the bridge.

use deadpool_postgres::tokio_postgres::Client;
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::{Engine, failed};
use crate::typeset::text::{counted, group_digits};
use crate::warehouse::Error;
use crate::warehouse::files::{self, Column, DataFile, Place, Problem, Surveyed};
use crate::warehouse::postgres::failure;
use crate::warehouse::postgres::script::{self, Part};
use crate::warehouse::source::{OpenError, Step, Watch};
use crate::warehouse::sql::{identifier, relation};

/// Bytes of COPY data in one request.
const REQUEST_BYTES: usize = 1 << 20;
/// Batches of rows that wait for the engine.
const BATCHES_MAX: usize = 2;
/// Rows above which a server is recommended.
const ROWS_FOR_SERVER: u64 = 5_000_000;
/// Who owns what is loaded: the database's owner.
const AS_OWNER: &str = "RESET role; SET default_transaction_read_only = off; SET search_path = public";

/// What was loaded. It is loaded into a new engine again.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Script(String),
    Files(Vec<Surveyed>),
}

/// Reads the files once, one after the other, and returns the tables that can hold them.
pub(super) async fn survey(files: Vec<DataFile>, watch: Watch<'_>) -> Result<Vec<Surveyed>, OpenError> {
    let mut surveyed = Vec::new();
    let mut before = 0;
    for file in files {
        let name = file.name();
        watch(Step::Doing(format!("reading {name}")));
        let (sender, mut progress) = mpsc::channel(1);
        let reading = spawn_blocking(move || files::survey(&file, &mut |rows| sender.blocking_send(rows).is_ok()));
        while let Some(rows) = progress.recv().await {
            watch(Step::Doing(format!("reading {name}: {} rows", grouped(rows))));
        }
        let file = reading.await.map_err(|error| panicked(&name, &error))??;
        if before <= ROWS_FOR_SERVER && before + file.rows > ROWS_FOR_SERVER {
            watch(Step::Warning(format!(
                "more than {} rows are loaded into memory; a PostgreSQL server serves so many better",
                grouped(ROWS_FOR_SERVER)
            )));
        }
        before += file.rows;
        surveyed.push(file);
    }
    Ok(surveyed)
}

/// Returns the error for a reader that gave up on a file in a way that it does not report.
fn panicked(name: &str, error: &JoinError) -> OpenError {
    tracing::debug!(%error, "the reading of a file ended");
    let message = format!("{name}: it cannot be read: the file is damaged");
    OpenError::File { message, advice: Some("export it again".to_owned()) }
}

pub(super) async fn load(
    engine: &Engine,
    client: &Client,
    content: &Content,
    watch: Watch<'_>,
) -> Result<(), OpenError> {
    client.batch_execute(AS_OWNER).await.map_err(|error| failed("prepare for the data", &error))?;
    match content {
        Content::Script(sql) => run_script(engine, client, sql).await?,
        Content::Files(files) => {
            client.batch_execute("BEGIN").await.map_err(|error| failed("begin", &error))?;
            let loaded = load_files(engine, client, files, watch).await;
            let end = if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = client.batch_execute(end).await;
            loaded?;
            ended.map_err(|error| failed("commit", &error))?;
        }
    }
    watch(Step::Doing("counting values for the planner".to_owned()));
    client.batch_execute("ANALYZE").await.map_err(|error| failed("analyze", &error))?;
    Ok(())
}

async fn run_script(engine: &Engine, client: &Client, sql: &str) -> Result<(), Error> {
    for part in script::parts(sql) {
        let ran = match part.data {
            None => client.batch_execute(part.text).await.map_err(|error| (failure::describe(&error), part.line)),
            Some(data) => copy_script(engine, &part, data).await,
        };
        ran.map_err(|(reason, line)| {
            let beginning = failure::one_line(&part.text.chars().take(80).collect::<String>());
            Error::Statement { message: format!("line {line}: {reason}; in: {beginning}") }
        })?;
    }
    Ok(())
}

/// Runs a COPY of a script with its data. An error has the reason and the line of the script.
async fn copy_script(engine: &Engine, part: &Part<'_>, data: &str) -> Result<(), (String, usize)> {
    let mut line = part.data_line;
    for chunk in chunks(data, part.is_plain_copy()) {
        let copied = engine.copy(part.text, chunk.as_bytes()).await;
        copied.map_err(|refused| (refused.reason, refused.line.map_or(part.line, |number| line + number - 1)))?;
        line += chunk.matches('\n').count();
    }
    Ok(())
}

/// Cuts COPY data into requests at the ends of lines. Data in a format whose rows may span lines stay in one.
fn chunks(data: &str, is_plain: bool) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = data;
    while is_plain && rest.len() > REQUEST_BYTES {
        let mut middle = REQUEST_BYTES;
        while !rest.is_char_boundary(middle) {
            middle += 1;
        }
        let Some(end) = rest[middle..].find('\n') else { break };
        let (chunk, after) = rest.split_at(middle + end + 1);
        chunks.push(chunk);
        rest = after;
    }
    if !rest.is_empty() || chunks.is_empty() {
        chunks.push(rest);
    }
    chunks
}

async fn load_files(engine: &Engine, client: &Client, files: &[Surveyed], watch: Watch<'_>) -> Result<(), OpenError> {
    for file in files {
        let created = client.batch_execute(&create(file)).await;
        created.map_err(|error| Problem::of_table(&failure::describe(&error)).of(file.file.name()))?;
        load_file(engine, file, watch).await?;
        let columns = counted(file.columns.len(), "column");
        let rows = format!("{} row{}", grouped(file.rows), if file.rows == 1 { "" } else { "s" });
        watch(Step::Done(format!("table {}: {rows} and {columns} of {}", file.file.table, file.file.name())));
    }
    Ok(())
}

async fn load_file(engine: &Engine, file: &Surveyed, watch: Watch<'_>) -> Result<(), OpenError> {
    let name = file.file.name();
    let (sender, mut batches) = mpsc::channel(BATCHES_MAX);
    let source = file.clone();
    let reading = spawn_blocking(move || files::copy(&source, &mut |batch| sender.blocking_send(batch).is_ok()));
    let names = file.columns.iter().map(|column| identifier(&column.name)).collect::<Vec<_>>().join(", ");
    let command = format!("COPY {} ({names}) FROM STDIN", relation("public", &file.file.table));
    let mut rows = 0;
    while let Some(batch) = batches.recv().await {
        let copied = engine.copy(&command, &batch.text).await;
        copied.map_err(|refused| {
            let place = refused.line.and_then(|line| batch.places.get(line.saturating_sub(1)));
            refusal(&refused, place.copied()).of(&name)
        })?;
        rows += batch.places.len() as u64;
        watch(Step::Doing(format!("loading {name}: {} of {} rows", grouped(rows), grouped(file.rows))));
    }
    reading.await.map_err(|error| panicked(&name, &error))?.map_err(|problem| problem.of(&name))?;
    Ok(())
}

/// Returns the statement that creates a file's table. It is not logged, because there is nothing to recover in memory.
fn create(file: &Surveyed) -> String {
    let column = |column: &Column| format!("{} {}", identifier(&column.name), column.kind.sql());
    let columns = file.columns.iter().map(column).collect::<Vec<_>>().join(", ");
    format!("CREATE UNLOGGED TABLE {} ({columns})", relation("public", &file.file.table))
}

fn refusal(refused: &Refused, place: Option<Place>) -> Problem {
    Problem { place, what: refused.reason.clone(), advice: None }
}

fn grouped(rows: u64) -> String {
    group_digits(&rows.to_string())
}

/// A COPY that the engine refused.
#[derive(Debug)]
struct Refused {
    reason: String,
    /// The line of the data, from 1, if the engine names one.
    line: Option<usize>,
}

impl Engine {
    /// Runs `COPY ... FROM STDIN` with its data, as the one request that the engine reads it from.
    async fn copy(&self, command: &str, data: &[u8]) -> Result<(), Refused> {
        let mut request = Vec::with_capacity(command.len() + data.len() + 32);
        push(&mut request, b'Q', &[command.as_bytes(), b"\0"]);
        push(&mut request, b'd', &[data]);
        push(&mut request, b'c', &[]);
        let answer = self.database.exec_protocol_raw(request).await.map_err(|error| {
            self.fails();
            Refused { reason: failure::one_line(&error.to_string()), line: None }
        })?;
        match refused(&answer) {
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }
}

fn push(request: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length = 4 + parts.iter().map(|part| part.len()).sum::<usize>();
    request.push(tag);
    request.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    for part in parts {
        request.extend_from_slice(part);
    }
}

/// Returns the first error in an answer of the engine.
fn refused(answer: &[u8]) -> Option<Refused> {
    let mut rest = answer;
    while let [tag, a, b, c, d, after @ ..] = rest {
        let length = (u32::from_be_bytes([*a, *b, *c, *d]) as usize).saturating_sub(4).min(after.len());
        let (body, next) = after.split_at(length);
        if *tag == b'E' {
            return Some(error(body));
        }
        rest = next;
    }
    None
}

/// Reads the fields of an error: a letter and a text each.
fn error(body: &[u8]) -> Refused {
    let fields = body.split(|byte| *byte == 0).filter_map(|field| Some((*field.first()?, &field[1..])));
    let fields = fields.map(|(letter, text)| (letter, String::from_utf8_lossy(text))).collect::<Vec<_>>();
    let field = |wanted| fields.iter().find(|(letter, _)| *letter == wanted).map(|(_, text)| text.as_ref());
    let context = field(b'W').unwrap_or_default();
    let line =
        context.split(", line ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let column = context.split(", column ").nth(1).map(|rest| rest.split(':').next().unwrap_or(rest));
    let mut reason = field(b'M').unwrap_or("the engine gave no reason").to_owned();
    if let Some(column) = column {
        reason = format!("column {column}: {reason}");
    }
    if let Some(code) = field(b'C') {
        reason = format!("{reason} (SQLSTATE {code})");
    }
    Refused { reason: failure::one_line(&reason), line: line.and_then(|line| line.parse().ok()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_copy_has_its_reason_and_the_line_of_the_data() {
        let mut answer = Vec::new();
        push(&mut answer, b'G', &[&[0, 0, 0]]);
        let fields = b"SERROR\0C22P02\0Minvalid input\0WCOPY t, line 17, column n: \"x\"\0\0";
        push(&mut answer, b'E', &[fields]);
        push(&mut answer, b'Z', &[b"I"]);
        let refused = refused(&answer).unwrap();
        assert_eq!((refused.reason.as_str(), refused.line), ("column n: invalid input (SQLSTATE 22P02)", Some(17)));
    }

    #[test]
    fn data_are_cut_at_the_ends_of_lines_only() {
        let line = "é\t".repeat(1000) + "\n";
        let data = line.repeat(3000);
        let chunks = chunks(&data, true);
        assert!(
            chunks.len() > 5 && chunks.iter().all(|chunk| chunk.ends_with('\n') && chunk.len() < 2 * REQUEST_BYTES)
        );
        assert_eq!(chunks.concat(), data);
        assert_eq!(super::chunks(&data, false).len(), 1);
        assert_eq!(super::chunks("", true), [""]);
    }
}
