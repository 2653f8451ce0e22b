//! The innermost scope of each line.

use super::Scopes;

impl Scopes {
    /// For each line, from the top, the place of its innermost scope in the list. A line on which two scopes meet
    /// (`} else_where() {`) is in neither, but in what is around both.
    pub fn innermost(&self) -> Vec<Option<usize>> {
        let mut lines: Vec<Option<usize>> = Vec::with_capacity(self.lines as usize);
        // The scopes around the place where we are, outermost first.
        let mut open: Vec<usize> = Vec::new();
        for (at, scope) in self.list.iter().enumerate() {
            while open.last().copied() != scope.parent {
                let Some(closed) = open.pop() else { break };
                fill(&mut lines, self.list[closed].last, Some(closed));
            }
            fill(&mut lines, scope.first - 1, scope.parent);
            if lines.len() >= scope.first as usize
                && let Some(shared) = lines.get_mut(scope.first as usize - 1)
            {
                let around_both = shared.is_none_or(|owner| open.get(self.list[owner].depth) == Some(&owner));
                if !around_both {
                    *shared = scope.parent;
                }
            }
            open.push(at);
        }
        for closed in open.into_iter().rev() {
            fill(&mut lines, self.list[closed].last, Some(closed));
        }
        fill(&mut lines, self.lines, None);
        lines
    }
}

/// Gives the lines up to the `last` that have no scope yet this one.
fn fill(lines: &mut Vec<Option<usize>>, last: u32, scope: Option<usize>) {
    if lines.len() < last as usize {
        lines.resize(last as usize, scope);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Scope};
    use super::*;

    /// Scopes of these lines, each with its parent.
    fn scopes(lines: u32, of: &[(u32, u32, Option<usize>)]) -> Scopes {
        let mut list: Vec<Scope> = Vec::new();
        for (first, last, parent) in of.iter().copied() {
            let depth = parent.map_or(0, |parent| list[parent].depth + 1);
            let (kind, name, qualified) = (Kind::Function, String::new(), String::new());
            list.push(Scope { kind, name, qualified, first, last, parent, depth });
        }
        Scopes { list, lines, errors: false }
    }

    #[test]
    fn each_line_has_its_innermost_scope() {
        let cases: &[(&str, Scopes, &str)] = &[
            ("none", scopes(3, &[]), "..."),
            ("nested", scopes(9, &[(2, 8, None), (3, 4, Some(0)), (6, 7, Some(0))]), ".0110220."),
            ("all on one line", scopes(1, &[(1, 1, None), (1, 1, Some(0))]), "1"),
            ("they meet: } fn b() {", scopes(5, &[(1, 3, None), (3, 5, None)]), "00.11"),
            ("they meet in a class", scopes(5, &[(1, 5, None), (1, 3, Some(0)), (3, 4, Some(0))]), "11020"),
            ("what is in the second meets too", scopes(4, &[(1, 2, None), (2, 4, None), (2, 3, Some(1))]), "0.21"),
            ("what is in the first meets too", scopes(3, &[(1, 2, None), (1, 2, Some(0)), (2, 3, None)]), "1.2"),
            ("three on a line", scopes(2, &[(1, 1, None), (1, 1, None), (1, 2, None)]), ".2"),
            (
                "three of which two are deeper",
                scopes(2, &[(1, 1, None), (1, 1, Some(0)), (1, 1, Some(0)), (1, 2, None)]),
                ".3",
            ),
            ("two in a class on a line", scopes(1, &[(1, 1, None), (1, 1, Some(0)), (1, 1, Some(0))]), "0"),
        ];
        for (name, scopes, expected) in cases {
            let lines = scopes.innermost();
            let seen: String = lines.iter().map(|at| at.map_or(".".to_owned(), |at| at.to_string())).collect();
            assert_eq!(seen, *expected, "{name}");
        }
    }
}
