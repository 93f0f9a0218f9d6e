//! placeholder
/// x
pub fn describe(table: &super::Table) -> String {
    format!("{}", table.name)
}
