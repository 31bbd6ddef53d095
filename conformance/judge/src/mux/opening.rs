//! How channels are opened: requests and responses, whole or as differences.

use cloverleaf_reports::Role;

use super::ledger::nobody;
use super::{Block, CONTROL, Channel, Encoding, Happened, Ledger, State};
use crate::deflate::{self, Element, Offer, Requirement, choose, judge_answer};
use crate::http::Head;
use crate::session::Compression;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// The response that accepts, up to its last line.
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";

impl Ledger {
    pub(super) fn answered(
        &mut self,
        id: u32,
        rejected: bool,
        head: &[u8],
    ) -> Result<Option<Happened>, String> {
        let at = self
            .find(id)
            .ok_or_else(|| nobody("AddChannelResponse", id))?;
        let (head, status) = match whole(head) {
            Some(head) => (head.clone(), head.status()),
            None => return Err(format!("The response for channel {id} cannot be read.")),
        };
        let channel = &mut self.channels[at];
        channel.responses += 1;
        if channel.state != State::Asked {
            // It crossed our DropChannel; or it is a second refusal, which pywebsocket sends.
            return Ok(None);
        }
        if rejected == (status == Some(101)) {
            return Err(format!(
                "The response for channel {id} has {:?}, and {}.",
                head.start_line,
                if rejected { "refuses" } else { "accepts" }
            ));
        }
        channel.state = match rejected {
            true => State::Refused,
            false => State::Open,
        };
        let lines: Vec<_> = head.values(EXTENSIONS).collect();
        let without_context = Offer {
            server_no_context_takeover: true,
            ..Offer::default()
        };
        let offers = [Offer::default(), without_context];
        let answer = judge_answer(&offers, &lines).map_err(|error| error.to_string())?;
        if let Some((at, answer)) = answer {
            let agreed = deflate::Agreed::new(&offers[at], &answer);
            channel.compression = Some(Compression::new(&agreed, Role::Server));
        }
        channel.response = Some(head);
        Ok(Some(Happened::Answered(at, !rejected, status)))
    }

    pub(super) fn requested(
        &mut self,
        id: u32,
        encoding: Encoding,
        head: &[u8],
    ) -> Result<Happened, String> {
        if id == CONTROL || self.living(id).is_some() {
            return Err(format!("Channel {id} is asked for, which is there."));
        }
        let quota = self
            .slots
            .pop_front()
            .ok_or_else(|| format!("Channel {id} is asked for without a slot."))?;
        let mut head =
            whole(head).ok_or_else(|| format!("The request for channel {id} cannot be read."))?;
        if encoding == Encoding::Delta {
            let said = |name: &str| head.values(name).next().is_some();
            let base = self.base.iter().filter(|(name, _)| !said(name)).cloned();
            let base: Vec<_> = base.collect();
            head.fields.retain(|(_, value)| !value.is_empty());
            head.fields.extend(base);
        }
        let mut channel = Channel::new(id, State::Asked, quota, 0);
        channel.request = Some(head);
        self.channels.push(channel);
        let at = self.channels.len() - 1;
        if self.answers {
            let answer = self.answer(at);
            self.sent(&answer);
            self.outbox.push(answer);
            if encoding == Encoding::Identity
                && let Some(head) = self.channels[at].request.clone()
            {
                self.set_base(head);
            }
        }
        Ok(Happened::Requested(at))
    }

    /// The message that accepts this channel.
    pub fn answer(&mut self, at: usize) -> Vec<u8> {
        let channel = &mut self.channels[at];
        let mut head = ACCEPTED.to_owned();
        if let (true, Some(request)) = (self.deflates, &channel.request) {
            let lines = request.values(EXTENSIONS);
            let elements = lines.flat_map(|line| Element::list(line).unwrap_or_default());
            let offers: Vec<_> = elements.filter_map(|one| Offer::read(&one).ok()).collect();
            if let Some((chosen, answer)) = choose(&offers, &[Requirement::default()]) {
                let agreed = deflate::Agreed::new(&offers[chosen], &answer);
                channel.compression = Some(Compression::new(&agreed, Role::Client));
                head += &format!("{EXTENSIONS}: {answer}\r\n");
            }
        }
        head += "\r\n";
        Block::message(&[Block::response(channel.id, false, head)])
    }
}

/// A head with or without its last empty line.
fn whole(octets: &[u8]) -> Option<Head> {
    let mut octets = octets.to_vec();
    if !octets.ends_with(b"\r\n\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    let (head, size) = Head::parse(&octets)?;
    let is_line = head.start_line.split(' ').count() >= 2;
    // Behind a refusal there may be a body.
    let refusal = head.status().is_some_and(|status| status != 101);
    (is_line && (refusal || size == octets.len())).then_some(head)
}
