//! How things may be called. Names become parts of paths and agents' names, so they are kept plain.

use super::Judge;
use crate::mistake::Code;
use crate::path::Path;
use crate::source::shown_short;

/// Characters of one name.
const LENGTH_MAX: usize = 64;
/// What cannot be a role, because it already means something where a role is expected.
const RESERVED: [&str; 5] = ["outside", "sender", "nobody", "none", "whoever"];

impl Judge<'_> {
    pub(super) fn names(&mut self) {
        let document = self.document;
        for (table, names) in [
            ("work", document.work.names().collect::<Vec<_>>()),
            ("model", document.model.names().collect()),
            ("role", document.role.names().collect()),
            ("medium", document.medium.names().collect()),
            ("seam", document.seam.names().collect()),
            ("action", document.action.names().collect()),
        ] {
            let table_path = Path::top().key(table);
            for name in names {
                let path = table_path.key(name);
                if !is_plain(name) {
                    let message = format!("`{}` is no name for a {table}", shown_short(name));
                    let help = "names have letters, digits, `-` and `_`, at most 64 of them";
                    self.wrong_key(Code::BadName, &path, &message, Some(help.to_owned()));
                } else if table == "role" && RESERVED.contains(&name) {
                    let message = format!("a role cannot be called `{name}`");
                    let help = format!("\"{name}\" has a meaning of its own where a role is named");
                    self.wrong_key(Code::BadName, &path, &message, Some(help));
                }
            }
        }
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= LENGTH_MAX && name.chars().all(plain)
}
