//! The arguments of `explore schema` as clap types.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{DatabaseOptions, MetadataOptions, RoleOptions};

/// The subcommands of `explore schema`.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Write a file for each table into the metadata folder, keeping what people wrote there
    Pull {
        #[command(flatten)]
        database: Box<DatabaseOptions>,
        #[command(flatten)]
        role: RoleOptions,
    },
    /// Turn guesses in the metadata folder into what somebody approved
    #[command(
        after_help = "Examples:\n  explore schema approve --by 'Ann Lee'\n  explore schema approve orders customers.region --by 'Ann Lee'"
    )]
    Approve {
        /// Approve the guesses of these tables, or TABLE.COLUMN [default: all]
        #[arg(value_name = "NAMES")]
        names: Vec<String>,
        /// Who approves them
        #[arg(long, value_name = "NAME")]
        by: String,
        #[command(flatten)]
        metadata: MetadataOptions,
    },
    /// Add what another tool knows of the tables to the metadata folder, keeping what people wrote there
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write the metadata in the format of another tool
    #[command(subcommand)]
    Export(ExportCommand),
    /// Report where the metadata and the database disagree, and try joins on the data; exits with 10 if they do
    Check {
        #[command(flatten)]
        database: Box<DatabaseOptions>,
        #[command(flatten)]
        role: RoleOptions,
    },
}

/// The subcommands of `explore schema import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Read dbt's manifest: descriptions, tests, semantic models, metrics; lists what is not taken, and why
    #[command(
        after_help = "Examples:\n  dbt parse && explore schema import dbt target\n  explore schema import dbt target/semantic_manifest.json --replace"
    )]
    Dbt {
        /// target/manifest.json, target/semantic_manifest.json, or the folder that holds them
        #[arg(value_name = "MANIFEST", value_hint = ValueHint::AnyPath)]
        manifest: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
    /// Read a semantic model in the format of Apache Ossie; lists what is not taken, and why
    #[command(
        after_help = "Examples:\n  explore schema import ossie sales.yaml\n  explore schema import ossie sales.json --metadata elsewhere"
    )]
    Ossie {
        /// The document, YAML or JSON
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
}

/// The options of `explore schema import`.
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// Where the metadata say something else, take what is imported
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub metadata: MetadataOptions,
}

/// The subcommands of `explore schema export`.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write a semantic model in the format of Apache Ossie, without guesses that nobody approved
    #[command(
        after_help = "Examples:\n  explore schema export ossie sales.yaml\n  explore schema export ossie sales.json"
    )]
    Ossie {
        /// The document; JSON if its name ends in .json, and YAML otherwise
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        metadata: MetadataOptions,
    },
}
