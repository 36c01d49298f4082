"""verify.py DIR: checks a store, or a folder of stores, without the compliance-log binary (docs/FORMAT.md).
It checks chains only: hashes, links, sequence, segments and the head file. Who wrote them is a matter of signatures.
Exit: 0 ok, 1 tampered, 2 nothing checked, 3 usage or I/O, 4 torn only (what a crash leaves)."""
import collections, hashlib, itertools, json, pathlib, re, struct, sys
LINE = re.compile(rb'(\{"v":1,"stream":"([\w.-]+/[\w.-]+/[0-9a-f]{16}/[\w.-]+)","seq":(0|[1-9]\d{0,19})(?=,)'
                  rb'[^\x00-\x1f]*),"prev_hash":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}\n')
HEADER, FOOTER = re.compile(rb'\{[^{]*"event":"(segment\.header|chain\.genesis)"'), re.compile(rb'\{[^{]*"event":"segment\.footer"')
Row = collections.namedtuple("Row", "file offset raw good")  # good: a Record, or None if the line is none
Record = collections.namedtuple("Record", "stream seq prev hash header")  # header: the data of a segment.header or genesis
def check(line):  # the record on a line whose own hash is right
    m = LINE.fullmatch(line) if len(line) <= 65535 else None
    hashed = m and hashlib.sha256(b"compliance-log/v1/record\0" + bytes.fromhex(m[4].decode()) + m[1]).hexdigest()
    if m and hashed == m[5].decode() and b'"prev_hash":"' not in m[1]:
        return Record(m[2].decode(), int(m[3]), m[4].decode(), m[5].decode(), json.loads(line)["data"] if HEADER.match(line) else {})
def like_a_crash(rest):  # no good line follows, or the bad ones hold one run of NUL from and to an end of the line or a 512-byte sector
    bad = [(row.offset, re.fullmatch(rb"([^\0]*)\0+([^\0]*)\n?", row.raw)) for row in itertools.takewhile(lambda row: not row.good, rest)]
    hole = lambda at, m: m and not (m[1] and (at + m.end(1)) % 512) and not (m[2] and (at + m.start(2)) % 512)
    return len(bad) == len(rest) or all(hole(at, m) for at, m in bad)
def durable(folder):  # (seq, hash) that were synced, from the newer valid slot of the head file
    raw = (folder / "head").read_bytes() if (folder / "head").exists() else b""
    slots = [s for s in (raw[:64], raw[64:128]) if len(s) == 64 and hashlib.sha256(s[:56]).digest()[:8] == s[56:]]
    return max(((struct.unpack(">Q", s[8:16])[0], s[24:56].hex()) for s in slots), default=(-1, ""))
def segments(folder, bound):  # the rows of each file that count, oldest first, and one row for a new file without the header it needs
    files = [[Row(p, m.start(), m[0], check(m[0])) for m in re.finditer(rb"[^\n]*\n|[^\n]+|^\Z", p.read_bytes())]
             for p in sorted(folder.iterdir()) if re.fullmatch(r"\d{20}\.jsonl", p.name)]
    for i in range(1, len(files)):
        old, new, first = files[i - 1], files[i], int(files[i][0].file.name[:20])
        last = next((row for row in reversed(old) if row.good), None)
        cuts = [s["offset"] for r in new if r.good and (s := r.good.header.get("supersedes")) and s["segment"] == old[0].file.name]
        if cuts:
            files[i - 1] = [row for row in old if row.offset < cuts[0]]
        elif i == len(files) - 1 and first > bound and last and not (new[0].good and new[0].good.header) and \
                (last.good.seq >= first or last.good.seq == first - 1 and not FOOTER.match(last.raw)):
            return files[:-1], new[0]._replace(raw=b"".join(row.raw for row in new))  # the file before it remains the truth
    return files, None
