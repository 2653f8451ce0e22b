//! The scopes of a file: parsed within bounds, walked without recursion.

use std::cell::Cell;
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::grammar::{Grammar, Role, separator};
use super::language::Language;
use super::name::Name;
use super::{Kind, Outcome, Scope, Scopes};
use crate::attribution::lines::LineIndex;

/// Longer files are machines' work: nobody asks which function a line of theirs is in.
pub const LONGEST: usize = 1 << 20;
/// Scopes nested deeper count as part of the last one that is not.
const DEEPEST: usize = 64;
/// Longer qualified names lose their beginning.
const LONGEST_NAME: usize = 250;
/// The parser is handed the file in pieces of this length, so that what it reads over and over can be counted.
const PIECE: usize = 1024;
/// The work that parsing may take at the start …
const WORK: u64 = 4000;
/// … and for each piece that it has got through. A unit is a piece read, or a hundred steps of the parser. Code needs some
/// 10 units a piece, tables of numbers up to 30; text that is no code needs more, each of a multiple of the time.
const WORK_PER_PIECE: u64 = 15;

/// The scopes of a file in `language`.
pub fn scopes(language: Language, source: &[u8]) -> Outcome {
    if source.len() > LONGEST {
        return Outcome::TooLong;
    }
    let grammar = Grammar::of(language);
    let Some(tree) = parse(grammar, source) else { return Outcome::TooHard };
    let rows = LineIndex::new(source);
    let mut found = Found { language, source, list: Vec::new(), attached: vec![false; rows.len()], rows };
    found.walk(grammar, &tree);
    found.mend_ends();
    let lines = u32::try_from(found.rows.len()).unwrap_or(u32::MAX);
    Outcome::Found(Scopes { list: found.list, lines, errors: tree.root_node().has_error() })
}

/// The tree, unless it takes too much work. Work is counted, not timed: every machine gives the same answer.
fn parse(grammar: &Grammar, source: &[u8]) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&grammar.language).ok()?;
    let (used, allowed, given_up) = (Cell::new(0), Cell::new(WORK), Cell::new(false));
    let goes_on = || {
        used.set(used.get() + 1);
        given_up.set(given_up.get() || used.get() > allowed.get());
        !given_up.get()
    };
    // Reading ends with the work, so that a scanner that looks far ahead ends too.
    let mut read = |at: usize, _| {
        let piece = at..source.len().min(at.saturating_add(PIECE));
        if goes_on() { source.get(piece).unwrap_or_default() } else { Default::default() }
    };
    let mut progress = |state: &ParseState| {
        allowed.set(WORK + WORK_PER_PIECE * (state.current_byte_offset() / PIECE) as u64);
        if goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let tree = parser.parse_with_options(&mut read, None, Some(options))?;
    (!given_up.get()).then_some(tree)
}

/// A node whose children we are among.
#[derive(Clone, Copy, Default)]
struct Open {
    /// The innermost scope around its children.
    scope: Option<usize>,
    /// The row on which the declaration begins that it wraps.
    begins: Option<usize>,
}

struct Found<'a> {
    language: Language,
    source: &'a [u8],
    rows: LineIndex<'a>,
    /// The rows on which there is nothing but what belongs to the declaration below: comments, attributes, decorators.
    attached: Vec<bool>,
    list: Vec<Scope>,
}

