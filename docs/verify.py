"""verify.py DIR: checks a store, or a folder of stores, without the compliance-log binary (docs/FORMAT.md).
It checks chains only: hashes, links, sequence, segments and the head file. Who wrote them is a matter of signatures.
Exit: 0 ok, 1 tampered, 2 nothing checked, 3 usage or I/O, 4 torn only (what a crash leaves)."""
import collections, hashlib, itertools, json, pathlib, re, struct, sys
NAME = re.compile(r"(\d{20})\.jsonl(?:\.superseded-(\d+))?")
LINE = re.compile(rb'(\{"v":1,"stream":"([\w.-]+/[\w.-]+/[0-9a-f]{16}/[\w.-]+)","seq":(0|[1-9]\d{0,19})(?=,)'
                  rb'[^\x00-\x1f]*),"prev_hash":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}\n')
HEADER = re.compile(rb'\{[^{]*"event":"segment\.header"')
Row = collections.namedtuple("Row", "file offset raw good")  # good: a Record, or None if it is none
Record = collections.namedtuple("Record", "stream seq prev hash header")  # header: the data of a segment.header
def check(line):
    """The record on a line whose own hash is right, else None."""
    m = LINE.fullmatch(line) if len(line) <= 65535 else None
    hashed = m and hashlib.sha256(b"compliance-log/v1/record\0" + bytes.fromhex(m[4].decode()) + m[1]).hexdigest()
    if m and hashed == m[5].decode() and b'"prev_hash":"' not in m[1]:
        return Record(m[2].decode(), int(m[3]), m[4].decode(), m[5].decode(), json.loads(line)["data"] if HEADER.match(line) else {})
def rows(path):
    """Every line with its place; a run of NUL bytes at the start of a line is a row of its own."""
    return [Row(path, m.start(), m[0], check(m[0])) for m in re.finditer(rb"\0+|[^\n]*\n|[^\n]+", path.read_bytes())]
def like_a_crash(rest):
    """Nothing good follows the bad bytes, or they are a hole: all NUL up to the next good line."""
    bad = list(itertools.takewhile(lambda row: not row.good, rest))
    return len(bad) == len(rest) or not b"".join(row.raw for row in bad).strip(b"\0")
def durable(folder):
    """(seq, hash) that were synced, from the newer valid slot of the head file; (-1, "") if there is none."""
    raw = (folder / "head").read_bytes() if (folder / "head").exists() else b""
    slots = [s for s in (raw[:64], raw[64:128]) if len(s) == 64 and hashlib.sha256(s[:56]).digest()[:8] == s[56:]]
    return max(((struct.unpack(">Q", s[8:16])[0], s[24:56].hex()) for s in slots), default=(-1, ""))
def segments(folder, bound):
    """All rows that count, oldest first, and one row for a file that a crash left without its header."""
    names = sorted((m[1], int(m[2] or 10**9), m[0]) for m in (NAME.fullmatch(p.name) for p in folder.iterdir()) if m)
    files, unfinished = [found for _, _, name in names if (found := rows(folder / name))], None
    supersedes = lambda found: [r.good.header["supersedes"] for r in found if r.good and "supersedes" in r.good.header]
    older, newest = [int(found[0].file.name[:20]) for found in files[-2:]] if len(files) > 1 else (-1, -1)
    if newest > bound and not supersedes(files[-1]) and like_a_crash(list(itertools.dropwhile(lambda row: row.good, files[-1]))):
        if older == newest or not any(row.good and row.good.header for row in files[-1]):
            unfinished = files[-1][0]._replace(raw=b"".join(row.raw for row in files.pop()))  # the file before remains the truth
    ends = [(supersedes(found) or [{}])[-1].get("offset", 1 << 64) for found in files[1:]] + [1 << 64]
    return [row for found, end in zip(files, ends) for row in found if row.offset < end], unfinished
def report(code, row, seq, why):
    place = f"line {row.file.read_bytes().count(10, 0, row.offset) + 1}, seq {seq}, byte offset {row.offset}, length {len(row.raw)}"
    return code, f"{'torn' if code == 4 else 'TAMPERED'}: {row.file}: {place}: {why}"
def check_stream(folder):
    """(exit code, what to print), up to the first bad record."""
    (bound, bound_hash), n, stream, prev, last = durable(folder), 0, "", "", Row(folder / "head", 0, b"", None)
    all_rows, unfinished = segments(folder, bound)
    for i, row in enumerate(all_rows):
        good, after = row.good, [r.good for r in all_rows[i + 1:i + 3] if r.good]
        if good and not stream:
            stream, named = good.stream, b"".join(struct.pack(">I", len(part)) + part.encode() for part in good.stream.split("/"))
            prev = hashlib.sha256(b"compliance-log/v1/genesis\0" + named).hexdigest()
        if not good and row.file == all_rows[-1].file and n > bound and like_a_crash(all_rows[i:]):
            return report(4, row._replace(raw=b"".join(r.raw for r in all_rows[i:])), n, "bytes that were never synced")
        why = ("a segment is missing or not in its place" if row.offset == 0 and int(row.file.name[:20]) != n else
               "no record, or its hash is of other bytes" if not good else
               "a record of another stream" if good.stream != stream or stream.split("/")[3] != folder.name else
               f"seq {good.seq} is inserted, repeated or moved, or others are deleted" if good.seq != n else
               "inserted: the next links past it" if len(after) == 2 and after[0].seq == n and after[1].prev == after[0].hash != good.hash else
               "the head file says that other bytes were synced" if n == bound and good.hash != bound_hash else None)
        if why or good.prev != prev:
            return report(1, row, n, why or "its link is not that of a genesis") if why or n == 0 else report(1, last, n - 1, "the next record links to other bytes")
        n, prev, last = n + 1, good.hash, row
    if n <= bound:
        return report(1, last._replace(offset=last.offset + len(last.raw), raw=b""), n, f"cut off, though seq {bound} was synced")
    return report(4, unfinished, n, "a new file that a crash left without its header") if unfinished else \
        (0, f"ok: {stream}: {n} records, seq 0 to {n - 1}, synced to {bound}") if n else (2, f"nothing: {folder}")
def main(arguments):
    if len(arguments) != 1 or arguments[0].startswith("-"):
        return print(__doc__, file=sys.stderr) or 3
    root = pathlib.Path(arguments[0])
    stores = [root] if (root / "streams").is_dir() else sorted(p for p in root.glob("*") if (p / "streams").is_dir())
    try:
        results = [check_stream(f) for store in stores for f in sorted((store / "streams").iterdir()) if f.is_dir()]
    except OSError as error:
        return print(f"cannot read: {error}", file=sys.stderr) or 3
    print("\n".join(text for _, text in results) or f"nothing to check in {root}")
    return next((code for code in (1, 2, 4, 0) if code in [code for code, _ in results]), 2)
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
