//! How far somebody may read: the repositories of which all is theirs to read, and those where only their own is.

use crate::index::filter::Filter;
use crate::index::rows::Value;
use crate::index::select::Where;

/// What rows are shown at all. Nothing, unless something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every row of every repository.
    All,
    Some {
        /// Repositories that are read as a whole.
        whole: Vec<i64>,
        /// Repositories of which the rows of this member are read.
        own: Vec<(i64, String)>,
    },
}

impl Default for Reach {
    fn default() -> Self {
        Reach::Some { whole: Vec::new(), own: Vec::new() }
    }
}

impl Reach {
    /// Whether rows of a repository that are this member's are read; those of nobody are so where all is.
    pub fn has(&self, repository: i64, member: Option<&str>) -> bool {
        match self {
            Reach::All => true,
            Reach::Some { whole, own } => {
                let mine = |(of, name): &(i64, String)| *of == repository && member == Some(name);
                whole.contains(&repository) || own.iter().any(mine)
            }
        }
    }

    /// Whether anything of a repository is read.
    pub fn touches(&self, repository: i64) -> bool {
        match self {
            Reach::All => true,
            Reach::Some { whole, own } => whole.contains(&repository) || own.iter().any(|(of, _)| *of == repository),
        }
    }
}

impl Where {
    /// The rows that a filter's reader may read, of its repository if it names one.
    ///
    /// `repository` is the column of that name, `member` the one that says whose a row is, if there is one.
    pub fn within(&mut self, filter: &Filter, repository: &'static str, member: Option<&'static str>) {
        if let Some(wanted) = filter.repository {
            self.push(format!("{repository} = ?"), [wanted.into()]);
        }
        let Reach::Some { whole, own } = &filter.reach else { return };
        let mut any: Vec<String> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        if !whole.is_empty() {
            // The plus keeps SQLite from looking rows up by it: a list is read in its own order.
            any.push(format!("+{repository} IN ({})", vec!["?"; whole.len()].join(", ")));
            values.extend(whole.iter().map(|id| Value::from(*id)));
        }
        if let Some(member) = member {
            for (id, name) in own {
                any.push(format!("({repository} = ? AND {member} = ?)"));
                values.extend([Value::from(*id), name.as_str().into()]);
            }
        }
        let condition = if any.is_empty() { "1 = 0".to_owned() } else { format!("({})", any.join(" OR ")) };
        self.push(condition, values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_deny() {
        let reach = Reach::default();
        assert!(!reach.touches(1) && !reach.has(1, Some("ada")) && !reach.has(1, None));
        let mut asked = Where::default();
        asked.within(&Filter::default(), "s.repository", Some("s.member"));
        assert_eq!(asked.sql("SELECT 1", ""), "SELECT 1 WHERE 1 = 0 ");
    }

    #[test]
    fn whole_repositories_and_ones_own_rows_are_read() {
        let reach = Reach::Some { whole: vec![1, 2], own: vec![(3, "ada".into())] };
        assert!(reach.has(1, None) && reach.has(3, Some("ada")) && reach.touches(3));
        assert!(!reach.has(3, Some("bob")) && !reach.has(3, None) && !reach.touches(4));
        let filter = Filter { reach, repository: Some(3), ..Filter::default() };
        let sql = |member| {
            let mut asked = Where::default();
            asked.within(&filter, "r", member);
            asked.sql("", "")
        };
        assert_eq!(sql(Some("m")), " WHERE r = $1 AND (+r IN ($2, $3) OR (r = $4 AND m = $5)) ");
        assert_eq!(sql(None), " WHERE r = $1 AND (+r IN ($2, $3)) ");
        let mut asked = Where::default();
        asked.within(&Filter { reach: Reach::All, ..Filter::default() }, "r", None);
        assert_eq!(asked.sql("", ""), " ");
    }
}
