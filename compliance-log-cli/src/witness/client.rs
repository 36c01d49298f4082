use std::{path::Path, sync::Arc, time::Duration};

use compliance_log::{
    chain::Digest,
    seal::{Origin, Submission},
};
use ureq::{
    Agent, Body,
    http::Response,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{failure::Failure, small_file};

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(30);
/// Origins of some hundred thousand stores.
const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// Where systems keep their root certificates: Debian and Alpine, Red Hat, SUSE, macOS.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A witness, as those who submit to it see it.
#[derive(Debug)]
pub(crate) struct Client {
    prefix: String,
    agent: Agent,
}

/// What it said to a submission.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Lines of cosignatures.
    Cosigned(String),
    /// It does not know the store.
    Unknown,
    /// Its newest checkpoint has this size.
    Conflict(u64),
    /// The checkpoint does not continue its newest one.
    Inconsistent,
}

impl Client {
    /// For the witness at a submission prefix. Certificates must lead to one in a file, or to those that the
    /// system has.
    ///
    /// # Errors
    ///
    /// A prefix that is no URL, or certificates that cannot be read.
    pub(crate) fn new(prefix: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("compliance-log/", env!("CARGO_PKG_VERSION")));
        let agent = if prefix.starts_with("https://") {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder()
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(roots(ca)?)
                .build();
            config.tls_config(tls).build()
        } else if prefix.starts_with("http://") {
            config.build()
        } else {
            return Err(Failure::new(
                format!("{prefix:?} is no URL of a witness"),
                "give its submission prefix, as in `https://witness.example`",
            ));
        };
        Ok(Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            agent: agent.into(),
        })
    }

    /// Asks for a cosignature.
    ///
    /// # Errors
    ///
    /// A witness that cannot be reached, or refuses for another reason than what it has.
    pub(crate) fn submit(&self, submission: &Submission) -> Result<Answer, Failure> {
        let (status, text) = self.post("add-checkpoint", submission.to_string().as_bytes())?;
        match (status, text.trim_end().parse()) {
            (200, _) => Ok(Answer::Cosigned(text)),
            (404, _) => Ok(Answer::Unknown),
            (409, Ok(size)) => Ok(Answer::Conflict(size)),
            (422, _) => Ok(Answer::Inconsistent),
            _ => Err(self.refused("add-checkpoint", status, &text)),
        }
    }

    /// Gives the certificate of a store, for what it does not know yet.
    ///
    /// # Errors
    ///
    /// A witness that does not take it.
    pub(crate) fn add_log(&self, certificates: &[u8]) -> Result<(), Failure> {
        match self.post("add-log", certificates)? {
            (200, _) => Ok(()),
            (status, text) => Err(self.refused("add-log", status, &text)),
        }
    }

    /// Each store that it knows, and how many records of its catalog it cosigned.
    ///
    /// # Errors
    ///
    /// A witness that cannot be reached, or says something else.
    pub(crate) fn origins(&self) -> Result<Vec<(Origin, u64)>, Failure> {
        let (status, text) = self.said(self.agent.get(self.url("origins")).call(), "origins")?;
        let origins = text.lines().map(|line| {
            let (origin, size) = line.split_once(' ')?;
            Some((origin.parse().ok()?, size.parse().ok()?))
        });
        let origins = origins.collect::<Option<Vec<(Origin, u64)>>>();
        let origins = origins.filter(|_| status == 200);
        origins.ok_or_else(|| self.refused("origins", status, &text))
    }

    /// The newest checkpoint of a store that it cosigned, a note; `None` if it has none.
    ///
    /// # Errors
    ///
    /// A witness that cannot be reached, or refuses.
    pub(crate) fn checkpoint(&self, origin: &Origin) -> Result<Option<String>, Failure> {
        let call = format!("{}/checkpoint", Digest::of(origin.as_str().as_bytes()));
        match self.said(self.agent.get(self.url(&call)).call(), &call)? {
            (200, note) => Ok(Some(note)),
            (404, _) => Ok(None),
            (status, text) => Err(self.refused(&call, status, &text)),
        }
    }

    fn post(&self, call: &str, body: &[u8]) -> Result<(u16, String), Failure> {
        self.said(self.agent.post(self.url(call)).send(body), call)
    }

    fn url(&self, call: &str) -> String {
        format!("{}/{call}", self.prefix)
    }

    fn said(
        &self,
        answered: Result<Response<Body>, ureq::Error>,
        call: &str,
    ) -> Result<(u16, String), Failure> {
        let unreached = |error: ureq::Error| {
            let hint = "nothing is lost: the next run asks again";
            Failure::new(format!("{}: {error}", self.url(call)), hint)
        };
        let mut response = answered.map_err(unreached)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        Ok((status, body.read_to_string().map_err(unreached)?))
    }

    fn refused(&self, call: &str, status: u16, text: &str) -> Failure {
        let hint = match (call, status) {
            ("origins", 404) => {
                "only `compliance-log witness serve` tells which stores it knows: is that its prefix?"
            }
            (_, 403) => {
                "the witness trusts another key for this store: add the right certificate or root key there"
            }
            (_, 404) => {
                "the witness has to be told of the log key: `compliance-log keys show STORE` prints it"
            }
            (_, 409) => {
                "the witness has another certificate of this store; whoever runs it decides which one is right"
            }
            _ => "what runs the witness says more",
        };
        let text = text.trim_end();
        Failure::new(
            format!("{}/{call} answered {status}: {text}", self.prefix),
            hint,
        )
    }
}

fn roots(file: Option<&Path>) -> Result<RootCerts, Failure> {
    const HINT: &str = "give the witness' root certificates in PEM, with --ca FILE";
    let system = || {
        SYSTEM_ROOTS
            .iter()
            .map(Path::new)
            .find(|path| path.exists())
    };
    let file = file
        .or_else(system)
        .ok_or_else(|| Failure::new("this system has no root certificates", HINT))?;
    let pem = small_file::read(file, HINT)?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        let text = format!("there is no certificate in {}", file.display());
        return Err(Failure::new(text, HINT));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}
