#!/usr/bin/env python3
"""Independent checker for compliance-log stores, written from FORMAT.md alone."""
import hashlib, json, os, re, sys
from collections import namedtuple

NAME = rb'[A-Za-z0-9._-]{1,64}'
START = re.compile(rb'\{"v":1,"stream":"(' + NAME + rb'/' + NAME + rb'/[0-9a-f]{16}/' + NAME + rb')","seq":(0|[1-9][0-9]{0,19}),')
SUFFIX = re.compile(rb',"prev_hash":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}')
SEGMENT = re.compile(r'[0-9]{20}\.jsonl')
EVENT = re.compile(rb'"event":"((?:chain|segment)\.[a-z]+)"')
Rec = namedtuple('Rec', 'off end raw stream seq prev hash event data why')   # why: None if the line is good
Bad = namedtuple('Bad', 'verdict file line seq off note')
sha = lambda b: hashlib.sha256(b).digest()


def parse(raw, off):
    def bad(why): return Rec(off, off + len(raw), raw, None, None, None, None, None, {}, why)
    if not raw.endswith(b'\n'): return bad('no newline')
    if len(raw) > 65535: return bad('too long')
    line = raw[:-1]
    if line and min(line) < 0x20: return bad('control byte')
    try: line.decode('utf-8')
    except UnicodeDecodeError: return bad('not UTF-8')
    start, suffix, body = START.match(line), SUFFIX.fullmatch(line[-154:]), line[:-154]
    if not start or not suffix or start.end() > len(body) or int(start[2]) >= 1 << 64: return bad('framing')
    if b'"prev_hash":"' in body: return bad('prev_hash in body')
    prev, own = (bytes.fromhex(x.decode()) for x in suffix.groups())
    if sha(b'compliance-log/v1/record\0' + prev + body) != own: return bad('own hash')
    event, data = None, {}
    if EVENT.search(body):
        try: obj = json.loads(body + b'}'); event = obj.get('event'); data = obj.get('data', {})
        except ValueError: pass
    return Rec(off, off + len(raw), raw, start[1].decode(), int(start[2]), prev, own, event, data if isinstance(data, dict) else {}, None)


def split(data):
    pos = 0
    while pos < len(data):
        end = data.find(b'\n', pos) + 1 or len(data)
        yield parse(data[pos:end], pos)
        pos = end


def genesis_hash(stream):
    return sha(b'compliance-log/v1/genesis\0' + b''.join(len(p).to_bytes(4, 'big') + p for p in stream.encode().split(b'/')))


def read_head(path):
    try: data = open(path, 'rb').read()
    except FileNotFoundError: return None
    slots = [data[i:i + 64] for i in (0, 64) if len(data) >= i + 64]
    good = [(int.from_bytes(s[8:16], 'big'), s[24:56]) for s in slots if sha(s[:56])[:8] == s[56:]]
    return max(good, default=None)


def hole(rec):
    body = rec.raw.rstrip(b'\n') if rec.raw.endswith(b'\n') else rec.raw
    runs = [m.span() for m in re.finditer(rb'\0+', body)]
    if len(runs) != 1: return False
    a, b = runs[0]
    return (a == 0 or (rec.off + a) % 512 == 0) and (b == len(body) or (rec.off + b) % 512 == 0)


def supersedes(rec, before):
    s = rec.data.get('supersedes') if rec.event == 'segment.header' else None
    return s if isinstance(s, dict) and s.get('segment') == before and isinstance(s.get('offset'), int) else None


