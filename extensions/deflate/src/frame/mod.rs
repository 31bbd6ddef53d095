//! deflate-frame (draft-tyoshino-hybi-websocket-perframe-deflate-06): frames, each compressed on its
//! own.

mod config;
mod decoder;
mod encoder;
mod negotiation;
mod parameters;

pub use config::DeflateFrame;

use cloverleaf_proto::frame::OpCode;

/// Control frames are never compressed, and what frames of other extensions carry is their own.
const fn may_be_compressed(opcode: OpCode) -> bool {
    !opcode.is_control() && !opcode.is_reserved()
}
