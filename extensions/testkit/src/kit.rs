//! The builder, and the run through the laws.

use core::fmt;
use std::rc::Rc;

use bytes::Bytes;
use cloverleaf_proto::extension::{Extension, Params};
use cloverleaf_proto::frame::OpCode;

use crate::subject::{Register, Subject, guard};
use crate::{Broken, Law, Report};

/// An extension and what the laws must know of it.
///
/// It is told what it cannot find out: which parameters an offer must have, which may come with and
/// without a value, which offers there are beside the own ones, what a frame of a claimed opcode
/// looks like. Everything else it finds by asking the extension. It reads no clock and draws no
/// random numbers: a run is the same every time, unless the seed is another.
pub struct Kit {
    subject: Subject,
    laws: Vec<Law>,
}

/// Makes a fresh configuration each time it is asked.
fn register<E: Extension + 'static>(make: impl Fn() -> E + 'static) -> Register {
    Rc::new(move |all| all.with(make()))
}

impl Kit {
    /// A kit for an extension that is configured alike on both sides. The closure makes a fresh
    /// configuration each time.
    #[must_use]
    pub fn new<E: Extension + 'static>(make: impl Fn() -> E + 'static) -> Self {
        let make = register(make);
        Self {
            subject: Subject::new(Rc::clone(&make), make, true),
            laws: Law::ALL.to_vec(),
        }
    }

    /// A kit for a client and a server that are configured differently. The server may decline some
    /// of the client's offers, but not all.
    #[must_use]
    pub fn pair<C, S>(client: impl Fn() -> C + 'static, server: impl Fn() -> S + 'static) -> Self
    where
        C: Extension + 'static,
        S: Extension + 'static,
    {
        Self {
            subject: Subject::new(register(client), register(server), false),
            laws: Law::ALL.to_vec(),
        }
    }

    /// An offer must have this parameter, and is declined without it.
    #[must_use]
    pub fn require(mut self, param: impl Into<String>) -> Self {
        self.subject.required.push(param.into());
        self
    }

    /// In an offer, this parameter is legal both with a value and without one.
    #[must_use]
    pub fn also_without_value(mut self, param: impl Into<String>) -> Self {
        self.subject.without_value.push(param.into());
        self
    }

    /// The server side also accepts this offer, which is none of the own ones: parameters that only
    /// other clients use are tried in this way.
    #[must_use]
    pub fn also_accepts(mut self, offer: Params) -> Self {
        self.subject.also_accepts.push(offer);
        self
    }

    /// A payload that makes sense as a frame of this claimed opcode, so that it must not end the
    /// connection.
    #[must_use]
    pub fn frame(mut self, opcode: OpCode, payload: impl Into<Bytes>) -> Self {
        self.subject.frames.push((opcode, payload.into()));
        self
    }

    /// Where the random trials begin. Default 0.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.subject.seed = seed;
        self
    }

    /// Tries this law only.
    #[must_use]
    pub fn only(mut self, law: Law) -> Self {
        self.laws = vec![law];
        self
    }

    /// Does not try this law: for an extension that breaks it knowingly, such as one that must ignore
    /// unknown parameters because old peers send some.
    #[must_use]
    pub fn except(mut self, law: Law) -> Self {
        self.laws.retain(|other| *other != law);
        self
    }

    /// Tries the laws in the order of [`Law::ALL`], up to the first that is broken.
    ///
    /// A panic of the extension is caught and told; what the panic hook prints on the way is not
    /// held back.
    ///
    /// # Errors
    ///
    /// The law that the extension breaks, and how.
    pub fn run(&self) -> Result<Report, Broken> {
        let name = match guard(|| self.subject.name()).and_then(|name| name) {
            Ok(name) => name,
            Err(story) => return Err(Broken::new("(unnamed)".to_owned(), Law::Claims, story)),
        };
        let mut kept = Vec::new();
        for law in &self.laws {
            self.subject.trials.set(0);
            match guard(|| law.check(&self.subject)) {
                Ok(Ok(())) => kept.push((*law, self.subject.trials.get())),
                Ok(Err(story)) => return Err(Broken::new(name, *law, story)),
                Err(panic) => {
                    let doing = self.subject.doing();
                    let story = format!("{doing}\n  {panic}");
                    return Err(Broken::new(name, *law, story));
                }
            }
        }
        Ok(Report::new(name, kept))
    }

    /// As [`run`](Self::run), for tests.
    ///
    /// # Panics
    ///
    /// If the extension breaks a law, with its name and the story.
    #[track_caller]
    pub fn check(&self) {
        if let Err(broken) = self.run() {
            panic!("{broken}");
        }
    }
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kit")
            .field("laws", &self.laws)
            .field("seed", &self.subject.seed)
            .finish_non_exhaustive()
    }
}