def check_stream(folder, channel):
    """-> (first Bad or None, good records, stream id)"""
    names = sorted(n for n in os.listdir(folder) if SEGMENT.fullmatch(n))
    segs = [(n, list(split(open(os.path.join(folder, n), 'rb').read()))) for n in names]
    head = read_head(os.path.join(folder, 'head'))
    bound = head[0] if head else -1
    torn_file = None
    if len(segs) > 1:                                             # section 6: crash before the new header was complete
        (old, before), (new, recs) = segs[-2:]
        first, last = int(new[:20]), next((r for r in reversed(before) if not r.why), None)
        if (not (recs and recs[0].event == 'segment.header') and not any(supersedes(r, old) for r in recs) and first > bound
                and last and (last.seq >= first or last.seq == first - 1 and last.event != 'segment.footer')):
            torn_file = new; segs.pop()
    good = [r for _, rs in segs for r in rs if not r.why]
    if not good:
        return (Bad('MISSING_SEGMENT' if not segs else 'TRUNCATED', names[0] if names else 'head', 1, 0, 0, 'head knows records') if head
                else Bad('NOTHING_CHECKED', names[0] if names else '-', 1, 0, 0, 'no good record')), 0, None
    restated = {}                                                 # file -> (offset from which it is ignored)
    for (old, _), (new, recs) in zip(segs, segs[1:]):
        for r in recs:
            s = supersedes(r, old)
            if s: restated[old] = (s['offset'], new, r.seq); break
    stream = good[0].stream
    n, h, at, where_end = 0, genesis_hash(stream), None, None     # at: the record before; where_end: end of the file before
    for idx, (name, recs) in enumerate(segs):
        newest, cut = idx == len(segs) - 1, restated.get(name)
        if cut: recs = [r for r in recs if r.off < cut[0]]
        first = int(name[:20])
        before = segs[idx - 1][0] if idx else None
        if not recs:
            if newest and idx and at and at[1].event == 'segment.footer' and first == n: break
            if cut is None: return Bad('EDIT', name, 1, n, 0, 'empty segment'), len(good), stream
        elif not recs[0].why:
            r0 = recs[0]
            if r0.seq != first: return Bad('EDIT', name, 1, r0.seq, 0, 'name is not the first seq'), len(good), stream
            if first > n:
                if before and r0.event == 'segment.header' and r0.data.get('previous') == before:
                    return Bad('DELETE', *where_end, 'records gone at the end'), len(good), stream
                return Bad('MISSING_SEGMENT', name, 1, r0.seq, 0, f'expected {n}'), len(good), stream
        for i, r in enumerate(recs):
            def bad(verdict, note): return Bad(verdict, name, i + 1, r.seq if r.seq is not None else n, r.off, note), len(good), stream
            if r.why:
                rest = recs[i:]
                crash = all(b.why for b in rest) or all(hole(b) for b in rest if b.why)
                if newest and crash and not cut: return bad('TORN' if n > bound else 'TRUNCATED', r.why)
                return bad('EDIT', r.why)
            if r.stream != stream or r.stream.split('/')[3] != channel: return bad('SPLICE', 'stream')
            if r.seq != n: return bad('DUPLICATE/REORDER/INSERT' if r.seq < n else 'REORDER/GAP/DELETE', f'expected {n}')
            nxt = recs[i + 1:i + 3]
            if len(nxt) == 2 and not nxt[0].why and nxt[0].seq == n and nxt[1].prev == nxt[0].hash and not nxt[1].why: return bad('INSERT', 'twin')
            if r.prev != h:
                if n == 0: return bad('SPLICE', 'genesis link')
                return Bad('EDIT', at[0], at[2], at[1].seq, at[1].off, 'made again: next does not link'), len(good), stream
            if head and n == bound and r.hash != head[1]: return bad('EDIT', 'not the head file\'s hash')
            if (n == 0) != (r.event == 'chain.genesis'): return bad('EDIT', 'genesis missing or misplaced')
            if n == 0:
                d = r.data
                if [d.get(k) for k in ('service', 'instance', 'incarnation', 'channel')] != stream.split('/') or d.get('format') != 1: return bad('EDIT', 'genesis data')
            if r.event == 'segment.header':
                d, s = r.data, r.data.get('supersedes')
                if d.get('number') != idx: return bad('EDIT', f'header number {d.get("number")}, is {idx}')
                if isinstance(s, dict):
                    if (s.get('segment'), s.get('offset')) != (d.get('previous'), d.get('bytes')): return bad('EDIT', 'supersedes')
                    if s.get('offset') != 0 and s.get('segment') != before: return bad('EDIT', 'supersedes another file')
                    if s.get('offset') == 0 and s.get('segment', '')[:26] != name: return bad('EDIT', 'supersedes another file')
                elif i or (d.get('previous'), d.get('bytes')) != (before, where_end[3] if where_end else None): return bad('EDIT', 'header data')
            elif i == 0 and idx and at[1].event == 'segment.footer': return bad('EDIT', 'no header behind a footer')
            if r.event == 'segment.footer':
                if i != len(recs) - 1 and recs[i + 1].why is None: return bad('EDIT', 'footer is not last')
                if r.data.get('records') != i + 1: return bad('EDIT', f'footer counts {r.data.get("records")}, are {i + 1}')
            n, h, at = n + 1, r.hash, (name, r, i + 1)
        where_end = (name, len(recs) + 1, n, recs[-1].end if recs else 0)
        if not newest and not cut and at[1].event != 'segment.footer' and not torn_file: return Bad('EDIT', *where_end, 'no footer'), len(good), stream
    if n <= bound: return Bad('TRUNCATED', *where_end, f'head file knows {bound}'), len(good), stream
    if torn_file: return Bad('TORN', torn_file, 1, int(torn_file[:20]), 0, 'unfinished superseding file'), len(good), stream
    return None, len(good), stream


def check_store(store):
    codes, writers = set(), set()
    channels = sorted(c for c in os.listdir(os.path.join(store, 'streams')) if os.path.isdir(os.path.join(store, 'streams', c)))
    if 'audit' not in channels: print(f'{store}: NOTHING_CHECKED no streams/audit'); codes.add(2)
    for c in channels:
        bad, count, stream = check_stream(os.path.join(store, 'streams', c), c)
        if stream: writers.add(stream.rsplit('/', 1)[0])
        codes.add({None: 0, 'TORN': 4, 'NOTHING_CHECKED': 2}.get(bad and bad.verdict, 1))
        print(f'{store} {c}: ' + (f'{bad.verdict} file={bad.file} line={bad.line} seq={bad.seq} offset={bad.off} ({bad.note})' if bad else f'OK {count} records'))
    if len(writers) > 1: print(f'{store}: SPLICE streams of different writers'); codes.add(1)
    return codes


def main(argv):
    if len(argv) != 2: print('usage: foreign_checker.py DIR', file=sys.stderr); return 3
    try:
        is_store = lambda d: os.path.isdir(os.path.join(d, 'streams'))
        stores = [argv[1]] if is_store(argv[1]) else [os.path.join(argv[1], d) for d in sorted(os.listdir(argv[1]))
                                                      if not d.startswith('.new-') and is_store(os.path.join(argv[1], d))]
        codes = set().union(*(check_store(s) for s in stores)) or {2}
    except OSError as e: print(e, file=sys.stderr); return 3
    return next(c for c in (1, 3, 2, 4, 0) if c in codes)


sys.exit(main(sys.argv))
