//! `explore json-schema DOCUMENT`: prints the JSON schema of a kind of file that the program reads or writes.

use crate::app::cli::Document;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::exploration::report;
use crate::monitor::{self, registry};
use crate::semantic::metadata::metadata_schema;

pub(super) fn run(document: Document, output: &mut Output) -> Result<ExitStatus, Failure> {
    let schema = match document {
        Document::Metadata => metadata_schema(),
        Document::Monitor => registry::schema(),
        Document::MonitorReport => monitor::report::json::schema().to_value(),
        Document::MonitorAlert => monitor::message::schema().to_value(),
        Document::Report => report::json::schema().to_value(),
    };
    output.data(&format!("{schema:#}\n"))?;
    Ok(ExitStatus::Done)
}
