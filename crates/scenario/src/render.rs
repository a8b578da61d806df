//! Shows mistakes in the manner of a compiler: file, line and column, the source line, a marker below it,
//! and help. Only the lines concerned are handed to the renderer, so that a huge file costs nothing.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::mistake::Mistake;
use crate::source::{Place, Source, shown_character};

/// Mistakes shown in full; the rest are counted.
const SHOWN_MAX: usize = 100;
/// Bytes of a source line beyond which only its place is shown.
const LINE_MAX: usize = 2_000;

pub(crate) fn render(mistakes: &[Mistake], places: &[Place], sources: &[Source], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for (mistake, place) in mistakes.iter().zip(places).take(SHOWN_MAX) {
        let excerpt = Excerpt::new(mistake, *place, &sources[place.source]);
        text.push_str(&renderer.render(&[group(mistake, &excerpt)]));
        text.push_str("\n\n");
    }
    let hidden = mistakes.len().saturating_sub(SHOWN_MAX);
    if hidden > 0 {
        text.push_str(&format!("… and {hidden} more\n\n"));
    }
    let count = mistakes.len();
    let noun = if count == 1 { "mistake" } else { "mistakes" };
    text.push_str(&format!("{count} {noun} in {}\n", sources[0].name));
    text
}

fn group<'a>(mistake: &'a Mistake, excerpt: &'a Excerpt) -> Group<'a> {
    let title = Level::ERROR.primary_title(mistake.message.as_str()).id(mistake.code.as_str());
    let mut group = Group::with_title(title);
    group = match &excerpt.line {
        Some((line, marked)) => group.element(
            Snippet::source(line.as_str())
                .path(mistake.source.as_str())
                .line_start(mistake.line)
                .annotation(AnnotationKind::Primary.span(marked.clone())),
        ),
        None => group
            .element(Origin::path(mistake.source.as_str()).line(mistake.line).char_column(mistake.column)),
    };
    match &mistake.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The line a mistake stands on, made safe to show, and the bytes of it to mark.
struct Excerpt {
    line: Option<(String, std::ops::Range<usize>)>,
}

impl Excerpt {
    fn new(mistake: &Mistake, place: Place, source: &Source) -> Self {
        let (line, starts_at) = source.line(mistake.line);
        if line.len() > LINE_MAX {
            return Self { line: None };
        }
        let mut safe = String::with_capacity(line.len());
        let (mut from, mut to) = (None, None);
        for (offset, character) in line.char_indices() {
            let at = starts_at + offset;
            if from.is_none() && at >= place.start {
                from = Some(safe.len());
            }
            if to.is_none() && at >= place.end {
                to = Some(safe.len());
            }
            safe.push(shown_character(character));
        }
        // What goes on over several lines is marked to the end of its first one.
        let from = from.unwrap_or(safe.len());
        let to = to.unwrap_or(safe.len()).max(from);
        Self { line: Some((safe, from..to)) }
    }
}
