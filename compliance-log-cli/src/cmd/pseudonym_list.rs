//! `pseudonym list`: which keys there are, and never what they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    cli::PseudonymListArgs,
    exit::Exit,
    failure::Failure,
    keys,
    printer::{BOLD, Printer, clean},
};

pub(crate) fn run(args: &PseudonymListArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let keys = keys::read(&args.keys.keys)?;
    let mut epochs: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
    for key in keys.names() {
        let of = epochs.entry((key.tenant, key.field)).or_default();
        of.push(key.epoch.get());
    }
    if args.json {
        let keys = epochs.iter().map(|((tenant, field), epochs)| {
            json!({ "tenant": tenant, "field": field, "epochs": epochs })
        });
        printer.stored(Value::Array(keys.collect()).to_string().as_bytes())?;
        return Ok(Exit::Ok);
    }
    let mut rows = vec![["tenant", "field", "epochs"].map(str::to_owned)];
    rows.extend(epochs.iter().map(|((tenant, field), epochs)| {
        let epochs: Vec<String> = epochs.iter().map(ToString::to_string).collect();
        [
            clean(tenant).into_owned(),
            clean(field).into_owned(),
            epochs.join(" "),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (tenants, fields) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    for (number, [tenant, field, epochs]) in rows.iter().enumerate() {
        let line = format!("{tenant:<tenants$}  {field:<fields$}  {epochs}");
        if number == 0 {
            printer.line(format_args!("{BOLD}{line}{BOLD:#}"))?;
        } else {
            printer.line(line)?;
        }
    }
    Ok(Exit::Ok)
}
