"""sealref.py REFERENCE STORE ROOT_KEY: what a reference implementation of the seal says of a store of ours.
Its layout and names are those of an earlier cut of the format; this gives it a view in which they fit.
Prints the verdict, and the findings after it."""
import hashlib, json, pathlib, struct, sys, tempfile
reference, store, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
sys.path.insert(0, str(reference))
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
with tempfile.TemporaryDirectory() as view:
    view = pathlib.Path(view)
    (view / "streams").mkdir()
    (view / "seal").mkdir()
    (view / "seal/epochs").symlink_to(store / "seal/epochs")
    (view / "seal/cert").write_bytes((store / "seal/cert").read_bytes()[:-1])  # a single note, there
    (view / "catalog").symlink_to(store / "streams/catalog")
    for stream in (store / "streams").iterdir():
        if stream.name != "catalog":
            (view / "streams" / stream.name).symlink_to(stream)
    report = verify.verify(view, root=root)
print(report.verdict, report.size, report.checked)
for finding in report.found:
    print(*finding)
