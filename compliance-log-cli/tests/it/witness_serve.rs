use std::{
    collections::BTreeSet,
    env, fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use compliance_log::{
    chain::Digest,
    seal::{
        merkle::TreeHash,
        note::{Note, SigningKey, WitnessKey},
    },
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    command::run,
    sealed::{Keys, key},
    store::{rename, rewrite},
    witness::{Answer, Witness, root_file, submission},
};

struct World {
    _base: TempDir,
    dir: PathBuf,
    root: SigningKey,
    keys: Keys,
    leaves: Vec<TreeHash>,
}

impl World {
    fn new() -> Self {
        let base = tempdir().unwrap();
        Self {
            dir: base.path().join("witness"),
            _base: base,
            root: key("log.example/root"),
            keys: Keys::new("host-1"),
            leaves: (0..=u8::MAX).map(|n| TreeHash::new([n; 32])).collect(),
        }
    }

    fn start(&self) -> Witness {
        Witness::start(&self.dir, &self.root)
    }

    /// A witness that knows the store.
    fn started(&self) -> Witness {
        let witness = self.start();
        let added = witness.post("add-log", &self.keys.certified_by(&self.root));
        assert_eq!(
            (added.status, added.text),
            (200, format!("{}\n", self.keys.origin))
        );
        witness
    }

    fn submit(&self, witness: &Witness, old: usize, new: usize) -> Answer {
        witness.submit(&submission(&self.keys, &self.leaves, old, new))
    }

    /// What the witness says that it has.
    fn held(&self, witness: &Witness) -> u64 {
        let line = witness.get("origins").text;
        let size = line
            .strip_prefix(&format!("{} ", self.keys.origin))
            .unwrap();
        size.trim_end().parse().unwrap()
    }

    fn newest(&self, witness: &Witness) -> Answer {
        let origin = Digest::of(self.keys.origin.as_str().as_bytes());
        witness.get(&format!("{origin}/checkpoint"))
    }

    /// Runs a witness that is to refuse.
    fn refused(&self, more: &[&str]) -> String {
        let dir = self.dir.to_str().unwrap();
        let arguments = ["witness", "serve", "--listen", "127.0.0.1:0", "--dir", dir];
        let said = run(Path::new("/nowhere"), arguments.iter().chain(more));
        assert_eq!((said.code, &*said.out), (3, ""), "{}", said.err);
        said.err
    }
}

#[test]
fn each_checkpoint_that_continues_the_one_before_is_cosigned_and_kept() {
    let world = World::new();
    let witness = world.started();
    assert_eq!(world.held(&witness), 0);
    assert_eq!(world.newest(&witness).status, 404);
    for (old, new) in [(0, 1), (1, 2), (2, 7), (7, 7), (7, 64), (64, 201)] {
        let answer = world.submit(&witness, old, new);
        assert_eq!(answer.status, 200, "{old} to {new}: {answer:?}");
        let note = world.keys.note(&world.leaves[..new]);
        let line = answer.text.strip_suffix('\n').unwrap();
        let time = witness
            .key
            .check(note.text(), &line.parse().unwrap())
            .unwrap();
        assert!(time > 1_700_000_000, "{time}");

        let kept = world.newest(&witness);
        let kept = Note::parse(kept.text.as_bytes()).unwrap();
        assert_eq!(kept.text(), note.text());
        kept.check(world.keys.log.verifier()).unwrap();
        assert_eq!(witness.key.cosigned(&kept).unwrap(), Some(time));
        assert_eq!(world.held(&witness), new as u64);
    }
}

#[test]
fn what_does_not_continue_is_refused_as_the_specification_says() {
    let world = World::new();
    let witness = world.started();
    assert_eq!(world.submit(&witness, 0, 9).status, 200);

    // Another size than the witness has, with the size that it has.
    for old in [0, 8, 10] {
        let answer = world.submit(&witness, old, 12);
        assert_eq!((answer.status, &*answer.kind), (409, "text/x.tlog.size"));
        assert_eq!(answer.text, "9\n");
    }
    let good = submission(&world.keys, &world.leaves, 9, 12).to_string();
    let answer = witness.post("add-checkpoint", &good.replacen("old 9", "old 13", 1));
    assert_eq!(
        answer.status, 400,
        "an old size above the checkpoint's: {answer:?}"
    );

    // A proof of other leaves, too little of one, and too much.
    let mut other = world.leaves.clone();
    other[3] = TreeHash::new([99; 32]);
    let fork = submission(&world.keys, &other, 9, 12);
    assert_eq!(witness.submit(&fork).status, 422);
    let mut lines: Vec<&str> = good.lines().collect();
    lines.remove(1);
    let shorter = lines.join("\n") + "\n";
    assert_eq!(witness.post("add-checkpoint", &shorter).status, 422);
    lines.insert(1, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let wrong = lines.join("\n") + "\n";
    assert_eq!(witness.post("add-checkpoint", &wrong).status, 422);

    // The same size with another root.
    let same = submission(&world.keys, &other, 9, 9);
    let answer = witness.submit(&same);
    assert_eq!((answer.status, &*answer.text), (409, "9\n"));

    // Keys and stores that it does not know.
    let mut stranger = Keys::new("host-1");
    assert_eq!(
        witness
            .submit(&submission(&stranger, &world.leaves, 9, 12))
            .status,
        403
    );
    stranger = Keys::new("host-2");
    assert_eq!(
        witness
            .submit(&submission(&stranger, &world.leaves, 9, 12))
            .status,
        404
    );

    for body in ["", "old 9\n", "hello", &good.replacen("old", "new", 1)] {
        assert_eq!(witness.post("add-checkpoint", body).status, 400, "{body:?}");
    }
    assert_eq!(
        witness.post("add-checkpoint", &" ".repeat(70_000)).status,
        413
    );
    assert_eq!(witness.get("add-checkpoint").status, 405);
    assert_eq!(witness.get("x/checkpoint").status, 404);

    // None of this changed anything.
    assert_eq!(world.held(&witness), 9);
    assert_eq!(witness.post("add-checkpoint", &good).status, 200);
}

/// Bodies of all kinds, in an order that makes most of the sizes fit and some not.
fn bodies(world: &World) -> Vec<String> {
    let mut fork = world.leaves.clone();
    fork[2] = TreeHash::new([99; 32]);
    let stranger = Keys::new("host-1");
    let unknown = Keys::new("host-2");
    let mut held = 0;
    let mut bodies = Vec::new();
    for new in [3, 4, 8, 9, 16, 31, 64, 65, 130, 200, 255] {
        let good = submission(&world.keys, &world.leaves, held, new).to_string();
        for keys in [&stranger, &unknown] {
            bodies.push(submission(keys, &world.leaves, held, new).to_string());
        }
        if held > 0 {
            bodies.push(submission(&world.keys, &fork, held, new).to_string());
            bodies.push(submission(&world.keys, &world.leaves, 0, new).to_string());
            bodies.push(submission(&world.keys, &world.leaves, held - 1, new).to_string());
            let above = format!("old {}\n", new + 1);
            bodies.push(good.replacen(&format!("old {held}\n"), &above, 1));
        }
        let mut lines: Vec<&str> = good.split_inclusive('\n').collect();
        if lines.get(1) != Some(&"\n") {
            let first = lines.remove(1);
            bodies.push(lines.concat());
            lines.insert(1, first);
            lines.insert(1, first);
            bodies.push(lines.concat());
        }
        bodies.push(good.replacen("\n\n", "\n", 1));
        bodies.push(good);
        held = new;
        bodies.push(submission(&world.keys, &world.leaves, held, held).to_string());
    }
    bodies
}

/// Where the variable `SEALREF` names the folder of the reference in Python, both judge alike.
#[test]
fn the_reference_and_we_answer_the_same() {
    let Some(folder) = env::var_os("SEALREF") else {
        println!("skipped: SEALREF names no folder of the reference");
        return;
    };
    let world = World::new();
    let witness = world.started();
    let bodies = bodies(&world);
    let asked = json!({
        "certificate": world.keys.certified_by(&world.root),
        "root": world.root.verifier().to_string(),
        "bodies": bodies,
    });
    let mut python = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/reference.py"
        ))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = asked.to_string();
    python
        .stdin
        .take()
        .unwrap()
        .write_all(asked.as_bytes())
        .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let key: WitnessKey = theirs["key"].as_str().unwrap().parse().unwrap();

    let mut statuses = BTreeSet::new();
    for (body, answer) in bodies.iter().zip(theirs["answers"].as_array().unwrap()) {
        let ours = witness.post("add-checkpoint", body);
        let status = u16::try_from(answer[0].as_u64().unwrap()).unwrap();
        let text = answer[1].as_str().unwrap();
        assert_eq!(ours.status, status, "{body}");
        statuses.insert(status);
        if status == 409 {
            assert_eq!(ours.text, text, "{body}");
        }
        if status == 200 {
            let (_, note) = body.split_once("\n\n").unwrap();
            let note = Note::parse(note.as_bytes()).unwrap();
            key.check(note.text(), &text.trim_end().parse().unwrap())
                .unwrap();
        }
    }
    assert_eq!(statuses, BTreeSet::from([200, 400, 403, 404, 409, 422]));
}

