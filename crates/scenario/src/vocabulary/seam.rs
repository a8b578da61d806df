//! `[seam]`: the points where work is handed over.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::Duration;

/// One hand-over point. Reads aloud: from the researcher to the writer via redis, chosen by the
/// coordinator.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seam {
    /// The role that gives, or "outside".
    pub from: String,
    /// The role that receives.
    pub to: String,
    /// The medium that carries.
    pub via: String,
    /// Who chooses which agent receives: a role, "sender", or "nobody" (whoever is free).
    #[serde(default)]
    pub chosen_by: ChosenBy,
    /// Why it is chosen so, in the designer's words; `seams` asks whether the reason holds.
    pub because: Option<String>,
    /// A hand-over that takes longer than this is late. Left out: 5m.
    pub late_after: Option<Duration>,
    /// Whether what comes over it may be believed unchecked. If not, an item that carries untrusted content has to be
    /// reviewed or checked before it is taken up here. Left out: true.
    #[serde(default = "Seam::trusts_content_default")]
    pub trusts_content: bool,
    /// Which items go this way. Left out: those that its name says, if it is `rejected` or `approved`;
    /// otherwise all of them.
    pub when: Option<When>,
}

impl Seam {
    fn trusts_content_default() -> bool {
        true
    }
}

/// Which items go through a seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Those that the giving role sends back.
    Rejected,
    /// Those that it lets pass.
    Approved,
    /// All of them.
    Always,
}

/// Who chooses which agent receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChosenBy {
    /// The agent that gives.
    #[default]
    Sender,
    /// Nobody: whichever receiver is free first takes it.
    Nobody,
    /// An agent of this role.
    Role(String),
}

impl<'de> Deserialize<'de> for ChosenBy {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(match String::deserialize(input)?.as_str() {
            "sender" => Self::Sender,
            "nobody" => Self::Nobody,
            role => Self::Role(role.to_owned()),
        })
    }
}

impl JsonSchema for ChosenBy {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ChosenBy".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["sender", "nobody"] })
    }
}
