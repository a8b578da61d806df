//! Cut short, flipped, hostile: every file is either read or refused with a place, and none is believed.

use std::fs::File;

use crate::common::{bytes_of, header, open, phold, tiny};
use fleetsim_engine::batch::Batch;
use fleetsim_trace_replay::{Header, Level, Trace};
use proptest::prelude::*;

/// A header without names, so that trying every byte is quick.
fn small_header() -> Header {
    Header { seed: 7, ..Header::default() }
}

fn header_end(bytes: &[u8]) -> usize {
    20 + u32::from_le_bytes(bytes[12..16].try_into().expect("a length")) as usize
}

/// Where the chunks begin.
fn chunk_offsets(bytes: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::new();
    let mut at = header_end(bytes);
    while bytes[at..].starts_with(b"FLTCHNK\n") {
        offsets.push(at);
        at += 164 + u32::from_le_bytes(bytes[at + 32..at + 36].try_into().expect("a length")) as usize;
    }
    offsets
}

#[test]
fn every_truncation_after_the_header_opens_as_partial() {
    let batches = tiny(2 * 4096 + 5);
    let bytes = bytes_of(&small_header(), &batches);
    let whole = open(&bytes).expect("a trace");
    let ends: Vec<usize> = {
        let mut ends = chunk_offsets(&bytes);
        ends.remove(0);
        ends.push(
            ends[1]
                + 164
                + u32::from_le_bytes(bytes[ends[1] + 32..][..4].try_into().expect("a length")) as usize,
        );
        ends
    };
    for length in 0..bytes.len() {
        let opened = open(&bytes[..length]);
        if length < header_end(&bytes) {
            let error = opened.expect_err("a part of a header");
            assert!(error.is_damaged() || error.is_not_a_trace(), "{length}: {error}");
            continue;
        }
        let part = opened.expect("a part of a trace");
        assert!(part.is_partial(), "{length} of {} bytes", bytes.len());
        assert!(part.damage().is_empty(), "{length}: {:?}", part.damage());
        let chunks = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(part.chunks(), chunks, "{length} bytes");
        // Every hash is recomputed where the number of chunks changes; in between nothing new is there.
        if ends.contains(&length) || length + 1 == bytes.len() {
            let verified = part.verify();
            assert!(verified.damage.is_empty(), "{:?}", verified.damage);
            assert_eq!(verified.digest, Some(whole.checkpoint(chunks - 1).expect("a head").run));
            assert_eq!(part.batches().collect::<Result<Vec<Batch>, _>>().as_deref(), Ok(&batches[..chunks]));
        }
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for level in [Level::Full, Level::Digest] {
        let bytes = bytes_of(&Header { level, ..small_header() }, &tiny(3));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let place = format!("bit {} of byte {} of {}", bit % 8, bit / 8, bytes.len());
            match open(&flipped) {
                Err(error) => assert!(bit / 8 < header_end(&bytes), "{place}: {error}"),
                Ok(trace) => {
                    assert!(bit / 8 >= header_end(&bytes), "{place}");
                    let damage = trace.verify().damage;
                    assert!(!damage.is_empty() && damage.iter().all(|error| error.is_damaged()), "{place}");
                    assert_eq!(trace.verify().digest, None, "{place}");
                }
            }
        }
    }
}

#[test]
fn damage_is_located_and_the_rest_is_read() {
    let batches = tiny(3 * 4096 + 5);
    let bytes = bytes_of(&small_header(), &batches);
    let offsets = chunk_offsets(&bytes);
    for (in_chunk, what) in [(3, "magic"), (40, "head"), (164 + 20, "body")] {
        // With an index, and without one.
        for length in [bytes.len(), bytes.len() - 1] {
            let mut damaged = bytes[..length].to_vec();
            damaged[offsets[1] + in_chunk] ^= 0x10;
            let trace = open(&damaged).expect("a trace");
            assert_eq!(trace.steps(), 3 * 4096 + 5, "{what}, {length} bytes");
            assert_eq!(trace.is_partial(), length < bytes.len());
            let verified = trace.verify();
            assert!(!verified.damage.is_empty());
            assert_eq!((verified.steps, verified.digest), (2 * 4096 + 5, None), "{what}, {length} bytes");
            let place = if what == "body" { offsets[1] + 164 } else { offsets[1] };
            for error in verified.damage {
                assert!(error.to_string().contains(&format!("damaged at byte {place} (")), "{what}: {error}");
            }
            let error = trace.batch(1).expect_err("it is damaged");
            assert!(error.to_string().contains("(chunk 1, steps 4096..8192)"), "{error}");
            assert_eq!(trace.batch(2).as_ref(), Ok(&batches[2]));
        }
    }
}