#[test]
fn a_store_is_witnessed_if_a_root_or_its_issuer_certified_it() {
    let world = World::new();
    let witness = world.start();
    let (issuer, stranger) = (key("issuer.example"), key("log.example/root"));
    let status = |body: &str| witness.post("add-log", body).status;

    assert_eq!(status(&world.keys.certified_by(&stranger)), 403);
    assert_eq!(status(&world.keys.certified_by(&issuer)), 403);
    assert_eq!(
        status(&world.keys.certified_through(&issuer, &stranger)),
        403
    );
    assert_eq!(status("compliance-log/v1/cert\n"), 400);
    assert_eq!(witness.get("origins").text, "");

    let certificate = world.keys.certified_through(&issuer, &world.root);
    assert_eq!(status(&certificate), 200);
    assert_eq!(status(&certificate), 200, "once more changes nothing");
    assert_eq!(
        status(&Keys::new("host-1").certified_by(&world.root)),
        409,
        "another log key"
    );
    assert_eq!(status(&Keys::new("host-0").certified_by(&world.root)), 200);
    let [zero, one] = ["host-0", "host-1"].map(|host| Keys::new(host).origin);
    assert_eq!(witness.get("origins").text, format!("{zero} 0\n{one} 0\n"));
}

/// Whatever was answered before SIGKILL is still known after it, and nothing else than what was asked.
#[test]
fn what_was_cosigned_survives_a_kill_at_any_moment() {
    let world = World::new();
    let mut witness = world.started();
    let key = witness.key.clone();
    let mut held = 0;
    for round in 0..12 {
        thread::scope(|scope| {
            let (started, first) = std::sync::mpsc::channel();
            let asked = &witness;
            let world = &world;
            let asking = scope.spawn(move || {
                let mut size = held;
                loop {
                    let next = size + 1;
                    let body = submission(&world.keys, &world.leaves, size, next).to_string();
                    let answer = asked.try_post("add-checkpoint", &body);
                    let Some(answer) = answer else {
                        return size;
                    };
                    assert_eq!(answer.status, 200, "{answer:?}");
                    size = next;
                    if size - held > round % 4 {
                        started.send(()).unwrap_or(());
                    }
                }
            });
            first.recv().unwrap();
            // In the midst of whatever the next request makes it do.
            let killed = Command::new("kill")
                .args(["-9", &witness.id().to_string()])
                .status();
            assert!(killed.unwrap().success());
            let answered = asking.join().unwrap();
            held = answered;
        });
        witness.kill();
        witness = world.start();
        assert_eq!(witness.key, key);
        let found = usize::try_from(world.held(&witness)).unwrap();
        assert!(
            found == held || found == held + 1,
            "{found} after {held} was answered"
        );
        held = found;
        let kept = Note::parse(world.newest(&witness).text.as_bytes()).unwrap();
        assert_eq!(kept.text(), world.keys.note(&world.leaves[..held]).text());
        witness.key.cosigned(&kept).unwrap().unwrap();
    }
}

