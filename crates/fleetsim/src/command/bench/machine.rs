//! What the program can see of the machine that it runs on and of its own memory. What a system does not tell is
//! unknown, not zero.

use std::fs::File;
use std::io::Read as _;

use serde::{Deserialize, Serialize};

/// Bytes read of what the system tells.
const TOLD_BYTES_MAX: u64 = 64 << 10;

/// The machine of a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Cores that this program may use.
    pub(crate) cores: Option<u64>,
    /// The processor's architecture.
    pub(crate) arch: String,
    /// The operating system.
    pub(crate) os: String,
    /// The processor's name.
    pub(crate) model: Option<String>,
}

impl Machine {
    /// This machine.
    pub(crate) fn this() -> Machine {
        let model = told("/proc/cpuinfo").and_then(|text| field(&text, "model name").map(str::to_owned));
        Machine {
            cores: std::thread::available_parallelism().ok().map(|cores| cores.get() as u64),
            arch: std::env::consts::ARCH.to_owned(),
            os: std::env::consts::OS.to_owned(),
            model,
        }
    }
}

/// Bytes of memory that this process occupies.
pub(crate) fn resident_bytes() -> Option<u64> {
    own_bytes("VmRSS")
}

/// The most bytes of memory that this process occupied since it began, or since [`forget_peak`].
pub(crate) fn peak_resident_bytes() -> Option<u64> {
    own_bytes("VmHWM")
}

/// Lets the peak begin again at what is occupied now. Where the system does not allow it, the peak stays.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn own_bytes(name: &str) -> Option<u64> {
    kibibytes(&told("/proc/self/status")?, name)
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let kibibytes: u64 = field(status, name)?.strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The value in the first line `NAME: VALUE`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

fn told(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(TOLD_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_system_writes_them() {
        let status = "Name:\tx\nVmHWM:\t   12 kB\nVmRSS:\t9 kB\nVmSwap:\t1 MB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(12 * 1024));
        assert_eq!(kibibytes(status, "VmRSS"), Some(9 * 1024));
        for (text, name) in [(status, "VmSwap"), (status, "VmPin"), ("VmRSS: x kB", "VmRSS"), ("", "VmRSS")] {
            assert_eq!(kibibytes(text, name), None, "{name} in {text}");
        }
        assert_eq!(field("processor : 0\nmodel name : A: B\n", "model name"), Some("A: B"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_used_is_seen() {
        let before = resident_bytes().expect("the system tells");
        let used = vec![1_u8; 64 << 20];
        let after = resident_bytes().expect("the system tells");
        assert!(after > before + (48 << 20), "{before} to {after} with {}", used.len());
        assert!(peak_resident_bytes() >= Some(after));
    }
}
