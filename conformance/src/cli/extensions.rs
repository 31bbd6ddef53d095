//! `--extension`: which extensions, and which of them must be agreed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use cloverleaf::Config;
use cloverleaf::proto::extension::Extensions;
use cloverleaf_capture::Capture;
use cloverleaf_conformance::extensions::{self, Built, Problem, Wanted};
use cloverleaf_mux::Mux;

use super::{fail, print};

/// The extensions that were asked for.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// An extension in place of the default, with parameters: `permessage-deflate;level=6`. Repeat
    /// it for more, in their order; `list` lists them
    #[arg(long, value_name = "NAME[;PARAM[=VALUE]]…")]
    extension: Vec<String>,

    /// Many WebSockets over one connection: the extension `mux`, behind all others
    #[arg(long)]
    mux: bool,

    /// No connection without this extension; repeat it for more
    #[arg(long, value_name = "NAME")]
    pub(super) require_extension: Vec<String>,

    /// Record every frame into this file, for Wireshark. It holds what is said in the clear
    #[arg(long, value_name = "FILE.pcapng")]
    capture: Option<PathBuf>,
}

impl Options {
    /// The extensions that were asked for, or else these; with `--mux`, that behind them. An exit
    /// code if the list was asked for, or something that cannot be.
    pub(super) fn chosen(&self, default: impl FnOnce() -> Built) -> Result<Built, ExitCode> {
        let listed = |text: &String| matches!(text.as_str(), "list" | "help");
        if self.extension.iter().any(listed) {
            print(&extensions::list());
            return Err(ExitCode::SUCCESS);
        }
        self.build(default).map_err(|problem| fail(&problem, 2))
    }

    fn build(&self, default: impl FnOnce() -> Built) -> Result<Built, Problem> {
        let wanted: Result<Vec<Wanted>, _> =
            self.extension.iter().map(|text| text.parse()).collect();
        let built = match &*wanted? {
            [] => default(),
            wanted => extensions::build(wanted)?,
        };
        let mux: Wanted = Mux::TOKEN.parse()?;
        // Who has asked for it by name has given its parameters.
        if self.mux && built.extensions.get(mux.name()).is_none() {
            built.including(&mux)
        } else {
            Ok(built)
        }
    }

    /// Whether every required extension is one of these: nobody agrees to what is not even tried.
    pub(super) fn check_required(&self, extensions: &Extensions) -> Result<(), ExitCode> {
        let missing = |name: &&String| extensions.get(name).is_none();
        match self.require_extension.iter().find(missing) {
            None => Ok(()),
            Some(name) => {
                let advice = format!(
                    "{name:?} is required, but not among the extensions: add --extension {name}"
                );
                Err(fail(&advice, 2))
            }
        }
    }

    /// Has every connection recorded, if that was asked for.
    pub(super) fn record(&self, config: &mut Config) -> Result<Option<Capture>, ExitCode> {
        let Some(path) = &self.capture else {
            return Ok(None);
        };
        let clock = || {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap_or_default()
        };
        let capture = Capture::create(path, clock, cloverleaf_capture::Options::new())
            .map_err(|error| fail(&super::format::cannot(path, &error), 2))?;
        config.taps.push(Arc::new(capture.clone()));
        Ok(Some(capture))
    }

    /// Sees to it that the recording is whole, and says how much there is, or what is missing.
    pub(super) fn recorded(&self, capture: Option<&Capture>) -> Option<String> {
        let (capture, path) = (capture?, self.capture.as_ref()?);
        let file = path.display();
        Some(match capture.flush() {
            Ok(()) => format!("{file}: {} octets, {}", capture.written(), capture.status()),
            Err(error) => format!("{file} is not whole: {error}"),
        })
    }
}