def check_stream(folder, writers):  # exit code and what to print, up to the first bad record
    def report(code, row, seq, why):
        return code, f"{'TAMPERED' if code == 1 else 'torn'}: {row.file}: line {row.file.read_bytes().count(10, 0, row.offset) + 1}, " \
            f"seq {seq}, byte offset {row.offset}, length {len(row.raw)}: {why}"
    (bound, bound_hash), n, stream, prev, last, end = durable(folder), 0, "", "", None, Row(folder / "head", 0, b"", None)
    files, unfinished = segments(folder, bound) if folder.is_dir() else ([], None)
    all_rows = [row for found in files for row in found]
    for i, row in enumerate(all_rows):
        good, after, first, begins = row.good, [r.good for r in all_rows[i + 1:i + 3] if r.good], int(row.file.name[:20]), row.offset == 0
        if good and not stream:
            stream, named = good.stream, b"".join(struct.pack(">I", len(part)) + part.encode() for part in good.stream.split("/"))
            prev = hashlib.sha256(b"compliance-log/v1/genesis\0" + named).hexdigest()
        if not good and row.raw and row.file == all_rows[-1].file and n > bound and like_a_crash(all_rows[i:]):
            return report(4 if n else 2, row._replace(raw=b"".join(r.raw for r in all_rows[i:])), n, "bytes that were never synced")
        if begins and first > n and good and good.seq > n and good.header.get("previous") == end.file.name:
            return report(1, end, n, "records are missing at the end of this file")
        why = ("" if not row.raw else
               "a segment is missing or not in its place" if begins and first != n else
               "no record, or its hash is of other bytes" if not good else
               "a record of another stream" if good.stream != f"{writers.setdefault(folder.parent, stream.rpartition('/')[0])}/{folder.name}" else
               f"seq {good.seq} is inserted, repeated or moved, or others are deleted" if good.seq != n else
               "inserted" if len(after) == 2 and after[0].seq == n and after[1].prev == after[0].hash != good.hash else
               "its file begins with no header" if begins and not good.header and [r.seq for r in after[:1]] != [n] and (n == 0 or FOOTER.match(last.raw)) else
               "the head file says that other bytes were synced" if n == bound and good.hash != bound_hash else "")
        if why or good and good.prev != prev:
            return report(1, row, n, why or "no genesis") if why or n == 0 else report(1, last, n - 1, "the next record links to other bytes")
        n, prev, last = (n + 1, good.hash, row) if good else (n, prev, last)
        end = row._replace(offset=row.offset + len(row.raw), raw=b"")
    if n <= bound or unfinished:
        return report(1, end, n, f"cut off, though seq {bound} was synced") if n <= bound else report(4, unfinished, n, "a file without its header")
    return (0, f"ok: {stream}: {n} records, seq 0 to {n - 1}" + (f", synced to {bound}" if bound >= 0 else "")) if n else (2, f"nothing: {folder}")
def main(root):
    writers, named = {}, re.compile(r".*-[0-9a-f]{16}")
    stores = [root] if (root / "streams").is_dir() else [d for d in sorted(root.glob("*"))
        if not re.match(r"\.new-|.*\.keys$", d.name) if (d / "streams").is_dir() or d.is_dir() and named.fullmatch(d.name)]
    try:
        folders = [f for d in stores for f in sorted({d / "streams" / "audit", *(d / "streams").glob("*")}) if f.name == "audit" or f.is_dir()]
        results = [check_stream(folder, writers) for folder in folders]
    except OSError as error:
        return print(f"cannot read: {error}", file=sys.stderr) or 3
    print("\n".join(text for _, text in results) or f"nothing to check in {root}", "chains only: no seal was checked, nor who wrote them", sep="\n")
    return next((code for code in (1, 2, 4, 0) if code in [code for code, _ in results]), 2)
if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])) if len(sys.argv) == 2 and sys.argv[1][:1] != "-" else print(__doc__, file=sys.stderr) or 3)
