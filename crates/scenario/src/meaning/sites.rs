//! Fault sites: the points that agents name as those where something may go wrong.

use super::Judge;
use crate::mistake::Code;
use crate::nearest::nearest;
use crate::path::Path;
use crate::source::shown_short;

/// The sites of the built-in agents, with what goes wrong there.
const KNOWN: &[(&str, &str)] = fleetsim_agents::sites::ALL;

/// Checks the name of a site that is written at `path`, as a key or as a value.
pub(super) fn judge(judge: &mut Judge<'_>, name: &str, path: &Path, is_key: bool) {
    let begins = name.strip_suffix('*');
    let is_known = |(site, _): &(&str, &str)| begins.map_or(*site == name, |begins| site.starts_with(begins));
    // Behaviours of the user's own name sites of their own.
    let is_open = judge.document.role.iter().any(|(_, role)| role.behaviour.is_some());
    if KNOWN.iter().any(is_known) || is_open && (name.contains('.') || begins.is_some()) {
        return;
    }
    let message = format!("no fault site `{}`", shown_short(name));
    let near = || nearest(name, KNOWN.iter().map(|(site, _)| *site));
    let help = if is_open {
        "sites are called after what they are part of: \"store.stale-read\"".to_owned()
    } else {
        near().map_or_else(
            || "docs/faults.md lists the sites".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )
    };
    if is_key {
        judge.wrong_key(Code::UnknownName, path, &message, Some(help));
    } else {
        judge.wrong_with_help(Code::UnknownName, path, message, help);
    }
}
