//! A witness that runs as a process of its own, on a port that was free.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use compliance_log::seal::{
    Submission,
    merkle::{ConsistencyProof, TreeHash},
    note::{SigningKey, WitnessKey},
};
use ureq::Agent;

use crate::{
    command::command,
    sealed::{Keys, frontier},
    store::rewrite,
};

pub(crate) struct Witness {
    child: Child,
    pub(crate) url: String,
    pub(crate) key: WitnessKey,
    agent: Agent,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Witness {
    /// Starts it in a folder, with a root key of which a file is written beside the folder.
    pub(crate) fn start(dir: &Path, root: &SigningKey) -> Self {
        Self::with_root(dir, &root.verifier().to_string())
    }

    pub(crate) fn with_root(dir: &Path, root: &str) -> Self {
        let roots = root_file(dir, root);
        let mut child = command()
            .args([
                "witness",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--name",
                "witness.example/w1",
                "--dir",
            ])
            .arg(dir)
            .arg("--root-key")
            .arg(roots)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let key = lines.next().unwrap().unwrap().parse().unwrap();
        let line = lines.next().unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None);
        Self {
            child,
            url,
            key,
            agent: config.build().into(),
        }
    }

    pub(crate) fn post(&self, call: &str, body: &str) -> Answer {
        self.try_post(call, body).unwrap()
    }

    /// `None` if it went away.
    pub(crate) fn try_post(&self, call: &str, body: &str) -> Option<Answer> {
        answer(self.agent.post(format!("{}/{call}", self.url)).send(body))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}/{path}", self.url)).call()).unwrap()
    }

    pub(crate) fn submit(&self, submission: &Submission) -> Answer {
        self.post("add-checkpoint", &submission.to_string())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How it ended by itself.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may have ended before.
        self.child.kill().unwrap_or(());
        self.child.wait().unwrap();
    }
}

pub(crate) fn root_file(dir: &Path, root: &str) -> PathBuf {
    let path = dir.with_extension("roots");
    rewrite(&path, format!("# roots\n{root}\n").as_bytes());
    path
}

fn answer(answered: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Answer> {
    let mut response = answered.ok()?;
    let kind = response.headers().get("content-type");
    Some(Answer {
        status: response.status().as_u16(),
        kind: kind.map_or_else(String::new, |kind| kind.to_str().unwrap().to_owned()),
        text: response.body_mut().read_to_string().ok()?,
    })
}

/// A submission of the first `new` leaves to a witness that has the first `old`.
pub(crate) fn submission(keys: &Keys, leaves: &[TreeHash], old: usize, new: usize) -> Submission {
    let note = keys.note(&leaves[..new]);
    if old == 0 {
        return Submission::new(None, note).unwrap();
    }
    let mut proof = ConsistencyProof::builder(&frontier(&leaves[..old]), new as u64).unwrap();
    leaves[old..new].iter().for_each(|leaf| proof.push(*leaf));
    Submission::new(Some(&proof.finish().unwrap()), note).unwrap()
}
