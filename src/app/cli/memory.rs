//! The arguments of what is remembered between runs as clap types: `--memory`, and `explore findings`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::monitor::state::StateOptions;
use super::{DatabaseOptions, PrivacyOptions, RoleOptions, values};

/// The options for what is remembered of explorations.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct MemoryOptions {
    /// Remember findings under this name; off remembers nothing [default: a name of the database, its schemas and the
    /// role; with --demo: off]
    #[arg(long, value_name = "NAME|off", value_parser = values::name)]
    pub memory: Option<String>,
}

/// The options that say who is told of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Delivery")]
pub struct NotifyOptions {
    /// Send what is new, worse, better or over through these channels of explore.toml
    #[arg(long, value_name = "CHANNELS", value_delimiter = ',', value_parser = values::name)]
    pub notify: Vec<String>,
    /// Send one line through the channels of --notify when there is no news, too
    #[arg(long)]
    pub notify_always: bool,
    /// Link messages to the report at this address, in which {run} is the run's id and {day} the day that it took for today,
    /// such as https://reports.example.com/{day}.html
    #[arg(long, value_name = "URL", value_parser = values::link, value_hint = ValueHint::Url)]
    pub report_link: Option<String>,
}

/// The options that say whose findings a command is about.
#[derive(Debug, Clone, Args)]
pub struct WhoseOptions {
    #[command(flatten)]
    pub memory: MemoryOptions,
    #[command(flatten)]
    pub state: StateOptions,
    #[command(flatten)]
    pub database: DatabaseOptions,
    #[command(flatten)]
    pub role: RoleOptions,
    #[command(flatten)]
    pub privacy: PrivacyOptions,
}

/// The subcommands of `explore findings`.
#[derive(Debug, Subcommand)]
pub enum FindingsCommand {
    /// List the findings that are remembered, those that are open first
    List {
        /// List those that are over or silenced, too
        #[arg(long)]
        all: bool,
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        whose: Box<WhoseOptions>,
    },
    /// Show a finding: how it went on, what it rests on, what was said of it
    #[command(after_help = "Example:\n  explore findings show M12")]
    Show {
        #[command(flatten)]
        which: FindingArguments,
        /// Print a JSON object in place of text
        #[arg(long)]
        json: bool,
    },
    /// Say that a finding is useful, and that somebody acts on it
    Accept {
        #[command(flatten)]
        said: SaidArguments,
    },
    /// Silence a finding until its size doubles, or until a day
    #[command(
        after_help = "Examples:\n  explore findings dismiss M12 --because known --unless-worse 50%\n  explore findings \
                      dismiss M7 --because wrong-conclusion --reason 'the new tariff explains it' --as Ann"
    )]
    Dismiss {
        /// What is wrong with it; a known finding is told again when it worsens by --unless-worse
        #[arg(long, value_enum, value_name = "WHY", default_value_t = Because::Other)]
        because: Because,
        /// Tell it again from the day after this one
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        until: Option<Date>,
        /// With --because known: tell it again when its size grows by this share [default: 20%]
        #[arg(long, value_name = "SHARE", value_parser = values::share)]
        unless_worse: Option<Decimal>,
        #[command(flatten)]
        said: SaidArguments,
    },
    /// Silence a finding until a day, whatever becomes of it
    Snooze {
        /// The last day of the silence
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        until: Date,
        #[command(flatten)]
        said: SaidArguments,
    },
    /// Say that what a finding tells is mended: if it is still there the next night, it is told as back
    Resolve {
        #[command(flatten)]
        said: SaidArguments,
    },
    /// Write a comment to a finding
    Comment {
        #[command(flatten)]
        said: SaidArguments,
    },
    /// List the memories that there are, with their addresses
    Memories {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateOptions,
    },
}

/// The finding that a command is about.
#[derive(Debug, Args)]
pub struct FindingArguments {
    /// The finding, as reports name it, such as M12
    #[arg(value_name = "FINDING", value_parser = values::finding)]
    pub finding: i32,
    #[command(flatten)]
    pub whose: Box<WhoseOptions>,
}

/// What somebody says of a finding.
#[derive(Debug, Args)]
pub struct SaidArguments {
    #[command(flatten)]
    pub which: FindingArguments,
    /// The reason, in words
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who says so [default: the user of this machine]
    #[arg(long = "as", value_name = "NAME", value_parser = values::name)]
    pub by: Option<String>,
}

/// Why a finding is dismissed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Because {
    /// A figure is wrong
    WrongFigure,
    /// The figures are right, and it does not follow
    WrongConclusion,
    /// It was known already
    Known,
    /// Nobody can do anything about it
    NotActionable,
    /// Another finding says the same
    Duplicate,
    /// Another reason
    Other,
}