impl Found<'_> {
    fn walk(&mut self, grammar: &Grammar, tree: &Tree) {
        let mut cursor = tree.walk();
        let mut open = vec![Open::default()];
        while let Some(around) = open.last_mut() {
            if let Some(within) = self.visit(grammar, cursor.node(), around)
                && cursor.goto_first_child()
            {
                open.push(within);
                continue;
            }
            while !cursor.goto_next_sibling() {
                open.pop();
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Takes note of a node; says what its children are in, if they are worth a look.
    fn visit(&mut self, grammar: &Grammar, node: Node<'_>, around: &mut Open) -> Option<Open> {
        let role = grammar.role(node.kind_id());
        let inside = Open { scope: around.scope, begins: None };
        if role == Role::Plain {
            return Some(inside);
        }
        let (first, last) = rows(node, self.source);
        if role == Role::Attached {
            if self.begins_line(node) && self.ends_line(node) {
                self.attached.iter_mut().take(last + 1).skip(first).for_each(|row| *row = true);
            }
            return None;
        }
        // Of several declarations in one wrapper, the first is what the comments above are about.
        let begins = around.begins.take().unwrap_or_else(|| self.begins(node));
        let scope = match role {
            Role::Scope(rule) => grammar.rules.get(usize::from(rule)).and_then(|rule| {
                let name = rule.naming.read(node, self.source)?;
                self.add(rule.kind, name, begins, last, around.scope)
            }),
            _ => None,
        };
        // A node without a name to it (`const x =` of a class) wraps what is in it.
        Some(match scope {
            Some(scope) => Open { scope: Some(scope), ..inside },
            None => Open { begins: Some(begins), ..inside },
        })
    }

    fn add(&mut self, kind: Kind, name: Name, begins: usize, last: usize, around: Option<usize>) -> Option<usize> {
        let parent = around.and_then(|at| self.list.get(at));
        let depth = parent.map_or(0, |parent| parent.depth + 1);
        if depth >= DEEPEST {
            return None;
        }
        let kind = match kind {
            _ if name.class => Kind::Class,
            Kind::Function if name.owner.is_some() || parent.is_some_and(|parent| parent.kind == Kind::Class) => {
                Kind::Method
            }
            kind => kind,
        };
        let mut qualified = String::new();
        if let Some(parent) = parent {
            qualified += &parent.qualified;
            qualified += separator(self.language, parent.kind, kind);
        }
        if let Some(owner) = &name.owner {
            qualified += owner;
            qualified += separator(self.language, Kind::Class, kind);
        }
        qualified += &name.name;
        // Nodes that the parser made up may lie behind the end.
        let line = |row: usize| u32::try_from(row.min(self.rows.len().saturating_sub(1)) + 1).unwrap_or(u32::MAX);
        let (first, last) = (line(begins), line(last));
        // What stands above may still be in the scope before: a comment at the end of its body, where they meet on a line.
        let before = self.list.iter().rev().find(|before| before.parent == around).map_or(0, |before| before.last);
        let first = first.max(before).min(last);
        self.list.push(Scope {
            kind,
            name: name.name,
            qualified: end_of(qualified),
            first,
            last,
            parent: around,
            depth,
        });
        Some(self.list.len() - 1)
    }

    /// The row on which a declaration begins, with what is attached to it.
    fn begins(&self, node: Node<'_>) -> usize {
        let row = node.start_position().row;
        if !self.begins_line(node) {
            return row;
        }
        let above = self.attached.iter().take(row).rev().take_while(|attached| **attached).count();
        row - above
    }

    /// Takes from the ends of scopes what is not theirs: where indentation makes blocks, some grammars let them go on
    /// up to the next declaration, through its comments.
    fn mend_ends(&mut self) {
        for scope in &mut self.list {
            let is_over = |line: u32| {
                self.attached.get(line as usize - 1) == Some(&true)
                    || self.rows.bytes(line..=line).iter().all(u8::is_ascii_whitespace)
            };
            while scope.last > scope.first && is_over(scope.last) {
                scope.last -= 1;
            }
        }
    }

    /// Whether nothing but white space is before the node on its line.
    fn begins_line(&self, node: Node<'_>) -> bool {
        let before = self.source.get(..node.start_byte()).unwrap_or_default();
        before.iter().rev().take_while(|b| **b != b'\n').all(u8::is_ascii_whitespace)
    }

    /// Whether nothing but white space is behind the node on its line.
    fn ends_line(&self, node: Node<'_>) -> bool {
        let behind = self.source.get(node.end_byte()..).unwrap_or_default();
        node.end_position().column == 0 || behind.iter().take_while(|b| **b != b'\n').all(u8::is_ascii_whitespace)
    }
}

/// The first and the last row that a node has something on: some end in the white space before the next.
fn rows(node: Node<'_>, source: &[u8]) -> (usize, usize) {
    let (first, last) = (node.start_position().row, node.end_position().row);
    let bytes = source.get(node.byte_range()).unwrap_or_default();
    let space = bytes.iter().rev().take_while(|b| b.is_ascii_whitespace());
    (first, last.saturating_sub(space.filter(|b| **b == b'\n').count()).max(first))
}

/// The end of a name that is too long.
fn end_of(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let start = (name.len() - LONGEST_NAME..).find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    format!("…{}", &name[start..])
}
