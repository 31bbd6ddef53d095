//! Who may send how much: per channel and direction, in octets (section 9 of the format).

use cloverleaf_proto::frame::{Head, OpCode};

use crate::number;

/// What a frame costs: its payload, and one octet more if it begins a message, of whatever kind.
pub(crate) fn cost(head: Head, payload: usize) -> u64 {
    payload as u64 + surcharge(head)
}

fn surcharge(head: Head) -> u64 {
    u64::from(head.opcode != OpCode::CONTINUATION)
}

/// What we may still send on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendQuota(u64);

/// More quota than can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

impl SendQuota {
    pub(crate) const fn new(quota: u64) -> Self {
        Self(quota)
    }

    /// How much payload a frame with this head may carry; `None` if not even its beginning may go.
    pub(crate) fn room(self, head: Head) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        // The quota is not zero, and a beginning costs one.
        Some(usize::try_from(self.0 - surcharge(head)).unwrap_or(usize::MAX))
    }

    pub(crate) fn spend(&mut self, cost: u64) {
        debug_assert!(cost <= self.0, "the engine asked for room first");
        self.0 = self.0.saturating_sub(cost);
    }

    /// The peer grants more.
    pub(crate) fn add(&mut self, more: u64) -> Result<(), Overflow> {
        let sum = self
            .0
            .checked_add(more)
            .filter(|sum| *sum <= number::LARGEST);
        self.0 = sum.ok_or(Overflow)?;
        Ok(())
    }
}

/// What the peer may still send on a channel, and what of it waits for the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiveQuota {
    left: u64,
    waiting: u64,
}

/// The peer sent more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded;

impl ReceiveQuota {
    pub(crate) const fn new(quota: u64) -> Self {
        Self {
            left: quota,
            waiting: 0,
        }
    }

    /// What the channel may come to hold in memory: both parts.
    pub(crate) const fn held(self) -> u64 {
        self.left + self.waiting
    }

    pub(crate) fn receive(&mut self, cost: u64) -> Result<(), Exceeded> {
        self.left = self.left.checked_sub(cost).ok_or(Exceeded)?;
        self.waiting += cost;
        Ok(())
    }

    /// The application took this much. Not more than waits, whatever it says.
    pub(crate) fn consumed(&mut self, cost: u64) {
        self.waiting = self.waiting.saturating_sub(cost);
    }

    pub(crate) fn grant(&mut self, more: u64) {
        self.left += more;
    }
}

/// The least that a channel may hold: a control frame in pieces, and something that completes it.
const LEAST: u64 = 128;
/// The most that a control frame in pieces may cost before it is complete.
const MAX_CONTROL: u64 = 126;

/// How the memory of a connection is shared out among its channels.
///
/// Every channel may always be granted its initial quota; what is beyond is shared equally among
/// those that live, up to the window. The sum of what all hold is never more than the memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// The initial quota of each channel.
    pub(crate) initial: u64,
    /// The most that one channel may hold.
    pub(crate) window: u64,
    /// What there is beyond the initial quotas.
    pub(crate) spare: u64,
    /// A grant goes out when this part of what it should hold is missing.
    pub(crate) percent: u8,
    used: u64,
}

impl Windows {
    /// For one channel and `more` others.
    pub(crate) fn new(memory: u64, window: u64, more: u32, percent: u8) -> Self {
        let channels = u64::from(more) + 1;
        let initial = (memory / 2 / channels).clamp(LEAST, window.max(LEAST));
        Self {
            initial,
            window: window.max(LEAST),
            spare: memory.saturating_sub(initial * channels),
            percent,
            used: 0,
        }
    }

    fn beyond(&self, quota: ReceiveQuota) -> u64 {
        quota.held().saturating_sub(self.initial)
    }

    /// The application took this much of a channel, one of `living`: what to grant it now, if
    /// anything. It is granted.
    pub(crate) fn consumed(
        &mut self,
        quota: &mut ReceiveQuota,
        cost: u64,
        living: usize,
    ) -> Option<u64> {
        self.used -= self.beyond(*quota);
        quota.consumed(cost);
        let share = self.spare / (living as u64).max(1);
        let beyond = share.min(self.spare - self.used);
        let wanted = self.window.min(self.initial + beyond);
        let missing = wanted.saturating_sub(quota.held());
        let enough = u128::from(missing) * 100 >= u128::from(wanted) * u128::from(self.percent);
        // Pieces of a control frame are not consumed before the last has come: it must get through.
        let due = missing > 0 && (enough || missing + MAX_CONTROL >= wanted);
        if due {
            quota.grant(missing);
        }
        self.used += self.beyond(*quota);
        due.then_some(missing)
    }