/// A failed write is never taken for none: it may have taken effect.
#[test]
fn nothing_is_cosigned_that_could_not_be_stored() {
    let world = World::new();
    let witness = world.started();
    assert_eq!(world.submit(&witness, 0, 3).status, 200);

    // No file can be made: what was there is there still, and the next request is as good as ever.
    let (origins, away) = (world.dir.join("origins"), world.dir.join("away"));
    rename(&origins, &away);
    assert_eq!(world.submit(&witness, 3, 4).status, 500);
    assert_eq!(world.held(&witness), 3);
    rename(&away, &origins);
    assert_eq!(world.submit(&witness, 3, 5).status, 200);

    // The file cannot be replaced: from then on only reading it tells what is there.
    let origin = Digest::of(world.keys.origin.as_str().as_bytes()).to_string();
    let file = origins.join(origin);
    rename(&file, &away);
    fs::create_dir(&file).unwrap();
    assert_eq!(world.submit(&witness, 5, 6).status, 500);
    fs::remove_dir(&file).unwrap();
    rename(&away, &file);
    assert_eq!(world.submit(&witness, 5, 6).status, 500);
    drop(witness);
    let witness = world.start();
    assert_eq!(world.held(&witness), 5);
    assert_eq!(world.submit(&witness, 5, 6).status, 200);
}

