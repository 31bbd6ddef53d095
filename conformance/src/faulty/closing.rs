//! Closing and failing (RFC 6455 §5.5.1, §7).

use std::time::Duration;

use cloverleaf_judge::frame::Frame;
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};

use super::endpoint::{End, Endpoint, LONG};
use super::fault::Kind;
use super::text::Check;

/// How long the peer is given to end TCP.
pub(super) const LAST_READS: Duration = Duration::from_secs(2);

/// How long a connection goes on that should not.
const TOO_LONG: Duration = Duration::from_millis(500);

impl<S: AsyncRead + AsyncWrite + Unpin> Endpoint<S> {
    /// §5.5.1: a close frame is answered with a close frame, and all is said.
    pub(super) async fn close_frame(&mut self, payload: Vec<u8>) -> Result<(), End> {
        let code = self.check_close(&payload).map_err(End::Fail)?;
        match self.faulty.0 {
            Some(Kind::NeverAnswersClose) => return Ok(()),
            Some(Kind::AnswersCloseOnlyAfterMessage) if self.message.is_some() => return Ok(()),
            Some(Kind::DropsInsteadOfAnsweringClose) => return Err(End::Drop),
            Some(Kind::AnswersCloseLate) => sleep(LONG).await,
            _ => {}
        }
        let answer = self.close_answer(code, payload);
        self.send(answer.clone()).await?;
        match self.faulty.0 {
            Some(Kind::ClosesTwice) => self.send(answer).await?,
            Some(Kind::DataAfterClose) => self.send(Frame::text("One more thing")).await?,
            _ => {}
        }
        Err(End::Closed)
    }

    /// Goes on as if nothing had happened.
    async fn go_on(&mut self) {
        self.closed = true;
        let frames = async { while self.frame().await.is_ok() {} };
        // It does end some time.
        let _ = timeout(TOO_LONG, frames).await;
    }

    /// The rules for the payload of a close frame; an error is the code to fail with.
    fn check_close(&self, payload: &[u8]) -> Result<Option<u16>, u16> {
        let Some((code, reason)) = payload.split_first_chunk() else {
            // §5.5.1: a payload begins with a code of two octets.
            let wrong = match payload {
                [] => self.has(Kind::RefusesEmptyClose),
                _ => !self.has(Kind::AcceptsOneOctetClose),
            };
            return if wrong {
                Err(1002)
            } else {
                Ok(payload.first().map(|_| 1000))
            };
        };
        let code = u16::from_be_bytes(*code);
        if !self.takes_code(code) {
            return Err(1002);
        }
        let refused = match self.faulty.0 {
            Some(Kind::RefusesCloseReasons) => !reason.is_empty(),
            Some(Kind::RefusesLongestCloseReason) => reason.len() == 123,
            _ => false,
        };
        if refused {
            return Err(1002);
        }
        // §5.5.1: a reason is UTF-8.
        let mut check = Check::new(self.faulty);
        let valid = check.push(reason) && check.is_complete();
        if !valid && !self.has(Kind::AcceptsBadCloseReason) {
            return Err(1007);
        }
        Ok(Some(code))
    }

    /// §7.4: the codes that a close frame may carry.
    fn takes_code(&self, code: u16) -> bool {
        match code {
            0..=999 => self.has(Kind::AcceptsLowCloseCodes),
            1000 => !self.has(Kind::Refuses1000),
            1004..=1006 | 1015 => self.has(Kind::AcceptsReservedCloseCodes),
            // Those from 1012 on were registered with IANA after RFC 6455.
            1001..=1014 => !self.has(Kind::RefusesDefinedCloseCodes),
            1016..=2999 => self.has(Kind::AcceptsUndefinedCloseCodes),
            3000..=3999 => !self.has(Kind::RefusesCloseCodesOfLibraries),
            4000..=4999 => !self.has(Kind::RefusesPrivateCloseCodes),
            5000.. => false,
        }
    }

    /// §5.5.1: the answer has the code that came, or none.
    fn close_answer(&self, code: Option<u16>, payload: Vec<u8>) -> Frame {
        match (self.faulty.0, code) {
            (Some(Kind::CloseWith1001), _) => Frame::close(1001, ""),
            (Some(Kind::CloseWith1005), _) => Frame::close(1005, ""),
            (Some(Kind::CloseWith1006), _) => Frame::close(1006, ""),
            (Some(Kind::CloseWith999), _) => Frame::close(999, ""),
            (Some(Kind::OneOctetClose), _) => Frame::close_with([3]),
            (Some(Kind::CloseWithBadReason), _) => Frame::close(1000, [0xFF, 0xFE]),
            (Some(Kind::CloseWithLongReason), _) => Frame::close(1000, [b'*'; 124]),
            (Some(Kind::CloseWithLittleEndianCode), Some(code)) => {
                Frame::close(code.swap_bytes(), "")
            }
            // Answered in kind.
            (Some(Kind::AcceptsLongClose), _) => Frame::close_with(payload),
            (_, Some(code)) => Frame::close(code, ""),
            (_, None) => Frame::close_with(""),
        }
    }

    /// Ends the connection.
    pub(super) async fn end(&mut self, end: End) {
        match end {
            End::Gone | End::Drop => {}
            End::Hang => sleep(LONG).await,
            End::Closed => {
                if self.has(Kind::EchoesAfterClose) || self.has(Kind::PongsAfterClose) {
                    self.go_on().await;
                }
                self.end_tcp().await;
            }
            End::Fail(code) => {
                // §7.1.7: the peer learns why.
                let code = match self.faulty.0 {
                    Some(Kind::WrongCodeForErrors) if code == 1002 => 1000,
                    _ => code,
                };
                if self.send(Frame::close(code, "")).await.is_ok() {
                    self.end_tcp().await;
                }
            }
        }
    }

    /// §7.1.1: the server ends TCP first, the client waits for it.
    async fn end_tcp(&mut self) {
        match (self.role, self.faulty.0) {
            (Role::Server, Some(Kind::KeepsTcp)) => self.wire.drain(LONG).await,
            (Role::Server, _) => {
                self.wire.shutdown().await;
                // Octets that nobody reads would turn the end into a reset.
                self.wire.drain(LAST_READS).await;
            }
            (Role::Client, _) => self.wire.drain(LAST_READS).await,
        }
    }
}