#[test]
fn a_damaged_index_is_rebuilt_with_a_warning() {
    let batches = tiny(2 * 4096);
    let bytes = bytes_of(&small_header(), &batches);
    for (from_end, place) in [(5, "trailer"), (25, "trailer"), (40, "index")] {
        let mut damaged = bytes.clone();
        let at = bytes.len() - from_end;
        damaged[at] ^= 1;
        let trace = open(&damaged).expect("a trace");
        assert!(!trace.is_partial(), "{place}");
        assert_eq!(trace.damage().len(), 1, "{place}");
        assert!(trace.damage()[0].to_string().contains(&format!("({place})")), "{:?}", trace.damage());
        assert!(trace.warnings().iter().any(|line| line.contains("rebuilt")), "{:?}", trace.warnings());
        assert_eq!(trace.batches().collect::<Result<Vec<Batch>, _>>(), Ok(batches.clone()));
    }
    let mut longer = bytes;
    longer.extend([0; 100]);
    let trace = open(&longer).expect("a trace");
    assert!(!trace.is_partial() && trace.damage().len() == 1 && trace.steps() == 2 * 4096);
}

#[test]
fn what_is_no_trace_is_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let zeros = folder.path().join("zeros");
    File::create(&zeros).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
    let empty = folder.path().join("empty");
    File::create(&empty).expect("a file");
    for (path, hint) in [(zeros.as_path(), "zeros"), (empty.as_path(), "empty"), (folder.path(), "directory")]
    {
        let error = Trace::open(path).expect_err("no trace");
        assert!(error.is_not_a_trace() && error.to_string().contains(hint), "{error}");
    }
    let error = Trace::open(folder.path().join("none")).expect_err("no file");
    assert!(error.is_io() && error.to_string().contains("none"), "{error}");
    assert!(open(b"#!/bin/sh\necho hello\n").expect_err("a script").is_not_a_trace());
}

#[test]
fn a_header_with_zeros_behind_it_is_refused_quickly() {
    let bytes = bytes_of(&small_header(), &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("torn");
    std::fs::write(&path, &bytes[..header_end(&bytes)]).expect("a file");
    File::options().append(true).open(&path).and_then(|file| file.set_len(1 << 26)).expect("a sparse file");
    let trace = Trace::open(&path).expect("a partial trace");
    assert!(trace.is_partial());
    assert_eq!((trace.steps(), trace.damage().len()), (0, 1));
}

#[test]
fn other_versions_and_features_are_refused_in_words() {
    for (change, words) in [
        (
            &(|header: &mut Header| header.requires.push("moon\x1b[2J".to_owned())) as &dyn Fn(&mut Header),
            "moon\\u{1b}",
        ),
        (&|_| (), "format version 9"),
    ] {
        let mut changed = small_header();
        change(&mut changed);
        let mut bytes = bytes_of(&changed, &[]);
        if changed.requires.is_empty() {
            bytes[8] = 9;
            seal_header(&mut bytes);
        }
        let error = open(&bytes).expect_err("another version");
        assert!(error.is_incompatible() && error.to_string().contains(words), "{error}");
    }
    let mut older = small_header();
    older.semantics += 1;
    let trace = open(&bytes_of(&older, &[])).expect("it can be read");
    assert!(trace.header().check_semantics().is_err_and(|error| error.is_incompatible()));
    assert_eq!(small_header().check_semantics(), Ok(()));
}

#[test]
fn unknown_optional_fields_of_the_header_are_ignored() {
    let bytes = bytes_of(&small_header(), &tiny(2));
    let end = header_end(&bytes);
    let json = core::str::from_utf8(&bytes[20..end]).expect("JSON");
    let longer = format!("{{\"moon\":[1,2],{}", &json[1..]);
    let mut changed = bytes[..12].to_vec();
    changed.extend((longer.len() as u32).to_le_bytes());
    changed.extend([0; 4]);
    changed.extend(longer.as_bytes());
    changed.extend(&bytes[end..]);
    seal_header(&mut changed);
    let trace = open(&changed).expect("a trace");
    assert_eq!((trace.header(), trace.steps()), (&small_header(), 2));
}

/// Corrects the checksum of a header that was changed.
fn seal_header(bytes: &mut [u8]) {
    let end = header_end(bytes);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..16]);
    hasher.update(&bytes[20..end]);
    bytes[16..20].copy_from_slice(&hasher.finalize().to_le_bytes());
}

/// Corrects the checksums of a chunk that was changed.
fn seal_chunk(bytes: &mut [u8], offset: usize) {
    let length = u32::from_le_bytes(bytes[offset + 32..offset + 36].try_into().expect("a length")) as usize;
    let body_end = (offset + 164 + length).min(bytes.len());
    let body = crc32fast::hash(&bytes[offset + 164..body_end]);
    bytes[offset + 36..offset + 40].copy_from_slice(&body.to_le_bytes());
    let head = crc32fast::hash(&bytes[offset..offset + 160]);
    bytes[offset + 160..offset + 164].copy_from_slice(&head.to_le_bytes());
}

