//! PostgreSQL's key words, as far as the validator needs to know them.

/// Returns whether PostgreSQL accepts the word, unquoted, as the name of a column or table. A word that only the parser
/// accepts is refused, because the two then read the text differently.
pub(super) fn is_name(word: &str) -> bool {
    !is_reserved(word) && NAMES_OF_TYPES_AND_FUNCTIONS_ONLY.binary_search(&word).is_err()
}

/// Returns whether PostgreSQL never accepts the word, unquoted, as any name.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word).is_ok()
}

/// Returns whether an unquoted word before a parenthesis is part of the grammar there, not a function or alias.
pub(super) fn takes_parenthesis(word: &str) -> bool {
    is_reserved(word) || BEFORE_PARENTHESIS.binary_search(&word).is_ok()
}

/// Returns whether an unquoted word may precede a string constant without being the name of a type.
pub(super) fn takes_text(word: &str) -> bool {
    is_reserved(word) || BEFORE_TEXT.binary_search(&word).is_ok()
}

/// Returns whether the word joins expressions to longer ones without a parenthesis, so that many of them make a deep
/// tree.
pub(super) fn chains(word: &str) -> bool {
    CHAINING.binary_search(&word).is_ok()
}

const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "system_user",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

const NAMES_OF_TYPES_AND_FUNCTIONS_ONLY: &[&str] = &[
    "authorization",
    "binary",
    "collation",
    "concurrently",
    "cross",
    "current_schema",
    "freeze",
    "full",
    "ilike",
    "inner",
    "is",
    "isnull",
    "join",
    "left",
    "like",
    "natural",
    "notnull",
    "outer",
    "overlaps",
    "right",
    "similar",
    "tablesample",
    "verbose",
];

const BEFORE_PARENTHESIS: &[&str] = &[
    "between",
    "by",
    "coalesce",
    "columns",
    "cube",
    "escape",
    "exists",
    "filter",
    "first",
    "greatest",
    "grouping",
    "ilike",
    "is",
    "isnull",
    "join",
    "least",
    "like",
    "materialized",
    "next",
    "notnull",
    "nullif",
    "over",
    "overlaps",
    "passing",
    "precision",
    "repeatable",
    "rollup",
    "row",
    "sets",
    "similar",
    "trim",
    "values",
    "varying",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "zone",
];

const BEFORE_TEXT: &[&str] = &["between", "by", "escape", "ilike", "is", "like", "path", "precision", "zone"];

const CHAINING: &[&str] = &[
    "and",
    "at",
    "between",
    "collate",
    "escape",
    "except",
    "ilike",
    "in",
    "intersect",
    "is",
    "isnull",
    "like",
    "not",
    "notnull",
    "or",
    "over",
    "overlaps",
    "similar",
    "union",
];

/// Words that PostgreSQL accepts as a column's name only after AS, in the order of its grammar.
const AFTER_AS_ALONE: &[&str] = &[
    "array",
    "as",
    "char",
    "character",
    "create",
    "day",
    "except",
    "fetch",
    "filter",
    "for",
    "from",
    "grant",
    "group",
    "having",
    "hour",
    "intersect",
    "into",
    "isnull",
    "limit",
    "minute",
    "month",
    "notnull",
    "offset",
    "on",
    "order",
    "over",
    "overlaps",
    "precision",
    "returning",
    "second",
    "to",
    "union",
    "varying",
    "where",
    "window",
    "with",
    "within",
    "without",
    "year",
];

/// Returns whether a column can have the name only after AS.
pub(super) fn needs_as(word: &str) -> bool {
    AFTER_AS_ALONE.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_so_that_they_can_be_searched() {
        for list in [RESERVED, NAMES_OF_TYPES_AND_FUNCTIONS_ONLY, BEFORE_PARENTHESIS, BEFORE_TEXT, CHAINING] {
            assert!(list.is_sorted());
        }
    }
}
