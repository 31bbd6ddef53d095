//! The receiving half.

use std::sync::Arc;

use cloverleaf_proto::extension::{Decoded, Decoder, Failure, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use crate::codec::Inflater;
use crate::pool::{Lease, Pool};

pub(crate) struct DeflateDecoder {
    takeover: bool,
    pool: Arc<Pool<Inflater>>,
    /// With takeover, from the first message on; without, in the middle of a message only.
    context: Option<Lease<Inflater>>,
    /// Whether the message at hand is compressed.
    compressed: bool,
}

impl DeflateDecoder {
    pub(crate) const fn new(pool: Arc<Pool<Inflater>>, takeover: bool) -> Self {
        Self {
            takeover,
            pool,
            context: None,
            compressed: false,
        }
    }

    fn context(&mut self) -> &mut Lease<Inflater> {
        let Self { takeover, pool, .. } = self;
        self.context.get_or_insert_with(|| {
            if *takeover {
                return Lease::own(Inflater::new());
            }
            let lease = pool.take(|_| true, Inflater::new);
            let mut lease = lease.expect("inflaters are lent without bound");
            lease.restart();
            lease
        })
    }

    fn inflate(&mut self, fin: bool, payload: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        if !payload.is_empty() {
            self.context().piece(payload, out)?;
        }
        // No context: no octet has come, and there is nothing to end.
        match &mut self.context {
            Some(context) if fin => context.end(out),
            _ => Ok(()),
        }
    }
}

impl Decoder for DeflateDecoder {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if head.starts_message() {
            // Only the first frame says whether a message is compressed (RFC 7692 §6).
            self.compressed = head.rsv.contains(Rsv::RSV1);
        }
        if !self.compressed {
            return Ok(Decoded::Unchanged);
        }
        let result = self.inflate(head.fin, payload, out);
        if result.is_err() || head.fin && !self.takeover {
            self.context = None;
        }
        result.map(|()| Decoded::Replaced)
    }
}
