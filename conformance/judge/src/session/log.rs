//! What went over the wire, for the report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use cloverleaf_reports::model::{Detail, Direction, TimerEvent, Traffic, WireRow};

use crate::frame::{CLOSE, Frame, Head, Masking};

/// Payloads are shown up to so many octets.
const SHOWN: usize = 64;

/// A log has at most so many rows: floods fill neither the memory nor the reports.
const MAX_ROWS: usize = 500;

/// Masking keys, and heads behind a close frame, are kept up to so many.
const MAX_KEPT: usize = 1_024;

/// Rows and sums of one connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Log {
    on: bool,
    rows: Vec<WireRow>,
    received_octets: BTreeMap<u64, u64>,
    sent_octets: BTreeMap<u64, u64>,
    received_frames: BTreeMap<u64, u64>,
    sent_frames: BTreeMap<u64, u64>,
    traffic: Traffic,
    masking_keys: Vec<[u8; 4]>,
    close_frame: Option<(Head, Vec<u8>)>,
    behind_close: Vec<Head>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            on: true,
            rows: Vec::new(),
            received_octets: BTreeMap::new(),
            sent_octets: BTreeMap::new(),
            received_frames: BTreeMap::new(),
            sent_frames: BTreeMap::new(),
            traffic: Traffic::default(),
            masking_keys: Vec::new(),
            close_frame: None,
            behind_close: Vec::new(),
        }
    }
}

impl Log {
    /// Switches rows off or on; sums go on.
    pub fn set(&mut self, on: bool) {
        if self.on != on {
            self.rows.push(WireRow::Logging { on });
            self.on = on;
        }
    }

    /// Frames sent with this opcode.
    pub fn frames_sent(&self, opcode: u8) -> u64 {
        self.sent_frames
            .get(&u64::from(opcode))
            .copied()
            .unwrap_or(0)
    }

    /// Frames received with this opcode.
    pub fn frames_received(&self, opcode: u8) -> u64 {
        self.received_frames
            .get(&u64::from(opcode))
            .copied()
            .unwrap_or(0)
    }

    /// Frames received with any opcode.
    pub fn frames_received_in_all(&self) -> u64 {
        self.received_frames.values().sum()
    }

    /// The keys of the subject's first 1,024 masked frames, in their order.
    pub fn masking_keys(&self) -> &[[u8; 4]] {
        &self.masking_keys
    }

    /// The subject's first close frame: its head and its payload, cut at 1,024 octets.
    pub fn close_frame(&self) -> Option<(&Head, &[u8])> {
        let (head, payload) = self.close_frame.as_ref()?;
        Some((head, payload))
    }

    /// The heads of what the subject sent behind its first close frame, 1,024 of them at most.
    pub fn behind_close(&self) -> &[Head] {
        &self.behind_close
    }

    /// Octets read and written before the connection was open.
    pub fn handshake(&mut self, direction: Direction, octets: &[u8]) {
        match direction {
            Direction::Sent => self.sent_octets(octets, false, false),
            Direction::Received => self.received_octets(octets, false),
        }
    }

    pub(super) fn received_octets(&mut self, octets: &[u8], open: bool) {
        *self.received_octets.entry(octets.len() as u64).or_default() += 1;
        if open {
            self.traffic.received_wire += octets.len() as u64;
        }
        self.octets(Direction::Received, octets, false);
    }

    pub(super) fn sent_octets(&mut self, octets: &[u8], alone: bool, open: bool) {
        *self.sent_octets.entry(octets.len() as u64).or_default() += 1;
        if open {
            self.traffic.sent_wire += octets.len() as u64;
        }
        self.octets(Direction::Sent, octets, alone);
    }

    fn octets(&mut self, direction: Direction, octets: &[u8], sync: bool) {
        if self.has_room() {
            let hex = hex(octets);
            self.rows.push(WireRow::Octets {
                direction,
                length: octets.len() as u64,
                hex,
                sync,
            });
        }
    }

