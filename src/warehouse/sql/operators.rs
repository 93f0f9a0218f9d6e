//! PostgreSQL's built-in operators, and the parser's tokens for them. An operator that is not here is refused: an
//! operator is a function call, and one that the database's users made runs their code.

use sqlparser::tokenizer::Token;

/// Whether PostgreSQL itself has an operator of that name that an analyst may use. `@@@` is left out, being both
/// deprecated and a favourite name for operators of extensions; so are the operators of indexes (`~<~`, `*=`).
pub(super) fn is_known(text: &str) -> bool {
    token(text).is_some()
}

/// The parser's token for an operator.
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
