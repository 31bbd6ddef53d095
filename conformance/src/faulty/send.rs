//! Frames as they are sent.

use cloverleaf_judge::frame::{Frame, LengthForm, Masking, TEXT};
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};

use super::endpoint::{End, Endpoint};
use super::fault::Kind;

/// An opcode that RFC 6455 §5.2 keeps for later.
const RESERVED_OPCODE: u8 = 3;

impl<S: AsyncRead + AsyncWrite + Unpin> Endpoint<S> {
    /// Sends a message, compressed if that was agreed on, in one frame.
    pub(super) async fn send_message(&mut self, opcode: u8, payload: &[u8]) -> Result<(), End> {
        let opcode = match self.has(Kind::AnswersWithReservedOpcode) {
            true => RESERVED_OPCODE,
            false => opcode,
        };
        let frames = match &mut self.codec {
            Some(codec) => codec.frames(opcode, payload, self.faulty),
            None => vec![Frame::new(opcode, payload)],
        };
        let frames = match <[Frame; 1]>::try_from(frames) {
            Ok([frame]) => self.cut(frame),
            Err(several) => several,
        };
        for frame in frames {
            self.send(frame).await?;
        }
        Ok(())
    }

    /// §5.4: the fragments of a message.
    fn cut(&self, mut frame: Frame) -> Vec<Frame> {
        match self.faulty.0 {
            Some(Kind::NeverFinishesMessages) => vec![frame.not_final()],
            Some(Kind::ContinuesNothing) => vec![frame, Frame::continuation("")],
            Some(Kind::FragmentsWithTheOpcodeRepeated) => {
                let rest = frame.payload.split_off(frame.payload.len() / 2);
                let last = Frame::new(frame.opcode, rest);
                vec![frame.not_final(), last]
            }
            _ => vec![frame],
        }
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, mut frame: Frame) -> Result<(), End> {
        let control = frame.opcode & 8 != 0;
        let length = frame.payload.len();
        frame.masking = self.masking();
        // §5.2: reserved bits are 0, the codec's apart.
        frame.rsv |= match self.faulty.0 {
            Some(Kind::SetsRsv1) if !control && self.codec.is_none() => 4,
            Some(Kind::SetsRsv2) if !control => 2,
            Some(Kind::SetsRsv3) if !control => 1,
            Some(Kind::SetsRsvOnControl) if control => 2,
            _ => 0,
        };
        // §5.2: lengths have their shortest form.
        frame.length_form = match self.faulty.0 {
            Some(Kind::NonMinimalLength) if !control && length < 126 => LengthForm::TwoOctets,
            Some(Kind::NonMinimalLength125) if length == 125 => LengthForm::TwoOctets,
            Some(Kind::NonMinimalLength65535) if length == 65535 => LengthForm::EightOctets,
            _ => LengthForm::Shortest,
        };
        let mut octets = frame.encode(None);
        if octets[1] & 0x7F == 126 && self.has(Kind::LittleEndianLength) {
            octets.swap(2, 3);
        }
        // §5.3: each octet has its octet of the key.
        if length > 8
            && self.has(Kind::WrongMasking)
            && let Some(last) = octets.last_mut()
        {
            *last ^= 1;
        }
        Ok(self.wire.write(&octets).await?)
    }

    /// §5.1, §5.3: a client masks each frame with a key that nobody can guess.
    fn masking(&mut self) -> Masking {
        let key = self.random.masking_key();
        match (self.role, self.faulty.0) {
            (Role::Server, Some(Kind::SendsMasked)) => Masking::With(key),
            (Role::Server, _) | (Role::Client, Some(Kind::SendsUnmasked)) => Masking::Never,
            (Role::Client, Some(Kind::ZeroMask)) => Masking::With([0; 4]),
            (Role::Client, Some(Kind::ConstantMask)) => Masking::With([1, 2, 3, 4]),
            (Role::Client, _) => Masking::With(key),
        }
    }

    /// Sends a text message in one frame, whatever was agreed on.
    pub(super) async fn send_plain_text(&mut self, payload: Vec<u8>) -> Result<(), End> {
        self.send(Frame::new(TEXT, payload)).await
    }
}