    pub(super) fn sent_frame(&mut self, frame: &Frame) {
        *self.sent_frames.entry(frame.opcode.into()).or_default() += 1;
        if frame.opcode < 3 {
            self.traffic.sent_frames += 1;
        }
        if self.has_room() {
            let mask = match frame.masking {
                Masking::With(key) => Some(hex(&key)),
                Masking::ByRole | Masking::Never => None,
            };
            self.rows.push(WireRow::Frame {
                direction: Direction::Sent,
                opcode: frame.opcode,
                fin: frame.fin,
                rsv: frame.rsv,
                mask,
                length: frame.payload.len() as u64,
                payload: shown(&frame.payload),
                repeat: None,
                chop: frame.chop.map(|chop| chop as u64),
                sync: frame.alone,
            });
        }
    }

    pub(super) fn received_frame(&mut self, head: &Head, payload: &[u8]) {
        *self.received_frames.entry(head.opcode.into()).or_default() += 1;
        if !head.is_control() {
            self.traffic.received_frames += 1;
        }
        if self.masking_keys.len() < MAX_KEPT {
            self.masking_keys.extend(head.key);
        }
        if self.close_frame.is_some() {
            if self.behind_close.len() < MAX_KEPT {
                self.behind_close.push(*head);
            }
        } else if head.opcode == CLOSE {
            let kept = &payload[..payload.len().min(MAX_KEPT)];
            self.close_frame = Some((*head, kept.to_vec()));
        }
        if self.has_room() {
            self.rows.push(WireRow::Frame {
                direction: Direction::Received,
                opcode: head.opcode,
                fin: head.fin,
                rsv: head.rsv,
                mask: head.key.map(|key| hex(&key)),
                length: head.length,
                payload: shown(payload),
                repeat: None,
                chop: None,
                sync: false,
            });
        }
    }

    pub(super) fn sent_message(&mut self, websocket: usize, app: usize) {
        self.traffic.sent_messages += 1;
        self.traffic.sent_websocket += websocket as u64;
        self.traffic.sent_app += app as u64;
    }

    pub(super) fn received_message(&mut self, websocket: usize, app: usize) {
        self.traffic.received_messages += 1;
        self.traffic.received_websocket += websocket as u64;
        self.traffic.received_app += app as u64;
    }

    pub(super) fn timer(
        &mut self,
        event: TimerEvent,
        after: Option<Duration>,
        tag: Option<&'static str>,
    ) {
        self.rows.push(WireRow::Timer {
            event,
            seconds: after.map(|time| time.as_secs_f64()),
            tag: tag.map(str::to_owned),
        });
    }

    fn has_room(&self) -> bool {
        self.on && self.rows.len() < MAX_ROWS
    }

    /// The sums so far.
    pub fn traffic(&self) -> Traffic {
        let ratio = |websocket: u64, app: u64| (app > 0).then(|| websocket as f64 / app as f64);
        let mut traffic = self.traffic.clone();
        traffic.received_ratio = ratio(traffic.received_websocket, traffic.received_app);
        traffic.sent_ratio = ratio(traffic.sent_websocket, traffic.sent_app);
        traffic
    }

    /// Puts rows and counts where reports look for them.
    pub fn into_detail(self, detail: &mut Detail) {
        detail.wire_log = self.rows;
        detail.received_octets = self.received_octets;
        detail.sent_octets = self.sent_octets;
        detail.received_frames = self.received_frames;
        detail.sent_frames = self.sent_frames;
    }
}

/// Octets as text, or as `0x` and hexadecimal if they are not UTF-8; long ones cut.
pub(crate) fn shown(octets: &[u8]) -> String {
    let long = octets.len() > SHOWN - 4;
    match std::str::from_utf8(octets) {
        Ok(text) if long => {
            let end = (0..=SHOWN.min(text.len()))
                .rev()
                .find(|&at| text.is_char_boundary(at));
            format!("{} ...", &text[..end.unwrap_or(0)])
        }
        Ok(text) => text.to_owned(),
        Err(_) => format!("0x{}", hex(octets)),
    }
}

fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(2 * SHOWN + 4);
    for octet in octets.iter().take(SHOWN) {
        write!(text, "{octet:02x}").expect("writing to a String does not fail");
    }
    if octets.len() > SHOWN - 4 {
        text.push_str(" ...");
    }
    text
}
