//! `--extension`: which extensions, and which of them must be agreed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use cloverleaf::Config;
use cloverleaf::proto::extension::Extensions;
use cloverleaf_capture::Capture;
use cloverleaf_conformance::extensions::{self, Built, Wanted};

use super::{fail, print};

/// The extensions that were asked for.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// An extension in place of the default, with parameters: `permessage-deflate;level=6`. Repeat
    /// it for more, in their order; `list` lists them
    #[arg(long, value_name = "NAME[;PARAM[=VALUE]]…")]
    extension: Vec<String>,

    /// No connection without this extension; repeat it for more
    #[arg(long, value_name = "NAME")]
    pub(super) require_extension: Vec<String>,

    /// Record every frame into this file, for Wireshark. It holds what is said in the clear
    #[arg(long, value_name = "FILE.pcapng")]
    capture: Option<PathBuf>,
}

impl Options {
    /// The extensions that were asked for; `None` if none were. An exit code if the list was, or
    /// something that cannot be.
    pub(super) fn chosen(&self) -> Result<Option<Built>, ExitCode> {
        let listed = |text: &String| matches!(text.as_str(), "list" | "help");
        if self.extension.iter().any(listed) {
            print(&extensions::list());
            return Err(ExitCode::SUCCESS);
        }
        if self.extension.is_empty() {
            return Ok(None);
        }
        let wanted: Result<Vec<Wanted>, _> =
            self.extension.iter().map(|text| text.parse()).collect();
        let built = wanted.and_then(|wanted| extensions::build(&wanted));
        built.map(Some).map_err(|problem| fail(&problem, 2))
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
