"""Tests of verify.py on stores made here, byte by byte, from docs/FORMAT.md: python3 -m unittest docs/test_verify.py

With COMPLIANCE_LOG_BIN=<path of the built command>, the command judges every store too and must agree."""
import contextlib
import hashlib
import importlib.util
import io
import itertools
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("verify", HERE / "verify.py")
verify = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(verify)

COMMAND = os.environ.get("COMPLIANCE_LOG_BIN")
NAMES = ("booking-api", "host-1", "00112233445566ff")


class Stream:
    """Writes one stream as a service would."""

    def __init__(self, store, channel="audit", names=NAMES):
        self.id = "/".join((*names, channel))
        self.folder = store / "streams" / channel
        self.folder.mkdir(parents=True)
        named = b"".join(struct.pack(">I", len(n)) + n.encode() for n in (*names, channel))
        self.prev = hashlib.sha256(b"compliance-log/v1/genesis\0" + named).digest()
        self.seq, self.lines = 0, []
        self.open_segment()
        self.add("chain.genesis", '{"format":1}')

    def line(self, seq, prev, event, data="{}", note="x"):
        body = (
            f'{{"v":1,"stream":"{self.id}","seq":{seq},"timestamp":"2026-11-24T03:20:00.{seq:06}Z","category":"security","level":"INFO",'
            f'"event":"{event}","service_name":"{self.id.split("/")[0]}","env":"prod","message":"{note}","data":{data},"policy":"0badc0de"'
        ).encode()
        digest = hashlib.sha256(b"compliance-log/v1/record\0" + prev + body).digest()
        return body + f',"prev_hash":"{prev.hex()}","hash":"{digest.hex()}"}}\n'.encode(), digest

    def add(self, event, data="{}", note="x"):
        line, self.prev = self.line(self.seq, self.prev, event, data, note)
        with self.file.open("ab") as out:
            out.write(line)
        self.lines.append(line)
        self.seq += 1
        return line

    def add_many(self, count):
        for _ in range(count):
            self.add("booking.created", f'{{"n":{self.seq}}}')
        return self

    def open_segment(self):
        self.file = self.folder / f"{self.seq:020}.jsonl"

    def rotate(self):
        self.add("segment.footer", '{"records":1,"reason":"size"}')
        previous = self.file
        self.open_segment()
        self.add("segment.header", f'{{"number":1,"previous":"{previous.name}","bytes":{previous.stat().st_size}}}')
        return self

    def sync(self, slot=0):
        """Writes one slot of the head file."""
        fields = struct.pack(">QQQ", int(self.file.name[:20]), self.seq - 1, self.file.stat().st_size) + self.prev
        head = self.folder / "head"
        raw = bytearray(head.read_bytes() if head.exists() else bytes(128))
        raw[slot * 64 : slot * 64 + 64] = fields + hashlib.sha256(fields).digest()[:8]
        head.write_bytes(raw)
        return self

    def supersede(self, first, header=True):
        """Restates everything from `first` on in a new file, as after a failed sync."""
        old, lines = self.file, self.lines[first:]
        offset = 0
        for line in old.read_bytes().splitlines(keepends=True):
            if b'"seq":%d,' % first in line:
                break
            offset += len(line)
        self.file = self.folder / f"{first:020}.jsonl"
        if self.file == old:
            old = old.rename(old.with_name(old.name + ".superseded-1"))
        self.file.write_bytes(b"".join(lines))
        if header:
            segment = self.file.name if offset == 0 else old.name
            self.add(
                "segment.header",
                f'{{"number":1,"previous":"{segment}","bytes":{offset},"supersedes":{{"segment":"{segment}","offset":{offset}}}}}',
            )
        return old, offset


class VerifyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.store = self.root / "host-1-00112233445566ff"

    def check(self, code, file=None, offset=None, seq=None, root=None):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            got = verify.main(root or self.root)
        self.assertEqual(got, code, out.getvalue())
        if COMMAND:
            self.command_agrees(root or self.root, code, file, offset)
        if file is not None:
            found = re.search(r": (\S+): line (\d+), seq (\d+), byte offset (\d+),", out.getvalue())
            self.assertIsNotNone(found, out.getvalue())
            self.assertEqual((pathlib.Path(found[1]).name, int(found[4])), (file.name, offset), out.getvalue())
            if seq is not None:
                self.assertEqual(int(found[3]), seq, out.getvalue())
        return out.getvalue()

    def command_agrees(self, root, code, file, offset):
        run = subprocess.run([COMMAND, "verify", "--json", root], capture_output=True, text=True)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        if file is not None:
            findings = [f for store in json.loads(run.stdout)["stores"] for f in store["findings"] if "offset" in f]
            if not findings:  # about a whole stream
                return
            grave = [f for f in findings if f["verdict"] != "TORN"] or findings
            self.assertIn((file.name, offset), sorted((pathlib.Path(f["file"]).name, f["offset"]) for f in grave)[:1], run.stdout)

    def lines(self, stream):
        return stream.file.read_bytes().splitlines(keepends=True)

    def rewrite(self, stream, lines):
        stream.file.write_bytes(b"".join(lines))

    def at(self, lines, index):
        return sum(len(line) for line in lines[:index])

    # Clean

    def test_one_segment(self):
        Stream(self.store).add_many(5).sync()
        self.assertIn("6 records, seq 0 to 5, synced to 5", self.check(0))
        self.check(0, root=self.store)

    def test_an_empty_new_file_behind_a_footer_is_a_rotation_under_way(self):
        stream = Stream(self.store).add_many(3)
        stream.rotate().file.write_bytes(b"")
        self.check(0)

    def test_two_streams_two_stores_without_heads(self):
        Stream(self.store).add_many(2)
        Stream(self.store, "app").add_many(3)
        Stream(self.root / "other", names=("booking-api", "host-2", "ff" * 8)).add_many(1)
        self.assertEqual(self.check(0).count("ok:"), 3)

    def test_rotated(self):
        Stream(self.store).add_many(3).rotate().add_many(3).rotate().add_many(2).sync()
        self.check(0)

    def test_superseded_in_the_middle(self):
        stream = Stream(self.store).add_many(4).sync().add_many(3)
        stream.supersede(5)
        stream.add_many(2).sync(1)
        self.check(0)

    def test_superseded_remains_of_the_old_file_are_ignored(self):
        stream = Stream(self.store).add_many(4).sync().add_many(3)
        old, offset = stream.supersede(5)
        stream.add_many(2).sync(1)
        old.write_bytes(old.read_bytes()[:offset] + b"\0" * 40 + b"junk")
        self.check(0)

    def test_superseded_from_its_first_byte(self):
        stream = Stream(self.store).add_many(4)
        stream.supersede(0)
        stream.add_many(2).sync()
        self.check(0)

    def test_superseded_twice(self):
        stream = Stream(self.store).add_many(4).sync().add_many(3)
        stream.supersede(5)
        stream.add_many(2).sync(1).add_many(2)
        stream.supersede(stream.seq - 1)
        stream.add_many(1).sync()
        self.check(0)

    def test_quarantined_bytes_do_not_count(self):
        stream = Stream(self.store).add_many(2).sync()
        (stream.folder / (stream.file.name + ".torn-77")).write_bytes(b"\0half a li")
        stream.add("chain.recovery")
        self.check(0)

    # Torn

    def test_half_a_line(self):
        stream = Stream(self.store).add_many(3).sync().add_many(2)
        raw = stream.file.read_bytes()
        stream.file.write_bytes(raw[:-20])
        self.check(4, stream.file, len(raw) - len(stream.lines[-1]), 5)

    def test_a_line_without_its_newline(self):
        stream = Stream(self.store).add_many(3).sync().add_many(1)
        stream.file.write_bytes(stream.file.read_bytes()[:-1])
        self.check(4, stream.file, self.at(stream.lines, 4), 4)

    def test_nul_tail(self):
        stream = Stream(self.store).add_many(3).sync()
        size = stream.file.stat().st_size
        with stream.file.open("ab") as out:
            out.write(b"\0" * 500)
        self.check(4, stream.file, size, 4)

    def test_a_hole_of_nul_before_good_lines(self):
        stream = Stream(self.store).add_many(3).sync().add_many(6)
        raw = bytearray(stream.file.read_bytes())
        raw[2048:2560] = bytes(512)
        stream.file.write_bytes(raw)
        self.assertLess(self.at(stream.lines, 4), 2048)
        self.check(4, stream.file, self.at(stream.lines, 4), 4)

    def test_zeros_elsewhere_than_between_sectors_are_no_hole(self):
        stream = Stream(self.store).add_many(3).sync().add_many(6)
        raw = bytearray(stream.file.read_bytes())
        raw[2049:2560] = bytes(511)
        stream.file.write_bytes(raw)
        self.check(1, stream.file, self.at(stream.lines, 4), 4)

    def test_a_segment_header_cut_short(self):
        stream = Stream(self.store).add_many(3).rotate()
        stream.file.write_bytes(stream.file.read_bytes()[:50])
        self.check(4, stream.file, 0)

    def test_superseding_file_without_its_header(self):
        stream = Stream(self.store).add_many(4).sync().add_many(3)
        stream.supersede(5, header=False)
        self.check(4, stream.file, 0)

    def test_a_torn_old_file_below_an_unfinished_new_one(self):
        stream = Stream(self.store).add_many(4).sync().add_many(3)
        old, _ = stream.supersede(5, header=False)
        raw = old.read_bytes()
        old.write_bytes(raw[:-9])
        self.check(4, old, len(raw) - len(stream.lines[7]))

    def test_an_empty_new_file(self):
        stream = Stream(self.store).add_many(3)
        (stream.folder / f"{4:020}.jsonl").touch()
        self.check(4, stream.folder / f"{4:020}.jsonl", 0)

    # Tampered

    def test_every_flipped_bit_of_durable_records(self):
        stream = Stream(self.store).add_many(2).sync()
        raw = stream.file.read_bytes()
        ends = list(itertools.accumulate(map(len, stream.lines)))
        for bit in range(0, len(raw) * 8, 31):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            stream.file.write_bytes(flipped)
            self.check(1, stream.file, max(end for end in [0, *ends] if end <= bit // 8))

    def test_edit_above_the_bound_before_good_lines(self):
        stream = Stream(self.store).add_many(6)
        lines = self.lines(stream)
        lines[3] = lines[3].replace(b'"n":3', b'"n":9')
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 3), 3)

    def test_rehashed_edit_names_the_edited_record(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        prev = bytes.fromhex(re.search(rb'"hash":"(\w+)"', lines[2])[1].decode())
        lines[3] = stream.line(3, prev, "booking.created", '{"n":99}')[0]
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 3), 3)

    def test_a_rehashed_record_in_place_of_the_header(self):
        stream = Stream(self.store).add_many(2).rotate()
        prev = bytes.fromhex(re.search(rb'"prev_hash":"(\w+)"', stream.lines[-1])[1].decode())
        self.rewrite(stream, [stream.line(stream.seq - 1, prev, "booking.created")[0]])
        self.check(1, stream.file, 0)

    def test_deleted_at_the_end_of_an_older_segment(self):
        stream = Stream(self.store).add_many(3)
        older = stream.file
        stream.rotate()
        raw = b"".join(stream.lines[:3])
        older.write_bytes(raw)
        self.check(1, older, len(raw), 3)

    def test_deleted(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        del lines[3]
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 3), 3)

    def test_repeated(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        lines.insert(4, lines[3])
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 4))

    def test_moved(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        lines[3], lines[4] = lines[4], lines[3]
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 3))

    def test_inserted(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        prev = bytes.fromhex(re.search(rb'"hash":"(\w+)"', lines[2])[1].decode())
        lines.insert(3, stream.line(3, prev, "booking.created", '{"n":99}')[0])
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 3), 3)

    def test_cut_off_at_a_line(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        self.rewrite(stream, lines[:-2])
        self.check(1, stream.file, self.at(lines, 5), 5)

    def test_cut_off_within_a_line(self):
        stream = Stream(self.store).add_many(6).sync()
        raw = stream.file.read_bytes()
        stream.file.write_bytes(raw[:-9])
        self.check(1, stream.file, self.at(stream.lines, 6), 6)

    def test_the_last_record_rewritten(self):
        stream = Stream(self.store).add_many(6).sync()
        lines = self.lines(stream)
        prev = bytes.fromhex(re.search(rb'"prev_hash":"(\w+)"', lines[6])[1].decode())
        lines[6] = stream.line(6, prev, "booking.created", '{"n":99}')[0]
        self.rewrite(stream, lines)
        self.check(1, stream.file, self.at(lines, 6), 6)

    def test_bad_bytes_at_the_end_of_an_older_segment(self):
        stream = Stream(self.store).add_many(2)
        older = stream.file
        stream.rotate().add_many(1)
        size = older.stat().st_size
        with older.open("ab") as out:
            out.write(b"half a li")
        self.check(1, older, size)

    def test_a_missing_segment(self):
        stream = Stream(self.store).add_many(2).rotate()
        middle = stream.file
        stream.add_many(2).rotate().sync()
        middle.unlink()
        self.check(1, stream.file, 0)

    def test_all_segments_missing(self):
        stream = Stream(self.store).add_many(2).sync()
        stream.file.unlink()
        self.check(1)

    def test_a_stream_of_another_store(self):
        stream = Stream(self.store, "audit", ("booking-api", "host-2", "ff" * 8)).add_many(2)
        stream.folder.rename(stream.folder.with_name("app"))
        self.check(1, stream.folder.with_name("app") / stream.file.name, 0)

    def test_a_finished_superseding_file_damaged_in_its_header(self):
        stream = Stream(self.store).add_many(4).sync().add_many(3)
        stream.supersede(5)
        header = len(self.lines(stream)) - 1
        stream.add_many(2).sync(1)
        lines = self.lines(stream)
        lines[header] = lines[header].replace(b'"number":1', b'"number":2')
        self.rewrite(stream, lines)
        self.check(1)

    # The page itself

    def test_the_worked_example_of_the_format(self):
        text = (HERE / "FORMAT.md").read_text()
        lines = re.search(r"```jsonl\n(.*?)```", text, re.DOTALL)[1]
        folder = self.store / "streams" / "audit"
        folder.mkdir(parents=True)
        (folder / f"{0:020}.jsonl").write_text(lines)
        self.assertIn("2 records", self.check(0))
        slot = struct.pack(">QQQ", 0, 1, len(lines)) + bytes.fromhex(lines[-67:-3])
        (folder / "head").write_bytes(slot + hashlib.sha256(slot).digest()[:8])
        self.assertIn("synced to 1", self.check(0))
        self.assertIn(hashlib.sha256(slot).hexdigest()[:16], text)
        genesis = "".join(re.search(r"in hex: \| (.*) \|", text)[1].replace("`", "").split())
        self.assertEqual(len(genesis), 160)
        self.assertIn(f'"prev_hash":"{hashlib.sha256(bytes.fromhex(genesis)).hexdigest()}"', lines)
        for seq, line in enumerate(lines.splitlines()):
            self.assertIn(f"| body of seq {seq} | {len(line.encode()) - 154} |", text)

    # Several, none, usage

    def test_tampered_counts_before_torn(self):
        stream = Stream(self.store).add_many(2)
        stream.file.write_bytes(stream.file.read_bytes()[:-5])
        other = Stream(self.root / "other", names=("booking-api", "host-2", "ff" * 8)).add_many(2).sync()
        self.check(4, root=self.store)
        other.file.write_bytes(other.file.read_bytes()[:-5])
        self.check(1)

    def test_nothing(self):
        self.check(2)
        self.check(2, root=self.root / "missing")
        (self.store / "streams" / "audit").mkdir(parents=True)
        self.check(2)

    def test_a_store_without_its_audit_stream_is_not_wholly_checked(self):
        Stream(self.store, "app").add_many(2)
        self.check(2)

    def test_nothing_but_torn_bytes(self):
        stream = Stream(self.store)
        stream.file.write_bytes(stream.file.read_bytes()[:-5])
        self.check(2, stream.file, 0)

    def test_streams_of_two_stores_in_one(self):
        stream = Stream(self.store, "audit").add_many(2)
        other = Stream(self.root / "other", "app", ("booking-api", "host-2", "ff" * 8))
        other.folder.rename(self.store / "streams" / "app")
        self.check(1, stream.file, 0, root=self.store)

    def test_a_store_without_streams(self):
        self.store.mkdir()
        self.check(2)

    def test_usage(self):
        for arguments in ([], ["--json"], [".", "."]):
            run = subprocess.run([sys.executable, HERE / "verify.py", *arguments], capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stdout), (3, ""))
            self.assertIn("verify.py DIR", run.stderr)


if __name__ == "__main__":
    unittest.main()
