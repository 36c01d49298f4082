"""The witness of the reference of the seal, whose folder is the first argument.

Reads JSON from stdin: the certificate and the root's vkey for `add-log`, then bodies for `add-checkpoint`.
Writes its key, and status and answer for each body.
"""
import json
import sys

sys.path.insert(0, sys.argv[1])
import note  # noqa: E402
from witness import Witness  # noqa: E402
from writer import Clock  # noqa: E402

asked = json.load(sys.stdin)
witness = Witness("witness.example/w1", Clock())
witness.add_log(asked["certificate"].removesuffix("\n"), note.Key.parse(asked["root"]))
answers = [witness.add_checkpoint(body) for body in asked["bodies"]]
print(json.dumps({"key": witness.key.vkey(), "answers": answers}))
