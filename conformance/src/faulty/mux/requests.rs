//! How channels are opened.

use cloverleaf_judge::http::{self, Head};
use cloverleaf_judge::mux::{Block, CONTROL, Encoding, FIRST};
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};

use super::channel::Channel;
use super::{Trunk, WINDOW};
use crate::faulty::Faulty;
use crate::faulty::agreement;
use crate::faulty::endpoint::End;
use crate::faulty::fault::Kind;

/// The longest head in octets.
const MAX_HEAD: usize = 16 << 10;

/// After so many requests some do nothing any more.
const MANY: u32 = 100;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\r\n\r\n";

/// The fields of a physical request that others may be differences to.
pub(super) fn base(request: &Head, faulty: Faulty) -> Vec<(String, String)> {
    let left_out = ["upgrade", "sec-websocket-key", "sec-websocket-version"];
    let mut base = Vec::new();
    for (name, value) in &request.fields {
        let name = name.to_ascii_lowercase();
        if left_out.contains(&&*name) {
            continue;
        }
        let mut value = value.clone();
        if name.eq_ignore_ascii_case(EXTENSIONS) {
            // Those in front of mux are for channel 1, and so for others.
            let elements = value.split(',').map(str::trim);
            let before = elements.take_while(|one| !one.starts_with("mux"));
            let before: Vec<_> = before.collect();
            if before.is_empty() || faulty.has(Kind::MuxBaseHasNoExtensions) {
                continue;
            }
            value = before.join(", ");
        }
        base.push((name, value));
    }
    base
}

