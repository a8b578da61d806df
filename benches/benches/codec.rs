//! The payload codec alone: a small message and one of a kibibyte, to bytes and back.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fleetsim_engine::codec;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Note {
    Token(u64),
    Page { number: u32, text: String, marks: Vec<u16> },
}

fn codec(criterion: &mut Criterion) {
    let page = Note::Page { number: 7, text: "sixteen letters ".repeat(55), marks: vec![3; 62] };
    let mut group = criterion.benchmark_group("codec");
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    for (name, bytes, note) in [("8 bytes", 8, Note::Token(0x0123_4567_89AB_CDEF)), ("1 KiB", 1_024, page)] {
        let mut encoded = Vec::new();
        let kind = codec::encode_kind(&note, &mut encoded);
        assert_eq!(encoded.len(), bytes);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("encode/{name}"), |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                codec::encode_kind(black_box(&note), &mut out)
            });
        });
        group.bench_function(format!("decode/{name}"), |bencher| {
            bencher.iter(|| codec::decode_kind::<Note>(kind, black_box(&encoded)));
        });
    }
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
