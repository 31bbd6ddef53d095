//! Pings and pongs (RFC 6455 §5.5.2, §5.5.3).

use cloverleaf_judge::frame::{CLOSE, Frame, Head, PING};
use tokio::io::{AsyncRead, AsyncWrite};

use super::endpoint::{End, Endpoint};
use super::fault::Kind;

impl<S: AsyncRead + AsyncWrite + Unpin> Endpoint<S> {
    /// Does what a control frame asks for.
    pub(super) async fn control(&mut self, head: &Head, payload: Vec<u8>) -> Result<(), End> {
        if self.has(Kind::ControlEndsMessage) {
            self.message = None;
        }
        match head.opcode {
            CLOSE => self.close_frame(payload).await,
            PING => self.ping(payload).await,
            // §5.5.3: a pong that nobody asked for needs no answer.
            _ if self.has(Kind::RefusesPongs) => Err(End::Fail(1002)),
            _ if self.has(Kind::AnswersPongs) => self.send(Frame::pong(payload)).await,
            _ => Ok(()),
        }
    }

    /// §5.5.2: a ping is answered with a pong, as soon as is practical.
    async fn ping(&mut self, payload: Vec<u8>) -> Result<(), End> {
        match self.faulty.0 {
            Some(Kind::NeverAnswersPings) => Ok(()),
            Some(Kind::EchoesAfterClose) if self.closed => Ok(()),
            Some(Kind::AnswersEmptyPingsOnly) if !payload.is_empty() => Ok(()),
            Some(Kind::AnswersPingsOnlyAfterMessage) if self.message.is_some() => {
                self.pings.push(payload);
                Ok(())
            }
            Some(Kind::PongsInReverse) => {
                self.pings.push(payload);
                if self.pings.len() == 2 {
                    self.pings.reverse();
                    return self.answer_held_pings().await;
                }
                Ok(())
            }
            _ => self.pong(payload).await,
        }
    }

    /// Answers the pings that wait for the end of a message.
    pub(super) async fn answer_held_pings(&mut self) -> Result<(), End> {
        for payload in std::mem::take(&mut self.pings) {
            self.pong(payload).await?;
        }
        Ok(())
    }

    /// §5.5.3: a pong has the payload of its ping.
    async fn pong(&mut self, mut payload: Vec<u8>) -> Result<(), End> {
        let pong = match self.faulty.0 {
            Some(Kind::EchoesPingsAsText) => return self.send_plain_text(payload).await,
            Some(Kind::AnswersPingsWithPings) => Frame::ping(payload),
            Some(Kind::PongWithOtherPayload) => Frame::pong("pong"),
            Some(Kind::PongWithoutPayload) => Frame::pong(""),
            Some(Kind::TruncatesLongPongs) => {
                payload.truncate(124);
                Frame::pong(payload)
            }
            Some(Kind::PongTwice) => {
                self.send(Frame::pong(payload.clone())).await?;
                Frame::pong(payload)
            }
            // RFC 7692 §6.1: control frames are not compressed.
            Some(Kind::CompressesControlFrames) => {
                let codec = self.codec.as_mut();
                match codec.and_then(|codec| codec.deflate(&payload)) {
                    Some(deflated) => Frame::pong(deflated).rsv(4),
                    None => Frame::pong(payload),
                }
            }
            _ => Frame::pong(payload),
        };
        self.send(pong).await
    }
}