/// A head with or without its last empty line.
fn read(head: &[u8]) -> Option<Head> {
    let mut octets = head.to_vec();
    if !octets.ends_with(b"\r\n\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    let (head, size) = Head::parse(&octets)?;
    (size == octets.len()).then_some(head)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Trunk<S> {
    /// Server: the client asks for a channel.
    pub(super) fn requested(
        &mut self,
        id: u32,
        encoding: Encoding,
        octets: &[u8],
    ) -> Result<(), End> {
        self.requests += 1;
        if self.requests > MANY && self.has(Kind::MuxHangsAfterManyRequests) {
            return Err(End::Hang);
        }
        if id == CONTROL {
            return self.wrong(Kind::MuxTakesChannel0, 2006);
        }
        if self.channels.contains_key(&id) {
            return self.wrong(Kind::MuxTakesLivingIds, 2006);
        }
        if self.used.contains(&id) && self.has(Kind::MuxKeepsIds) {
            return Err(End::Fail(2006));
        }
        let largest = self.used.iter().max().copied().unwrap_or(0);
        if id < largest && self.has(Kind::MuxExpectsRisingIds) {
            return Err(End::Fail(2000));
        }
        if self.slots.pop_front().is_none() && !self.has(Kind::MuxIgnoresSlots) {
            return Err(End::Fail(2007));
        }
        if octets.len() > MAX_HEAD && !self.has(Kind::MuxHeadsWithoutLimit) {
            return Err(End::Fail(2009));
        }
        if !octets.ends_with(b"\r\n\r\n") && self.has(Kind::MuxBreaksOnHeadsWithoutEnd) {
            return Err(End::Fail(2009));
        }
        let head = read(octets).map(|head| self.expand(head, encoding));
        let refuses = self.refused && self.has(Kind::MuxRefusesForEver)
            || match encoding {
                Encoding::Identity => self.has(Kind::MuxRefusesWholeRequests),
                Encoding::Delta => self.has(Kind::MuxRefusesDifferences),
            };
        let right = head.as_ref().is_some_and(is_request) && !refuses;
        if !right && !self.has(Kind::MuxTakesAnyHead) {
            if self.has(Kind::MuxRefusalsFailAll) {
                return Err(End::Fail(2000));
            }
            self.refused = true;
            self.transmit(&Block::message(&[Block::response(id, true, BAD_REQUEST)]));
            self.give_slot_again();
            return Ok(());
        }
        let head =
            head.unwrap_or_else(|| Head::parse(b"GET / HTTP/1.1\r\n\r\n").expect("a head").0);
        if head.target() != Some(&self.target) && self.has(Kind::MuxFailsForOtherResources) {
            return Err(End::Fail(2000));
        }
        self.accept(id, &head);
        match (encoding, self.faulty.0) {
            (_, Some(Kind::MuxBaseStays)) => {}
            (Encoding::Delta, Some(Kind::MuxBaseFollowsDifferences)) | (Encoding::Identity, _) => {
                self.base = base(&head, self.faulty);
            }
            _ => {}
        }
        Ok(())
    }

    fn accept(&mut self, id: u32, head: &Head) {
        let mut channel = Channel::new(true, 0, WINDOW);
        let lines: Vec<_> = head.values(EXTENSIONS).collect();
        let mut fields = vec![("Connection", "Upgrade".to_owned())];
        if self.has(Kind::MuxAnswersWithUpgrade) {
            fields.push(("Upgrade", "websocket".to_owned()));
        }
        if let Ok((values, codec)) = agreement::choose(&lines, self.faulty) {
            if !values.is_empty() {
                fields.push((EXTENSIONS, values.join(", ")));
            }
            channel.codec = codec;
        }
        if let Some(data) = self.early.remove(&id) {
            channel.data = Some(data);
        }
        let head = http::write("HTTP/1.1 101 Switching Protocols", &fields);
        self.transmit(&Block::message(&[Block::response(id, false, head)]));
        self.channels.insert(id, channel);
        self.used.push(id);
    }

    /// The whole head that a difference stands for.
    fn expand(&self, mut head: Head, encoding: Encoding) -> Head {
        if encoding == Encoding::Identity {
            return head;
        }
        let base = match self.has(Kind::MuxBaseStays) {
            true => &self.first_base,
            false => &self.base,
        };
        let said = |name: &str| {
            let mut names = head.fields.iter();
            names.any(|(other, value)| {
                other.eq_ignore_ascii_case(name)
                    && !(value.is_empty() && self.has(Kind::MuxNeverTakesFieldsAway))
            })
        };
        let kept = base.iter();
        let kept: Vec<_> = kept.filter(|(name, _)| !said(name)).cloned().collect();
        if self.has(Kind::MuxNeverReplacesFields) {
            let in_base = |name: &str| {
                base.iter()
                    .any(|(other, _)| other.eq_ignore_ascii_case(name))
            };
            head.fields
                .retain(|(name, value)| value.is_empty() || !in_base(name));
            let said = |name: &str| head.values(name).next().is_some();
            let kept: Vec<_> = base
                .iter()
                .filter(|(name, _)| !said(name))
                .cloned()
                .collect();
            head.fields.extend(kept);
        } else {
            head.fields.extend(kept);
        }
        head.fields.retain(|(_, value)| !value.is_empty());
        head
    }

    /// A channel is gone; its slot is free.
    pub(super) fn forget(&mut self, id: u32) {
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        if let (true, Some(data)) = (self.has(Kind::MuxKeepsFragments), channel.data) {
            self.early.insert(id, data);
        }
        if id != FIRST {
            self.give_slot_again();
        }
    }

    fn give_slot_again(&mut self) {
        if self.role == Role::Server && !self.has(Kind::MuxGivesSlotsOnce) {
            self.give_slots(1);
        }
    }

    /// Client: the server gives slots, or says that there will be no more.
    pub(super) fn given(&mut self, fallback: bool, slots: u64, quota: u64) -> Result<(), End> {
        if fallback && self.has(Kind::MuxFallbackEndsAll) {
            self.put(&cloverleaf_judge::frame::Frame::close(1000, ""));
            return Err(End::Closed);
        }
        // No more can be used.
        if slots > 1 << 20 {
            if self.asked >= 1 << 20 && !self.has(Kind::MuxCountsSlotsWithoutEnd) {
                return Err(End::Fail(2008));
            }
            self.asked += 1 << 20;
        }
        self.slots
            .extend((0..slots.min(super::SLOTS)).map(|_| quota));
        Ok(())
    }

    /// Client: asks for a channel with each slot there is.
    pub(super) fn ask(&mut self) {
        while self.role == Role::Client && self.channels.len() <= super::SLOTS as usize {
            let again = self.requests > 0;
            if self.has(Kind::MuxNeverAsks) || again && self.has(Kind::MuxAsksOnce) {
                return;
            }
            let slot = match self.has(Kind::MuxUsesTheNewestSlot) {
                true => self.slots.pop_back(),
                false => self.slots.pop_front(),
            };
            let Some(quota) = slot else {
                return;
            };
            self.requests += 1;
            let id = self.used.iter().max().map_or(2, |id| id + 1);
            let mut fields = vec![
                ("Host", self.host.clone()),
                ("Connection", "Upgrade".to_owned()),
                (EXTENSIONS, agreement::offers_of_channels(self.faulty)),
            ];
            if self.has(Kind::MuxAsksWithAKey) {
                fields.push(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==".to_owned()));
            }
            let head = http::write(&format!("GET {} HTTP/1.1", self.target), &fields);
            let mut blocks = vec![Block::request(id, head)];
            let mut theirs = 0;
            if !self.has(Kind::MuxGrantsNothingOnNewChannels) {
                theirs = WINDOW;
                blocks.push(Block::flow(id, WINDOW));
            }
            self.transmit(&Block::message(&blocks));
            self.channels.insert(id, Channel::new(false, quota, theirs));
            self.used.push(id);
        }
    }

    /// Client: the server answers.
    pub(super) fn answered(
        &mut self,
        id: u32,
        rejected: bool,
        difference: bool,
        octets: &[u8],
    ) -> Result<(), End> {
        if !self.used.contains(&id) {
            return self.wrong(Kind::MuxIgnoresAnswersToNobody, 2011);
        }
        let faulty = self.faulty;
        let Some(channel) = self.channels.get_mut(&id).filter(|channel| !channel.open) else {
            // A second one.
            return match self.has(Kind::MuxSecondAnswersFail) {
                true => Err(End::Fail(2011)),
                false => Ok(()),
            };
        };
        if rejected {
            self.channels.remove(&id);
            return match self.has(Kind::MuxRefusalsEndAll) {
                true => Err(End::Fail(2000)),
                false => Ok(()),
            };
        }
        if faulty.has(Kind::MuxTakesBrokenAnswers) {
            channel.open = true;
            return Ok(());
        }
        let head = read(octets).filter(|head| head.status() == Some(101));
        let refuses = difference && faulty.has(Kind::MuxRefusesDifferences);
        let Some(head) = head.filter(|_| !refuses) else {
            return Err(End::Fail(2011));
        };
        let lines: Vec<_> = head.values(EXTENSIONS).collect();
        let codec = agreement::accept(&lines, faulty);
        let subprotocol = head.values("Sec-WebSocket-Protocol").next().is_some();
        match codec {
            Ok(codec) if !subprotocol || faulty.has(Kind::MuxTakesAnySubprotocol) => {
                channel.open = true;
                channel.codec = codec;
            }
            _ => self.drop_channel(id, 3000),
        }
        Ok(())
    }
}

fn is_request(head: &Head) -> bool {
    let words: Vec<_> = head.start_line.split(' ').collect();
    matches!(words[..], ["GET", _, "HTTP/1.1"])
        && head.value("Host").is_some()
        && head.lists("Connection", "Upgrade")
}
