//! Renders Autobahn reports as one page: `render PAGE.html server=DIR client=DIR ...`.

use std::error::Error;
use std::path::Path;

use cloverleaf_reports::model::Suite;
use cloverleaf_reports::{Record, Role, autobahn, html, text};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let page = arguments
        .next()
        .ok_or("usage: render PAGE.html server=DIR client=DIR ...")?;
    let mut record = Record::new("Autobahn reports");
    record.suite = Some(Suite::new("Autobahn TestSuite", "25.10.1"));
    for argument in arguments {
        let (role, directory) = argument
            .split_once('=')
            .ok_or_else(|| format!("{argument:?}: expected server=DIR or client=DIR"))?;
        let role = match role {
            "server" => Role::Server,
            "client" => Role::Client,
            other => return Err(format!("{other:?} is no role: use server or client").into()),
        };
        record.add(autobahn::read_dir(Path::new(directory), role)?)?;
    }
    print!("{}", text::table(&record));
    std::fs::write(page, html::render(&record))?;
    Ok(())
}
