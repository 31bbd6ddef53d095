//! `cloverleaf report schema`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use cloverleaf_conformance::subjects;
use cloverleaf_reports::schema;

/// Print the JSON Schema of a file format
#[derive(Args, Debug)]
pub(super) struct Schema {
    /// The format
    #[arg(value_enum, default_value_t = SchemaOf::Results)]
    of: SchemaOf,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum SchemaOf {
    /// results.json
    Results,
    /// The file of subjects that `check --subjects` reads (it is TOML; the schema describes its data)
    Subjects,
}

impl Schema {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        super::super::print(&match self.of {
            SchemaOf::Results => schema::record(),
            SchemaOf::Subjects => subjects::schema(),
        });
        Ok(ExitCode::SUCCESS)
    }
}