    /// A channel is gone.
    pub(crate) fn release(&mut self, quota: ReceiveQuota) {
        self.used -= self.beyond(quota);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Head = Head::new(OpCode::TEXT);
    const REST: Head = Head::new(OpCode::CONTINUATION);

    #[test]
    fn the_first_frame_of_a_message_costs_one_octet_more_whatever_it_is() {
        for opcode in [OpCode::TEXT, OpCode::BINARY, OpCode::CLOSE, OpCode::PING] {
            assert_eq!(cost(Head::new(opcode), 5), 6);
            assert_eq!(cost(Head::new(opcode), 0), 1);
        }
        assert_eq!(cost(REST, 5), 5);
        assert_eq!(cost(REST, 0), 0);
    }

    #[test]
    fn a_quota_of_three_is_room_for_two_octets_of_a_new_message() {
        let mut quota = SendQuota::new(3);
        assert_eq!(quota.room(TEXT), Some(2));
        assert_eq!(quota.room(REST), Some(3));
        quota.spend(3);
        assert_eq!(quota.room(TEXT), None);
        assert_eq!(quota.room(REST), None);
        assert_eq!(quota.add(1), Ok(()));
        assert_eq!(quota.room(TEXT), Some(0));
    }

    #[test]
    fn a_quota_goes_to_the_largest_number_and_not_one_further() {
        let mut quota = SendQuota::new(1);
        assert_eq!(quota.add(number::LARGEST - 1), Ok(()));
        assert_eq!(quota.add(0), Ok(()));
        assert_eq!(quota.add(1), Err(Overflow));
        assert_eq!(quota.add(u64::MAX), Err(Overflow));
        assert_eq!(quota, SendQuota::new(number::LARGEST));
    }

    #[test]
    fn exactly_the_quota_passes_and_one_more_does_not() {
        let mut quota = ReceiveQuota::new(6);
        assert_eq!(quota.receive(7), Err(Exceeded));
        assert_eq!(quota.receive(6), Ok(()));
        assert_eq!(quota.receive(1), Err(Exceeded));
        assert_eq!(quota.held(), 6);
        quota.consumed(u64::MAX);
        assert_eq!(quota.held(), 0);
    }

    #[test]
    fn a_grant_goes_out_when_half_is_missing() {
        let mut windows = Windows::new(2000, 1000, 0, 50);
        assert_eq!((windows.initial, windows.spare), (1000, 1000));
        let mut quota = ReceiveQuota::new(1000);
        quota.receive(600).expect("within the quota");
        assert_eq!(windows.consumed(&mut quota, 499, 1), None);
        assert_eq!(windows.consumed(&mut quota, 1, 1), Some(500));
        assert_eq!(quota.held(), 1000);
    }

    #[test]
    fn the_pieces_of_a_control_frame_never_keep_its_last_one_out() {
        for window in [1, 128, 129, 200, 1000] {
            for pieces in 1..=126 {
                let mut windows = Windows::new(0, window, 0, 100);
                let mut quota = ReceiveQuota::new(windows.initial);
                let others = quota.left - pieces;
                quota.receive(quota.left).expect("within the quota");
                windows.consumed(&mut quota, others, 1);
                assert!(quota.left > 0, "{window} {pieces}");
            }
        }
    }

    #[test]
    fn a_lone_channel_grows_to_its_window_and_many_share_what_there_is() {
        let mut windows = Windows::new(1 << 20, 1 << 16, 64, 50);
        assert_eq!(windows.initial, 8065);
        let mut lone = ReceiveQuota::new(windows.initial);
        lone.receive(1).expect("within the quota");
        assert_eq!(windows.consumed(&mut lone, 1, 1), Some((1 << 16) - 8064));
        let share = windows.spare / 65;
        let mut one_of_many = ReceiveQuota::new(windows.initial);
        one_of_many.receive(8065).expect("within the quota");
        assert_eq!(
            windows.consumed(&mut one_of_many, 8065, 65),
            Some(8065 + share)
        );
        // The first one shrinks to its share when there are many.
        lone.receive(lone.held()).expect("within the quota");
        assert_eq!(windows.consumed(&mut lone, 1 << 16, 65), Some(8065 + share));
        windows.release(lone);
        windows.release(one_of_many);
        assert_eq!(windows.used, 0);
    }

    #[test]
    fn a_channel_that_reads_gets_its_initial_quota_when_others_hold_all_the_rest() {
        let mut windows = Windows::new(4000, 4000, 1, 50);
        assert_eq!((windows.initial, windows.spare), (1000, 2000));
        let mut greedy = ReceiveQuota::new(1000);
        greedy.receive(1000).expect("within the quota");
        assert_eq!(windows.consumed(&mut greedy, 1000, 1), Some(3000));
        let mut late = ReceiveQuota::new(1000);
        for _ in 0..5 {
            late.receive(1000).expect("within the quota");
            assert_eq!(windows.consumed(&mut late, 1000, 2), Some(1000));
        }
        assert_eq!(greedy.held() + late.held(), 4000);
    }
}
