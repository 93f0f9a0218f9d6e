//! PostgreSQL's built-in operators, and the parser's tokens for them.
//!
//! Any other operator is refused. An operator is a function call, and an operator that the database's users created
//! runs their code.

use sqlparser::tokenizer::Token;

/// Returns whether the name is an operator of PostgreSQL itself that an analyst may use. `@@@` is left out because it
/// is deprecated and a common operator name in extensions. The operators of indexes (`~<~`, `*=`) are left out too.
pub(super) fn is_known(text: &str) -> bool {
    token(text).is_some()
}

/// Returns the parser's token for an operator; `None` if the operator is not allowed.
pub(super) fn token(text: &str) -> Option<Token> {
    Some(match text {
        "=" => Token::Eq,
        "<>" | "!=" => Token::Neq,
        "<" => Token::Lt,
        ">" => Token::Gt,
        "<=" => Token::LtEq,
        ">=" => Token::GtEq,
        "+" => Token::Plus,
        "-" => Token::Minus,
        "*" => Token::Mul,
        "/" => Token::Div,
        "%" => Token::Mod,
        "^" => Token::Caret,
        "||" => Token::StringConcat,
        "|" => Token::Pipe,
        "&" => Token::Ampersand,
        "#" => Token::Sharp,
        "~" => Token::Tilde,
        "~*" => Token::TildeAsterisk,
        "!~" => Token::ExclamationMarkTilde,
        "!~*" => Token::ExclamationMarkTildeAsterisk,
        "~~" => Token::DoubleTilde,
        "~~*" => Token::DoubleTildeAsterisk,
        "!~~" => Token::ExclamationMarkDoubleTilde,
        "!~~*" => Token::ExclamationMarkDoubleTildeAsterisk,
        "->" => Token::Arrow,
        "->>" => Token::LongArrow,
        "#>" => Token::HashArrow,
        "#>>" => Token::HashLongArrow,
        "#-" => Token::HashMinus,
        "@>" => Token::AtArrow,
        "<@" => Token::ArrowAt,
        "@?" => Token::AtQuestion,
        "@@" => Token::AtAt,
        "?" => Token::Question,
        "?|" => Token::QuestionPipe,
        "?&" => Token::QuestionAnd,
        "&&" => Token::Overlap,
        "<<" => Token::ShiftLeft,
        ">>" => Token::ShiftRight,
        "&<" => Token::AmpersandLeftAngleBracket,
        "&>" => Token::AmpersandRightAngleBracket,
        "<<|" => Token::ShiftLeftVerticalBar,
        "|>>" => Token::VerticalBarShiftRight,
        "<->" => Token::TwoWayArrow,
        "~=" => Token::TildeEqual,
        "@" => Token::AtSign,
        "|/" => Token::PGSquareRoot,
        "||/" => Token::PGCubeRoot,
        "^@" => Token::CaretAt,
        "-|-" | "<<=" | ">>=" | "##" | "?#" | "?-" | "?-|" | "?||" | "<^" | ">^" | "&<|" | "|&>" | "!!" | "@-@" => {
            Token::CustomBinaryOperator(text.to_owned())
        }
        _ => return None,
    })
}
