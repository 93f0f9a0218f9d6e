//! Rewrites the constructors of XML, which have words between their arguments, as calls with commas. Most become calls
//! of XMLCONCAT, which has no such words. A call in an unknown form keeps its name, and is refused.

use sqlparser::tokenizer::Token as ParserToken;

use super::{Edits, Text, keyword};

impl Text<'_> {
    pub(super) fn xml(&self, index: usize, edits: &mut Edits) {
        let Some((open, close)) = self.arguments(index) else { return };
        let first = open + 1;
        match &*self.tokens[index].text {
            "xmlelement" | "xmlpi" if self.is(first, "name") && self.is_name(first + 1) => {
                let name = ParserToken::SingleQuotedString(self.tokens[first + 1].text.to_string());
                edits.leave_out([first]);
                edits.replace(first + 1, vec![name]);
                edits.replace(index, vec![keyword("xmlconcat")]);
            }
            "xmlforest" => self.unlabelled(index, edits),
            "xmlattributes" if index > 4 && self.is(index - 5, "xmlelement") && self.is(index - 3, "name") => {
                self.unlabelled(index, edits);
            }
            "xmlparse" if self.is_any(first, &["content", "document"]) => {
                edits.replace(index, vec![keyword("xmlconcat")]);
                edits.leave_out([first]);
                if self.before(close, &["whitespace"]) && self.is_any(close - 2, &["preserve", "strip"]) {
                    edits.leave_out([close - 2, close - 1]);
                }
            }
            "xmlserialize" if self.is_any(first, &["content", "document"]) => {
                edits.replace(index, vec![keyword("cast")]);
                edits.leave_out([first]);
                if self.before(close, &["indent"]) {
                    edits.leave_out((close - 1 - usize::from(self.is(close - 2, "no")))..close);
                }
            }
            "xmlroot" => self.root(index, edits),
            "xmlexists" => {
                self.by_reference(open, close, edits);
                if let Some(passing) = self.flat(open, close).find(|at| self.is(*at, "passing")) {
                    edits.replace(passing, vec![ParserToken::Comma]);
                }
            }
            "xmltable" => self.by_reference(open, close, edits),
            _ => {}
        }
    }

    /// Rewrites the call as XMLCONCAT and leaves out the names of attributes and elements: `id AS "Id"`.
    fn unlabelled(&self, index: usize, edits: &mut Edits) {
        let Some((open, close)) = self.arguments(index) else { return };
        edits.replace(index, vec![keyword("xmlconcat")]);
        let labels = self.flat(open, close).filter(|at| {
            self.is(*at, "as") && (*at + 2 == close || self.is_symbol(*at + 2, ",")) && self.is_name(*at + 1)
        });
        labels.for_each(|at| edits.leave_out([at, at + 1]));
    }

    /// Rewrites `xmlroot(page, VERSION '1.0', STANDALONE YES)` as a call of XMLCONCAT.
    fn root(&self, index: usize, edits: &mut Edits) {
        let Some((open, close)) = self.arguments(index) else { return };
        for at in self.flat(open, close).filter(|at| self.is_symbol(at - 1, ",")) {
            if self.is(at, "version") {
                edits.replace(index, vec![keyword("xmlconcat")]);
                edits.leave_out([at]);
                if self.is(at + 1, "no") && self.is(at + 2, "value") {
                    edits.replace(at + 1, vec![keyword("null")]);
                    edits.leave_out([at + 2]);
                }
            } else if self.is(at, "standalone") && self.is_any(at + 1, &["no", "yes"]) && close <= at + 3 {
                edits.leave_out(at - 1..close);
            }
        }
    }

    /// Leaves out `BY REF` and `BY VALUE`, which have no effect.
    fn by_reference(&self, open: usize, close: usize, edits: &mut Edits) {
        let said = self.flat(open, close).filter(|at| {
            self.is(*at, "by")
                && self.is_any(*at + 1, &["ref", "value"])
                && (self.before(*at, &["passing"]) || *at + 2 == close || self.is(*at + 2, "columns"))
        });
        said.for_each(|at| edits.leave_out([at, at + 1]));
    }
}
