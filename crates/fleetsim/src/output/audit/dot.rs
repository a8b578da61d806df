//! A graph of the architecture in Graphviz's language, sorted, for `dot -Tsvg`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fleetsim_monitors::{Architecture, Edges, NodeKind, NodeMeasures};
use fleetsim_trace_replay::text::escape;

/// Which graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Picture {
    /// Media, stores and relays are nodes.
    Transport,
    /// Who hands work to whom, whatever lies between.
    Logical,
    /// Who chose whom, or judged whose result.
    Decision,
}

/// The graph as text. Edges are labelled with how often they were taken; nodes that separate workers have two lines.
pub(crate) fn dot(architecture: &Architecture, picture: Picture) -> String {
    let (name, edges): (_, &Edges) = match picture {
        Picture::Transport => ("transport", &architecture.graphs.transport),
        Picture::Logical => ("logical", &architecture.graphs.logical),
        Picture::Decision => ("decision", &architecture.graphs.decision),
    };
    let known: BTreeMap<&str, &NodeMeasures> =
        architecture.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let names: BTreeSet<&str> =
        edges.edges.iter().flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]).collect();
    let mut text = format!("digraph {name} {{\n  rankdir=LR;\n  node [shape=box];\n");
    for name in names {
        let node = known.get(name);
        let shape = match node.map(|node| node.kind) {
            Some(NodeKind::Medium | NodeKind::Store) => " shape=cylinder",
            Some(NodeKind::Person) => " shape=ellipse",
            Some(NodeKind::Agent) | None => "",
        };
        let separates = node.is_some_and(|node| node.separates);
        let lines = if separates { " peripheries=2" } else { "" };
        let is_hub = architecture.hub.as_deref() == Some(name);
        let style = if is_hub { " style=bold" } else { "" };
        let attributes = format!("{shape}{lines}{style}");
        let attributes = match attributes.trim_start() {
            "" => String::new(),
            attributes => format!(" [{attributes}]"),
        };
        let _ = writeln!(text, "  {}{attributes};", quoted(name));
    }
    for edge in &edges.edges {
        let _ =
            writeln!(text, "  {} -> {} [label=\"{}\"];", quoted(&edge.from), quoted(&edge.to), edge.count);
    }
    if edges.left_out > 0 {
        let _ = writeln!(text, "  // {} more edges are left out", edges.left_out);
    }
    text + "}\n"
}

/// A name as Graphviz takes it: nothing in it ends the string or is read as more than itself.
fn quoted(name: &str) -> String {
    format!("\"{}\"", escape(name).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_leave_their_quotes() {
        assert_eq!(quoted("a\"]; b\\"), "\"a\\\"]; b\\\\\"");
        assert_eq!(quoted("a\u{1b}"), "\"a\\\\u{1b}\"");
    }
}
