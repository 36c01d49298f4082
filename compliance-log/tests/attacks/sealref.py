"""sealref.py REFERENCE: what a reference implementation of the seal says of stores of ours. Reads a list of cases as
JSON, writes for each the verdicts with the root key, with a trusted checkpoint too, with a witness, and live; each
with its findings.

The layout and names there are those of an earlier cut of the format; each store gets a view in which they fit."""
import hashlib, json, pathlib, shutil, struct, sys, tempfile, types
sys.path.insert(0, sys.argv[1])
import note  # noqa: E402
import verify  # noqa: E402

NAMES = {"log.started": "log.start", "log.stopped": "log.stop"}


def short(stream):  # service/instance/incarnation/channel, there without the incarnation
    service, instance, _, channel = stream.split("/")
    return f"{service}/{instance}/{channel}"


def flat(line):  # fields of a fact stand in `data` here, at the root there
    record = json.loads(line)
    record |= record.pop("data", {})
    record["event"] = NAMES.get(record["event"], record["event"])
    if "of" in record:
        record["of"] = short(record["of"])
    return record


def genesis_prev(service, instance, channel, _tenant, incarnation):
    parts = [part.encode() for part in (service, instance, incarnation, channel)]
    named = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return hashlib.sha256(b"compliance-log/v1/genesis\0" + named).digest()


class Json:
    loads = staticmethod(flat)


ident = verify.ident
verify.json, verify.genesis_prev = Json, genesis_prev
verify.ident = lambda line: (lambda stream, seq: (stream and stream.count("/") == 3 and short(stream), seq))(*ident(line))


def view(store, to):
    (to / "seal").mkdir(parents=True)
    (to / "streams").mkdir()
    if (store / "seal/epochs").exists():
        shutil.copy(store / "seal/epochs", to / "seal/epochs")
    if (store / "seal/cert").exists():
        (to / "seal/cert").write_bytes((store / "seal/cert").read_bytes()[:-1])  # a single note, there
    for stream in (store / "streams").glob("*"):
        shutil.copytree(stream, to / ("catalog" if stream.name == "catalog" else f"streams/{stream.name}"))
    return to


def ask(case, to):
    store = view(pathlib.Path(case["store"]), to / "store")
    given = {"root": case["root"], "revoked": [tuple(revoked) for revoked in case["revoked"]]}
    if case["ledger"]:
        given["ops"] = view(pathlib.Path(case["ledger"]), to / "ledger")
    latest = {case["origin"]: case["cosigned"]}.get
    witness = types.SimpleNamespace(key=note.Key.parse(case["witness"]), latest=latest)
    for more in ({}, {"trusted": [case["trusted"]]}, {"witness": witness, "expect": [case["origin"]]}, {"live": True, "now": case["now"]}):
        report = verify.verify(store, **given, **more)
        yield report.verdict, [" ".join(map(str, found)) for found in report.found[:5]]


answers = []
for case in json.load(sys.stdin):
    with tempfile.TemporaryDirectory() as to:
        answers.append(list(ask(case, pathlib.Path(to))))
json.dump(answers, sys.stdout)
