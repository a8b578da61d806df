//! What is recorded is read back, at every level, and a disk that fails does not change a run.

use std::fs;

use crate::common::{accept_all, altered, batches, bytes_of, closing, header, open, phold, record, tiny};
use fleetsim_engine::DigestSink;
use fleetsim_engine::batch::Batch;
use fleetsim_trace_replay::{Level, Recorder, Trace};
use proptest::prelude::*;

fn digest_of(batches: &[Batch]) -> fleetsim_engine::Digest {
    let mut sink = DigestSink::default();
    accept_all(&mut sink, batches);
    sink.value()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_batches_round_trip(batch in batches()) {
        let bytes = bytes_of(&header(Level::Full), core::slice::from_ref(&batch));
        let trace = open(&bytes).expect("a trace");
        prop_assert_eq!(trace.batch(0), Ok(batch.clone()));
        let verified = trace.verify();
        prop_assert!(verified.damage.is_empty(), "{:?}", verified.damage);
        prop_assert_eq!(verified.digest, Some(digest_of(&[batch])));
    }
}

#[test]
fn a_run_is_read_back_whole() {
    let batches = phold(1000, 10_000, 1);
    let trace = open(&bytes_of(&header(Level::Full), &batches)).expect("a trace");
    assert!(!trace.is_partial());
    assert_eq!(trace.warnings(), Vec::<String>::new());
    assert_eq!((trace.steps(), trace.chunks()), (10_000, 3));
    assert_eq!(trace.header(), &header(Level::Full));
    assert_eq!(trace.closing(), Some(&closing()));
    let read: Vec<Batch> = trace.batches().collect::<Result<_, _>>().expect("sound chunks");
    assert_eq!(read, batches);
    assert_eq!(trace.digest(), Ok(digest_of(&batches)));
}

#[test]
fn the_digest_is_the_same_at_every_level() {
    let batches = phold(100, 9000, 2);
    let folder = tempfile::tempdir().expect("a folder");
    let mut sizes = Vec::new();
    for level in [Level::Full, Level::Headers, Level::Digest] {
        let path = folder.path().join(level.name());
        let finished = record(&path, &header(level), &batches);
        assert_eq!(finished.error, None);
        assert_eq!((finished.digest, finished.steps), (digest_of(&batches), 9000));
        assert_eq!(finished.bytes, fs::metadata(&path).expect("it was recorded").len());
        let verified = Trace::open(&path).expect("a trace").verify();
        assert!(verified.damage.is_empty(), "{:?}", verified.damage);
        assert_eq!((verified.digest, verified.steps), (Some(digest_of(&batches)), 9000));
        sizes.push(finished.bytes);
    }
    assert!(sizes.is_sorted_by(|more, less| more > less), "{sizes:?}");
}

#[test]
fn headers_keep_all_but_the_payloads() {
    let batches = tiny(5000);
    let trace = open(&bytes_of(&header(Level::Headers), &batches)).expect("a trace");
    let batch = trace.batch(1).expect("a chunk");
    assert_eq!(batch.payload_bytes(), None);
    assert_eq!(batch.step_columns(), batches[1].step_columns());
    assert_eq!(batch.effect_columns(), batches[1].effect_columns());
    let trace = open(&bytes_of(&header(Level::Digest), &batches)).expect("a trace");
    assert!(trace.batch(1).is_err_and(|error| error.is_not_recorded()));
}

#[test]
fn a_message_takes_at_most_twenty_bytes() {
    for agents in [10_000, 1_000_000] {
        let steps = 100_000;
        let bytes = bytes_of(&header(Level::Full), &phold(agents, steps, 3)).len();
        assert!(bytes <= 20 * steps, "{agents} agents: {} bytes for {steps} messages", bytes);
    }
}

#[test]
fn an_empty_run_is_a_trace() {
    let trace = open(&bytes_of(&header(Level::Full), &[])).expect("a trace");
    assert!(!trace.is_partial() && trace.damage().is_empty());
    assert_eq!((trace.steps(), trace.chunks()), (0, 0));
    assert_eq!(trace.verify().digest, Some(DigestSink::default().value()));
}

#[test]
fn the_name_is_given_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, partial) = (folder.path().join("run.fleet"), folder.path().join("run.fleet.partial"));
    let mut recorder = Recorder::create(&path, &header(Level::Full)).expect("a recorder");
    assert_eq!(recorder.path(), partial);
    assert!(partial.exists() && !path.exists());
    accept_all(&mut recorder, &tiny(10));
    assert_eq!(recorder.finish(&closing()).path, path);
    assert!(path.exists() && !partial.exists());
}

#[test]
fn an_interrupted_run_leaves_a_readable_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fleet");
    let batches = tiny(5000);
    let mut recorder = Recorder::create(&path, &header(Level::Full)).expect("a recorder");
    accept_all(&mut recorder, &batches);
    let finished = recorder.interrupt();
    assert_eq!((finished.error, finished.digest), (None, digest_of(&batches)));
    assert!(!path.exists());
    let trace = Trace::open(&finished.path).expect("a trace");
    assert!(trace.is_partial() && trace.damage().is_empty());
    assert_eq!((trace.steps(), trace.digest()), (5000, Ok(digest_of(&batches))));
    assert_eq!(trace.closing(), None);
}

#[test]
fn a_dropped_recorder_leaves_a_readable_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fleet");
    let mut recorder = Recorder::create(&path, &header(Level::Full)).expect("a recorder");
    let partial = recorder.path().to_owned();
    accept_all(&mut recorder, &tiny(10));
    drop(recorder);
    assert_eq!(Trace::open(partial).expect("a trace").steps(), 10);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_changes_nothing_but_the_file() {
    let batches = phold(100, 20_000, 4);
    let finished = record("/dev/full".as_ref(), &header(Level::Full), &batches);
    let error = finished.error.expect("a full disk");
    assert!(error.is_io() && error.to_string().contains("No space left"), "{error}");
    assert_eq!(finished.digest, digest_of(&batches));
    assert!(!fs::exists("/dev/full.partial").expect("a folder"), "a device has no partial file beside it");
}

#[test]
fn what_cannot_be_created_is_told_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().to_owned(), folder.path().join("none/run.fleet")] {
        let error = Recorder::create(&path, &header(Level::Full)).expect_err("no file can be there");
        assert!(error.is_io() && error.to_string().contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
fn the_same_run_is_the_same_file() {
    let batches = phold(50, 5000, 5);
    assert_eq!(bytes_of(&header(Level::Full), &batches), bytes_of(&header(Level::Full), &batches));
    let other = altered(&batches, 4999, |_, _, payloads, at| payloads[8 * at] ^= 1);
    assert_ne!(digest_of(&other), digest_of(&batches));
}
