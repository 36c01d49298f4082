use std::fmt;

/// The code that hashes, signs and keys pseudonyms in this build, and what it is validated as.
///
/// | build | computes | validated |
/// |---|---|---|
/// | without `fips` | `sha2`, `hmac`, `ed25519-dalek` | no |
/// | with `fips` | AWS-LC's FIPS module: SHA-256, HMAC-SHA-256, ECDSA P-256; Ed25519 outside of it | see [`certificate`](Self::certificate) |
///
/// ```
/// use compliance_log::seal::CryptoModule;
///
/// println!("{}", CryptoModule::in_use());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CryptoModule {
    /// AWS-LC's version of the module and of the library around it.
    fips: Option<(u32, &'static str)>,
}

/// By module version: the certificate of the static build, which this crate links, and the version of the
/// library that the certificate names. Source: `crypto/fipsmodule/FIPS.md` of AWS-LC, 2026-07-28.
const CERTIFICATES: [(u32, u32, &str); 1] = [(3, 5314, "3.1")];

impl CryptoModule {
    /// What this build uses.
    pub fn in_use() -> Self {
        Self { fips: fips() }
    }

    /// The certificate of the Cryptographic Module Validation Program under which NIST has validated the
    /// module, FIPS 140-3 level 1. `None` for a module without one, and for one that is newer than this
    /// crate.
    ///
    /// A certificate holds for the versions, compilers and platforms that its security policy names:
    /// whether yours is one of them this does not say.
    pub fn certificate(self) -> Option<u32> {
        self.known().map(|(_, certificate, _)| certificate)
    }

    fn known(self) -> Option<(u32, u32, &'static str)> {
        let (module, _) = self.fips?;
        CERTIFICATES.into_iter().find(|known| known.0 == module)
    }
}

#[cfg(feature = "fips")]
fn fips() -> Option<(u32, &'static str)> {
    Some((aws_lc_rs::fips_version()?, aws_lc_rs::awslc_version()))
}

#[cfg(not(feature = "fips"))]
const fn fips() -> Option<(u32, &'static str)> {
    None
}

impl fmt::Display for CryptoModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((module, library)) = self.fips else {
            return f.write_str("sha2 and ed25519-dalek, not validated by FIPS 140-3");
        };
        write!(f, "AWS-LC FIPS module {module}, library {library}, ")?;
        match self.known() {
            Some((_, certificate, named)) => write!(
                f,
                "FIPS 140-3 certificate #{certificate}, which names version {named}"
            ),
            None => f.write_str("not known to be validated by FIPS 140-3"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CryptoModule;

    #[test]
    fn a_build_says_whether_it_is_validated() {
        let said = CryptoModule::in_use().to_string();
        if cfg!(feature = "fips") {
            assert_eq!(CryptoModule::in_use().certificate(), Some(5314), "{said}");
            assert!(said.contains("certificate #5314"), "{said}");
        } else {
            assert_eq!(CryptoModule::in_use().certificate(), None);
            assert!(said.contains("not validated"), "{said}");
        }
    }

    #[test]
    fn a_module_without_a_certificate_is_not_called_validated() {
        let newer = CryptoModule {
            fips: Some((4, "4.2.0")),
        };
        assert_eq!(newer.certificate(), None);
        assert!(newer.to_string().contains("not known to be validated"));
    }
}