#[test]
fn requests_at_once_never_get_two_histories_cosigned() {
    let world = World::new();
    let witness = world.started();
    assert_eq!(world.submit(&witness, 0, 5).status, 200);
    let mut other = world.leaves.clone();
    other[5] = TreeHash::new([99; 32]);

    let cosigned = thread::scope(|scope| {
        let asking: Vec<_> = (0..16)
            .map(|n| {
                let leaves = if n % 2 == 0 { &world.leaves } else { &other };
                let (witness, keys) = (&witness, &world.keys);
                scope.spawn(move || {
                    let size = 6 + n / 4;
                    let answer = witness.submit(&submission(keys, leaves, 5, size));
                    assert!([200, 409].contains(&answer.status), "{answer:?}");
                    (answer.status == 200).then(|| keys.note(&leaves[..size]).text().to_owned())
                })
            })
            .collect();
        let answers = asking.into_iter().map(|asked| asked.join().unwrap());
        answers.flatten().collect::<Vec<String>>()
    });
    let [one] = &cosigned[..] else {
        panic!("all began at the same size: {cosigned:?}");
    };
    let kept = Note::parse(world.newest(&witness).text.as_bytes()).unwrap();
    assert_eq!(kept.text(), one);
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let world = World::new();
    let witness = world.started();
    let said = world.refused(&[]);
    assert!(
        said.contains("another process runs the witness in"),
        "{said}"
    );
    assert_eq!(
        world.submit(&witness, 0, 3).status,
        200,
        "the first goes on"
    );
}

#[test]
fn it_ends_when_it_is_told_to() {
    let world = World::new();
    let mut witness = world.started();
    let told = Command::new("kill")
        .args(["-TERM", &witness.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    assert_eq!(witness.wait(), Some(0));
}

#[test]
fn a_folder_that_cannot_be_trusted_is_refused() {
    let world = World::new();
    drop(world.started());
    let key = world.dir.join("key");
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let said = world.refused(&["--name", "other"]);
    assert!(
        said.contains("is named witness.example/w1, not other"),
        "{said}"
    );

    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let said = world.refused(&[]);
    assert!(said.contains("others may read the private key"), "{said}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let away = world.dir.join("away");
    rename(&key, &away);
    let said = world.refused(&[]);
    assert!(
        said.contains("key is missing, but there are stores"),
        "{said}"
    );
    rename(&away, &key);

    // Another key of the same name, which cosigned nothing.
    let witness = world.start();
    assert_eq!(world.submit(&witness, 0, 3).status, 200);
    drop(witness);
    let skey = crate::sealed::key("witness.example/w1").to_skey().unwrap();
    let ours = fs::read(&key).unwrap();
    rewrite(&key, format!("{}\n", *skey).as_bytes());
    let said = world.refused(&[]);
    assert!(said.contains("did not cosign log.example/"), "{said}");
    rewrite(&key, &ours);

    let origin = Digest::of(world.keys.origin.as_str().as_bytes()).to_string();
    let file = world.dir.join("origins").join(origin);
    let bytes = fs::read(&file).unwrap();
    rewrite(&file, &bytes[..bytes.len() - 1]);
    let said = world.refused(&[]);
    assert!(
        said.contains("is damaged: it is not made of whole notes"),
        "{said}"
    );
    rewrite(&file, &bytes);
    rename(&file, &file.with_file_name("0".repeat(64)));
    let said = world.refused(&[]);
    assert!(said.contains("is damaged: it is of log.example/"), "{said}");
}

#[test]
fn roots_are_read_from_files_of_vkeys() {
    let world = World::new();
    let file = root_file(&world.dir, &world.root.verifier().to_string());
    rewrite(&file, b"nonsense\n");
    let said = world.refused(&["--root-key", file.to_str().unwrap()]);
    assert!(said.contains("roots, line 1: a vkey is"), "{said}");
    assert!(!world.dir.exists(), "nothing was made");
}
