//! What a program knows beside the built-in behaviours and monitors: those that its author registered.

use std::fmt;

use fleetsim_engine::{Fleet, Manifest};
use fleetsim_monitors::{Monitor, MonitorConfig, Panel};
use fleetsim_scenario::{Behaviours, RolePlan};

type MakeMonitor = Box<dyn Fn() -> Box<dyn Monitor>>;

/// The behaviours and monitors of a user's own crate.
#[derive(Default)]
pub struct Registry {
    pub(crate) behaviours: Behaviours,
    monitors: Vec<MakeMonitor>,
}

impl Registry {
    /// Registers a behaviour, for roles that say `behaviour = NAME`. `add` adds the agents of such a role to the
    /// fleet, under the role's name; what it refuses is shown to the user. Raise `version` whenever the agents
    /// behave differently, so that old traces are not replayed with new agents.
    ///
    /// # Panics
    /// When the name is registered already.
    #[must_use]
    pub fn behaviour(
        mut self,
        name: &str,
        version: u32,
        add: impl Fn(&mut Fleet, &RolePlan<'_>) -> Result<(), String> + 'static,
    ) -> Registry {
        self.behaviours.register(name, version, add);
        self
    }

    /// Registers a monitor: `make` is called once for every run that is judged.
    #[must_use]
    pub fn monitor(mut self, make: impl Fn() -> Box<dyn Monitor> + 'static) -> Registry {
        self.monitors.push(Box::new(make));
        self
    }

    /// All monitors, for one run.
    pub(crate) fn panel(&self, config: &MonitorConfig, manifest: &Manifest) -> Panel {
        let mut panel = Panel::new(config, manifest);
        for make in &self.monitors {
            panel.add(make());
        }
        panel
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("behaviours", &self.behaviours)
            .field("monitors", &self.monitors.len())
            .finish()
    }
}
