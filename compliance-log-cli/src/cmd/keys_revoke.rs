//! `keys revoke`: that a key is not trusted any more.

use compliance_log::{
    Error,
    seal::statement::{Revocation, Signed},
};

use crate::{
    args::KeysRevokeArgs, base64, exit::Exit, failure::Failure, printer::Printer, private_key, vkey,
};

pub(crate) fn run(args: &KeysRevokeArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let key = private_key::read(&args.key)?;
    let of = args.of.parse().map_err(|error: Error| {
        let hint =
            "give an origin as `keys show STORE` prints it, or a prefix that ends in a slash";
        Failure::new(format!("{}: {error}", args.of), hint)
    })?;
    let root = args.root.as_deref().map(|root| {
        base64::decode(root).ok_or_else(|| {
            let hint = "give the third line of the checkpoint of that size, 44 characters";
            Failure::new(format!("{root:?} is no root in base64"), hint)
        })
    });
    let vkey = vkey::read_one(&args.vkey)?;
    let revocation = Revocation::new(vkey, of, args.size, root.transpose()?);
    let signed = Signed::sign(revocation, &[&key])
        .map_err(|error| Failure::new(error.to_string(), "nothing was signed"))?;
    printer.piped(signed.to_block().as_bytes(), false)?;
    Ok(Exit::Ok)
}