#[test]
fn hostile_bodies_with_right_checksums_are_refused() {
    let bytes = bytes_of(&small_header(), &phold(10, 300, 6));
    let offset = chunk_offsets(&bytes)[0];
    let body = offset + 164;
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let changes: [(&str, Change<'_>); 6] = [
        ("a body that is no LZ4", &|bytes| bytes[body..body + 40].fill(0xFF)),
        ("a huge decoded length", &|bytes| bytes[offset + 28..offset + 32].fill(0xFF)),
        ("a large decoded length", &|bytes| {
            bytes[offset + 28..offset + 32].copy_from_slice(&(64_u32 << 20).to_le_bytes())
        }),
        ("a huge number of effects", &|bytes| bytes[offset + 16..offset + 20].fill(0xFF)),
        ("a huge number of fact bytes", &|bytes| bytes[offset + 20..offset + 24].fill(0xFF)),
        ("stored though it is not", &|bytes| bytes[offset + 8] = 0),
    ];
    for (what, change) in changes {
        let mut hostile = bytes.clone();
        change(&mut hostile);
        seal_chunk(&mut hostile, offset);
        let trace = open(&hostile).expect(what);
        let error = trace.batch(0).expect_err(what);
        assert!(error.is_damaged(), "{what}: {error}");
        assert_eq!(trace.verify().damage.len(), 1, "{what}");
    }
    // A body that decodes to more than is allowed, though it is a right one.
    let zeros = lz4_flex::block::compress(&vec![0; (64 << 20) + 1]);
    let mut hostile = bytes[..body].to_vec();
    hostile[offset + 28..offset + 32].copy_from_slice(&((64_u32 << 20) + 1).to_le_bytes());
    hostile[offset + 32..offset + 36].copy_from_slice(&(zeros.len() as u32).to_le_bytes());
    hostile.extend(zeros);
    seal_chunk(&mut hostile, offset);
    let error = open(&hostile).expect("a partial trace").batch(0).expect_err("a bomb");
    assert!(error.to_string().contains("more than is allowed"), "{error}");
    // A stored length that reaches past the end of the file.
    let mut hostile = bytes.clone();
    hostile[offset + 32..offset + 36].fill(0xFF);
    seal_chunk(&mut hostile, offset);
    assert!(open(&hostile).expect("a trace").batch(0).is_err_and(|error| error.is_damaged()));
}

#[test]
fn steps_that_do_not_have_their_hashes_are_found_by_verification() {
    let bytes = bytes_of(&small_header(), &tiny(3));
    let offset = chunk_offsets(&bytes)[0];
    for (hash, what) in [(64, "hashes"), (96, "hashes"), (128, "follow")] {
        let mut changed = bytes.clone();
        changed[offset + hash] ^= 1;
        seal_chunk(&mut changed, offset);
        let damage = open(&changed).expect("a trace").verify().damage;
        assert!(damage.iter().any(|error| error.to_string().contains(what)), "{damage:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn mutated_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        sealed: bool,
    ) {
        let mut bytes = mutation_base().to_vec();
        let offset = chunk_offsets(&bytes)[0];
        let start = header_end(&bytes);
        for (at, value) in changes {
            // The head and the first columns are hit more often than the rest.
            let at = if sealed { offset + 8 + at.index(300) } else { start + at.index(bytes.len() - start) };
            bytes[at] = value;
        }
        if sealed {
            seal_chunk(&mut bytes, offset);
        } else {
            bytes.truncate(start + cut.index(bytes.len() - start));
        }
        let trace = open(&bytes).expect("the header is sound");
        let _ = trace.verify();
        for batch in trace.batches().flatten() {
            prop_assert!(batch.len() <= 4096);
        }
        let _ = trace.resolve(&"x@1s".parse().expect("an address"));
    }

    #[test]
    fn arbitrary_bytes_are_no_trace(bytes: Vec<u8>) {
        prop_assert!(open(&bytes).is_err());
    }
}

fn mutation_base() -> &'static [u8] {
    static BASE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BASE.get_or_init(|| bytes_of(&small_header(), &phold(10, 4500, 8)))
}

#[test]
fn moments_are_found_across_chunk_boundaries() {
    let batches = tiny(2 * 4096 + 5);
    let trace = open(&bytes_of(&header(Level::Full), &batches)).expect("a trace");
    for (event, chunk) in
        [(0, Some(0)), (4095, Some(0)), (4096, Some(1)), (8191, Some(1)), (8196, Some(2)), (8197, None)]
    {
        assert_eq!(trace.chunk_of_event(event), chunk, "event {event}");
        // Step n happens at 1000 (n + 1) nanoseconds.
        let address = format!("x@{}ns", 1000 * event + 999);
        let found = trace.resolve(&address.parse().expect("an address"));
        match chunk {
            Some(_) => assert_eq!(found, Ok(event)),
            None => assert!(found.is_err_and(|error| error.is_address())),
        }
        let by_event = trace.resolve(&format!("x#e{event}").parse().expect("an address"));
        assert_eq!(by_event.ok(), chunk.map(|_| event));
    }
}
