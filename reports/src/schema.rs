//! The JSON Schema of the record.

use schemars::generate::SchemaSettings;

use crate::model::{Record, SCHEMA};

/// The JSON Schema (draft 2020-12) of what [`Record::to_json`] writes, as JSON text.
///
/// Made from the types themselves: it says what this version reads.
pub fn record() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Record>();
    schema.insert("title".to_owned(), "Cloverleaf conformance record".into());
    if let Some(version) = schema.pointer_mut("/properties/schema") {
        version["const"] = SCHEMA.into();
    }
    let json = serde_json::to_string_pretty(&schema)
        .expect("a schema holds text, numbers and maps with text keys only");
    json + "\n"
}
