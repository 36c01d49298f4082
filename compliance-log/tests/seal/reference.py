"""Builds or checks a proof with the reference of the seal, whose folder is the first argument.

`build`  writes JSON to stdout: proof, log key, witness key.
`check`  reads a proof from stdin; further arguments are the log key and a witness key.
"""
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import note  # noqa: E402
from merkle import check_inclusion, inclusion, leaf  # noqa: E402
from writer import Clock, Stream, record_hash  # noqa: E402

SERVICE = "booking/pod-7/0123456789abcdef"
ORIGIN = f"log.example/{SERVICE}"


def lines(stream):
    stream.sync()
    return stream.path.read_text().splitlines()


def build(folder):
    clock = Clock()
    audit, catalog = (Stream(folder / c, f"{SERVICE}/{c}", "", clock) for c in ("audit", "catalog"))
    for stream in (audit, catalog):
        stream.start("chain.genesis")
    for n in range(40):
        audit.append("booking.created", data={"passenger": f"Zoë \"{n}\""})
        catalog.append("seal.heartbeat", data={"up": n})
    catalog.append("seal.head", data={"up": 41, "of": audit.sid, "size": audit.seq, "root": audit.tree.root().hex()})
    catalog.append("seal.heartbeat", data={"up": 42})
    index = catalog.seq - 2
    log = note.Key.new(ORIGIN)
    base = note.Key.new("witness.example/w1")
    witness = note.Key(base.name, note.COSIG, base.pub, base.priv)
    text = note.checkpoint_text(ORIGIN, catalog.seq, catalog.tree.root())
    checkpoint = note.sign(text, log, note.Key.new(f"{ORIGIN}/e0")) + witness.line(text, int(clock.t))
    extra = json.dumps({"record": lines(audit)[7], "path": [note.b64(h) for h in inclusion(audit.leaves, 7)], "head": lines(catalog)[index]})
    path = "".join(note.b64(h) + "\n" for h in inclusion(catalog.leaves, index))
    proof = f"c2sp.org/tlog-proof@v1\nextra {note.b64(extra.encode())}\nindex {index}\n{path}\n{checkpoint}"
    print(json.dumps({"proof": proof, "log": log.vkey(), "witness": witness.vkey()}))


def leaf_of(line):
    return leaf(record_hash(bytes.fromhex(line[-140:-76]), line.encode()[:-154]))


def check(proof, log, witness):
    front, _, checkpoint = proof.partition("\n\n")
    magic, extra, index, *path = front.split("\n")
    x = json.loads(note.unb64(extra.removeprefix("extra ")))
    record, head = json.loads(x["record"]), json.loads(x["head"])
    _, size, root = note.checkpoint_fields(note.opened(checkpoint, log, witness))
    stated = head["data"]
    assert magic == "c2sp.org/tlog-proof@v1"
    assert head["event"] == "seal.head" and stated["of"] == record["stream"]
    assert check_inclusion(leaf_of(x["record"]), record["seq"], stated["size"], [note.unb64(p) for p in x["path"]], bytes.fromhex(stated["root"]))
    assert check_inclusion(leaf_of(x["head"]), int(index.split()[1]), size, [note.unb64(p) for p in path], root)


if sys.argv[2] == "build":
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
else:
    check(sys.stdin.read(), note.Key.parse(sys.argv[3]), note.Key.parse(sys.argv[4]))
