//! Properties: patterns that can be read, and fields that go together.

use std::collections::BTreeSet;

use fleetsim_monitors::{ExpressionError, Pattern, Promised, PropertyRule};

use super::Judge;
use crate::mistake::{Code, Found, KEPT_MAX};
use crate::nearest::nearest;
use crate::path::Path;
use crate::source::shown_short;
use crate::vocabulary::Property;

impl Judge<'_> {
    pub(super) fn properties(&mut self) {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (position, property) in self.document.property.iter().enumerate() {
            let path = Path::top().key("property").index(position);
            if property.name.trim().is_empty() {
                self.wrong(Code::BadName, &path.key("name"), "a property needs a name");
            } else if !names.insert(&property.name) {
                let message = format!("a second property called `{}`", shown_short(&property.name));
                self.wrong(Code::BadName, &path.key("name"), message);
            }
            self.property(property, &path);
        }
    }

    fn property(&mut self, property: &Property, path: &Path) {
        for (field, present, with, belongs) in [
            ("within", property.within.is_some(), "eventually", property.eventually.is_some()),
            ("for-each", property.for_each.is_some(), "eventually", property.eventually.is_some()),
            ("after", property.after.is_some(), "never", property.never.is_some()),
        ] {
            if present && !belongs {
                let message = format!("`{field}` goes with `{with}`");
                self.wrong_key(Code::Conflict, &path.key(field), &message, None);
            }
        }
        if property.eventually.is_some() && property.within.is_none() {
            let help = "say how long it may take: within = \"2h\"";
            let message = "`eventually` needs `within`";
            self.wrong_with_help(Code::MissingField, &path.key("eventually"), message, help);
        }
        if let Err(wrong) = read(property) {
            let (field, text, error) = *wrong;
            self.pattern_mistake(&path.key(field), text, &error);
        }
    }

    fn pattern_mistake(&mut self, path: &Path, text: &str, error: &ExpressionError) {
        if self.found.len() >= KEPT_MAX {
            return;
        }
        let mut place = self.tree.locate(path);
        // Without escapes, what is between the quotes is the text itself.
        if place.end - place.start == text.len() + 2 {
            let inside = error.place();
            (place.start, place.end) =
                (place.start + 1 + inside.start, place.start + 1 + inside.end.max(inside.start));
        }
        let near = error.unknown().and_then(|(name, known)| nearest(name, known.iter().map(String::as_str)));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        let found = Found::new(Code::BadValue, path, place, error.to_string()).help_if(help);
        self.found.push(found);
    }
}

/// Which field is wrong, what it says, and what is wrong with it.
type Wrong<'a> = Box<(&'static str, &'a str, ExpressionError)>;

/// The property as monitors know it; `None` when a field is absent.
pub(crate) fn read(property: &Property) -> Result<Option<PropertyRule>, Wrong<'_>> {
    let parse = |field: &'static str,
                 text: &'_ Option<String>|
     -> Result<Option<Pattern>, (ExpressionError, &'static str)> {
        text.as_deref().map(Pattern::parse).transpose().map_err(|error| (error, field))
    };
    let patterns = || {
        Ok((
            parse("always", &property.always)?,
            parse("sometimes", &property.sometimes)?,
            parse("eventually", &property.eventually)?,
            parse("never", &property.never)?,
            parse("for-each", &property.for_each)?,
            parse("after", &property.after)?,
        ))
    };
    let text_of = |field: &str| {
        let text = match field {
            "always" => &property.always,
            "sometimes" => &property.sometimes,
            "eventually" => &property.eventually,
            "never" => &property.never,
            "for-each" => &property.for_each,
            _ => &property.after,
        };
        text.as_deref().unwrap_or_default()
    };
    let wrong = |(error, field): (ExpressionError, &'static str)| Box::new((field, text_of(field), error));
    let (always, sometimes, eventually, never, for_each, after) = patterns().map_err(wrong)?;
    let within_ns = property.within.map(|within| within.nanoseconds());
    let promised = match (always, sometimes, eventually, never, within_ns) {
        (Some(pattern), None, None, None, _) => Promised::Always(pattern),
        (None, Some(pattern), None, None, _) => Promised::Sometimes(pattern),
        (None, None, Some(pattern), None, Some(within_ns)) => {
            Promised::eventually(pattern, within_ns, for_each)
                .map_err(|error| wrong((error, "eventually")))?
        }
        (None, None, None, Some(pattern), _) => {
            Promised::never(pattern, after).map_err(|error| wrong((error, "never")))?
        }
        _ => return Ok(None),
    };
    Ok(Some(PropertyRule { name: property.name.clone(), promised }))
}
