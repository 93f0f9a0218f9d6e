//! All integration tests, in one binary: one module an area.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod attributes;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod config;
#[cfg(test)]
mod database;
#[cfg(test)]
mod deliver;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod executor;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod first_request;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod monitor_analyst;
#[cfg(test)]
mod monitor_backtest;
#[cfg(test)]
mod monitor_chart;
#[cfg(test)]
mod monitor_context;
#[cfg(test)]
mod monitor_engine;
#[cfg(test)]
mod monitor_failures;
#[cfg(test)]
mod monitor_generate;
#[cfg(test)]
mod monitor_message;
#[cfg(test)]
mod monitor_properties;
#[cfg(test)]
mod monitor_pull;
#[cfg(test)]
mod monitor_registry;
#[cfg(test)]
mod monitor_report;
#[cfg(test)]
mod monitor_run;
#[cfg(test)]
mod monitor_series;
#[cfg(test)]
mod monitor_why;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod openai;
#[cfg(test)]
mod price;
#[cfg(test)]
mod program;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod report;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_day;
#[cfg(test)]
mod sample_run;
#[cfg(test)]
mod scripted_server;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sql;
#[cfg(test)]
mod sql_command;
#[cfg(test)]
mod state;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod tpc;
#[cfg(test)]
mod unseen;
#[cfg(test)]
mod wire;
