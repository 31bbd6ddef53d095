//! The decoder of x-heartbeat, and what an application makes of the notices it gives.
#![no_main]

use std::time::Duration;

use cloverleaf_heartbeat::Heartbeat;
use cloverleaf_proto::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let heartbeat = Heartbeat::new(|| Duration::from_secs(1));
    cloverleaf_testkit::garbage(&heartbeat, data);
    let mut beats = heartbeat.beats();
    let _ = beats.beat();
    let notice = Event::Notice {
        extension: Heartbeat::NAME.into(),
        payload: data.to_vec().into(),
    };
    if let Some(latency) = beats.measure(&notice) {
        assert!(latency.round_trip() < Duration::from_secs(1 << 40));
    }
});
