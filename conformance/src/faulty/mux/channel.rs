//! One channel.

use std::collections::VecDeque;

use cloverleaf_judge::frame::Frame;

use crate::faulty::codec::Codec;

/// A data message that has begun.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) opcode: u8,
    pub(super) bits: u8,
    pub(super) octets: Vec<u8>,
}

/// A frame that waits for quota.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) frame: Frame,
    /// So much of its payload is sent.
    pub(super) sent: usize,
    /// Its first piece is sent.
    pub(super) begun: bool,
}

#[derive(Default)]
pub(super) struct Channel {
    /// A client's may still be asked for.
    pub(super) open: bool,
    /// What we may send.
    pub(super) ours: u64,
    /// What the peer may send.
    pub(super) theirs: u64,
    pub(super) data: Option<Data>,
    pub(super) control: Option<Data>,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) codec: Option<Codec>,
    pub(super) close_sent: bool,
    pub(super) close_came: bool,
    /// It broke a rule, and was closed for that.
    pub(super) failed: bool,
}

impl Channel {
    pub(super) fn new(open: bool, ours: u64, theirs: u64) -> Self {
        Self {
            open,
            ours,
            theirs,
            ..Self::default()
        }
    }

    pub(super) fn send(&mut self, frame: Frame) {
        self.queue.push_back(Waiting {
            frame,
            sent: 0,
            begun: false,
        });
    }
}
