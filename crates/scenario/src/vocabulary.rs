//! The words of a scenario file, as plain types. Their documentation is what editors show, and the JSON
//! Schema and the validator are generated from them, so that there is one truth about what may be written.

mod arrives;
mod expect;
mod fault;
mod fleet;
mod heal;
mod medium;
mod model;
mod property;
mod role;
mod rules;
mod seam;
mod work;

use schemars::JsonSchema;
use serde::Deserialize;

pub use arrives::{Arrival, Arrives, Then};
pub use expect::{Expect, ExpectSeeds, FINDING_KINDS, FindingKind, Judgement};
pub use fault::{
    ClockFault, CorruptFault, DelayFault, DuplicateFault, Fault, FaultKind, HoldFault, How, LatencyFault,
    LossFault, MessageWords, Of, PartitionFault, ReorderFault, SiteFault, SlowFault, Stated, TellFault, Whom,
    WhomWords,
};
pub use fleet::{Architecture, Fleet};
pub use heal::{Heal, MessageFilter, SiteTolerance, Tolerates};
pub use medium::{Clashes, Delivery, Medium, MediumKind, Order, ReadAt};
pub use model::{Allowance, Hangs, Model, Price};
pub use property::Property;
pub use role::{Edits, Human, Nature, Process, Role};
pub use rules::{Action, Guard, May};
pub use seam::{ChosenBy, Seam, When};
pub use work::{CheckedBy, Touches, WaitsFor, Work};

use crate::named::Named;

/// A fleet of software agents: what it works on, who is in it, how work is handed over, what may go wrong,
/// and what is expected to be found.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "fleetsim scenario")]
pub struct Document {
    /// What a run is expected to show. Stands at the top of the file, above the first `[table]`.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// The fleet as a whole: how long it runs and what it claims to be.
    pub fleet: Fleet,
    /// What comes in, and what kind of work it is.
    #[serde(default)]
    pub work: Named<Work>,
    /// Language models: how fast they answer, what they cost, what they allow.
    #[serde(default)]
    pub model: Named<Model>,
    /// Who is in the fleet.
    #[serde(default)]
    pub role: Named<Role>,
    /// What carries a hand-over, or holds what agents share.
    #[serde(default)]
    pub medium: Named<Medium>,
    /// Who gives what to whom, through what, and who chooses the receiver.
    #[serde(default)]
    pub seam: Named<Seam>,
    /// What touches the world outside.
    #[serde(default)]
    pub action: Named<Action>,
    /// Who may read and write what. For a role that is named here, anything not listed is a finding.
    #[serde(default)]
    pub may: Named<May>,
    /// What keeps the fleet from going wrong; absent guards are off.
    #[serde(default)]
    pub guard: Guard,
    /// What goes wrong, and when.
    #[serde(default)]
    pub fault: Vec<Fault>,
    /// What holds in every run.
    #[serde(default)]
    pub property: Vec<Property>,
    /// When everything that went wrong is mended, and by when the fleet must have recovered.
    pub heal: Option<Heal>,
    /// The worst that the fleet's protocols are said to bear: what `--faults swarm` tries, and nothing beyond.
    pub tolerates: Option<Tolerates>,
}

impl Document {
    /// What the seam called `name` carries: its `when`; without one, a seam called `rejected` or `approved`
    /// carries just those, and any other carries everything.
    pub fn carries(&self, name: &str) -> When {
        let stated = self.seam.get(name).and_then(|seam| seam.when);
        stated.unwrap_or(match name {
            "rejected" => When::Rejected,
            "approved" => When::Approved,
            _ => When::Always,
        })
    }

    /// Agents in the fleet: the sum of all counts, saturating.
    pub fn agents(&self) -> u64 {
        self.role.iter().fold(0, |sum, (_, role)| sum.saturating_add(role.count.get()))
    }
}

/// For the JSON Schema: exactly one of these fields must be there.
fn exactly_one(fields: &[&str]) -> serde_json::Value {
    fields.iter().map(|field| serde_json::json!({ "required": [field] })).collect()
}
