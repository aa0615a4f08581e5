#!/usr/bin/env python3
"""lost.py DIR WHAT [STEP]: smtp-send against servers that die or refuse.

Plays the servers itself, on sockets in DIR, one run of smtp-send at a time, and
compares what they have with what was reported.  A server `has' a message once it
has heard all of its text and means to keep it, whether its reply got out or not.
Prints what is wrong, and how many runs there were; status 1 if anything was.

WHAT: a row of `ways' below and `said' or `heard' (dies behind each STEPth octet
of it), or `stages'.
"""
import os
import select
import socket
import subprocess
import sys

PATIENCE = 60
ways = {
    'bdat': dict(offers=['PIPELINING', 'CHUNKING', 'SIZE']),
    'data': dict(offers=['PIPELINING']),
    'lockstep': dict(offers=['CHUNKING']),
    'lmtp': dict(offers=['PIPELINING', 'CHUNKING', 'ENHANCEDSTATUSCODES'], lmtp=True),
    'refusing': dict(offers=['PIPELINING', 'CHUNKING'], say={'MAIL s3': '550 5.7.1 not you'}),
    'worn': dict(offers=['PIPELINING'], say={'MAIL s3': '452 4.3.0 too many messages'}),
    'several': dict(offers=['PIPELINING', 'CHUNKING']),
}
options = {'lmtp': ['--lmtp'], 'several': ['-c', '3']}
messages = [('s1', ['a1', 'a2']), ('s2', ['b1', 'no1']), ('s3', ['c1']),
            ('s4', ['no2']), ('s5', ['d1', 'd2', 'd3'])]
bad = runs = 0


class Server:
    """What all connections to one address share."""

    def __init__(self, path, offers=(), lmtp=False, say=None, cut=None, at=0,
                 always=False, most=1000):
        self.path, self.offers, self.lmtp = path, offers, lmtp
        self.say = say or {}        # 'MAIL', 'RCPT a1', 'TEXT s2': a reply, or EOF
        self.cut, self.at = cut, at  # 'said' or 'heard', octets
        self.always, self.most = always, most
        self.has = []               # (sender, recipient)
        self.sure = []              # and all of the reply has been written
        self.connections = self.octets = 0
        self.dead = False
        self.listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.listener.bind(path)
        self.listener.listen(8)

    def close(self):
        self.listener.close()
        os.unlink(self.path)


class Session:
    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.buf = b''
        self.out = []               # (octets, what is sure when they are out)
        self.octets = 0             # counted for the cut
        self.chunk = None           # (octets left, last)
        self.in_data = self.closing = False
        self.reset()
        server.connections += 1
        self.mortal = server.cut and (server.always or server.connections == 1)
        self.reply('CONNECT', '220 mx.test')

    def reset(self):
        self.sender, self.rcpts = None, []

    def reply(self, verb, text, sure=(), who=''):
        text = self.server.say.get(f'{verb} {who}', self.server.say.get(verb, text))
        if text == 'EOF' or self.closing:
            self.closing = True
            return '421'
        self.out.append(((text + '\r\n').encode(), list(sure)))
        if text.startswith('421'):
            self.closing = True
        return text

    def text_ends(self):
        s, kept = self.server, []
        if not self.rcpts:
            self.reply('NOBODY', '503 5.5.1 RCPT first')
        for r in self.rcpts if s.lmtp else self.rcpts[:1]:
            whose = [r] if s.lmtp else self.rcpts
            pairs = [(self.sender, x) for x in whose]
            had = len(self.out)
            said = self.reply('TEXT', '250 2.0.0 kept', pairs, self.sender)
            if said[0] == '2':
                kept += pairs
            elif len(self.out) > had:
                self.out[-1] = (self.out[-1][0], [])
        s.has += kept
        self.reset()

    def command(self, line):
        verb, arg = line[:4].upper(), line[line.find('<') + 1:line.find('@')]
        if verb in ('EHLO', 'LHLO'):
            words = ['mx.test'] + list(self.server.offers)
            self.reply(verb, '\r\n'.join('250' + ('-' if w is not words[-1] else ' ') + w
                                         for w in words))
        elif verb == 'MAIL':
            if self.reply(verb, '250 ok' if self.sender is None else '503 again?',
                          who=arg)[0] == '2':
                self.sender = arg
        elif verb == 'RCPT':
            text = '503 MAIL first' if self.sender is None else \
                '550 5.1.1 no such user' if arg.startswith('no') else \
                '452 4.5.3 too many' if len(self.rcpts) >= self.server.most else '250 ok'
            if self.reply(verb, text, who=arg)[0] == '2':
                self.rcpts.append(arg)
        elif verb == 'DATA':
            text = '354 go' if self.rcpts else '554 5.5.1 no valid recipients'
            self.in_data = self.reply(verb, text, who=self.sender or '')[0] == '3'
        elif verb == 'BDAT':
            words = line.split()
            self.chunk = [int(words[1]), len(words) > 2]
            self.chunk_ends()
        elif verb == 'RSET':
            self.reset()
            self.reply(verb, '250 reset')
        elif verb == 'QUIT':
            self.reply(verb, '221 bye')
            self.closing = True
        else:
            self.reply(verb, '500 what?')

    def chunk_ends(self):
        if self.chunk and self.chunk[0] == 0:
            last, self.chunk = self.chunk[1], None
            if last:
                self.text_ends()
            else:
                self.reply('CHUNK', '250 more' if self.rcpts else '503 RCPT first')

    def think(self):
        """One thing that has come whole; False: there is none."""
        if self.chunk:
            n = min(self.chunk[0], len(self.buf))
            self.buf, self.chunk[0] = self.buf[n:], self.chunk[0] - n
            self.chunk_ends()
            return n > 0
        at = self.buf.find(b'\r\n')
        if at < 0 or self.closing:
            return False
        line, self.buf = self.buf[:at].decode(), self.buf[at + 2:]
        if not self.in_data:
            self.command(line)
        elif line == '.':
            self.in_data = False
            self.text_ends()
        return True

    def write(self):
        """False: it dies.  All that has come is done by then, said or not."""
        for octets, sure in self.out:
            if self.mortal and self.server.cut == 'said':
                octets_left = self.server.at - self.octets
                if octets_left <= len(octets):
                    self.send(octets[:octets_left])
                    if octets_left == len(octets):
                        self.server.sure += sure
                    self.server.dead = True
                    return False
            self.octets += len(octets) if self.server.cut == 'said' else 0
            self.send(octets)
            self.server.sure += sure
        self.out = []
        return not self.closing

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except OSError:
            pass                    # it has gone: it will not believe us either

    def ready(self):
        """False: the session is over."""
        try:
            got = self.sock.recv(65536)
        except OSError:
            return False
        if not got:
            return False
        dies = False
        if self.mortal and self.server.cut == 'heard':
            left = self.server.at - self.octets
            dies = len(got) >= left
            got = got[:left]
            self.octets += len(got)
        self.buf += got
        while self.think():
            pass
        if dies:                    # what it did it did, and tells nobody
            self.server.dead = True
            return False
        return self.write()


def run(servers, lines, more=()):
    """The results and the status of one smtp-send."""
    args = ['smtp-send', '--helo=h', '--records', *more]
    for s in servers:
        args += ['-s', 'unix:' + (s if isinstance(s, str) else s.path)]
    live = {s.listener: s for s in servers if not isinstance(s, str)}
    p = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    p.stdin.write(lines)
    p.stdin.close()
    out, socks = b'', [p.stdout, *live]
    while p.stdout in socks:
        ready = select.select(socks, [], [], PATIENCE)[0]
        if not ready:
            p.kill()
            return None, -1
        for f in ready:
            if f is p.stdout:
                got = os.read(f.fileno(), 65536)
                out += got
                if not got:
                    socks.remove(f)
            elif f in live and isinstance(live[f], Server):
                c = f.accept()[0]
                live[c] = Session(live[f], c)
                socks.append(c)
                if not live[c].write():
                    socks.remove(c)
                    c.close()
            elif not live[f].ready():
                socks.remove(f)
                f.close()
    for f in socks:
        if f not in live or isinstance(live[f], Session):
            f.close()
    p.stdout.close()
    return [l.split('\t') for l in out.decode().splitlines()], p.wait()


def complain(name, text, results):
    global bad
    bad += 1
    if bad <= 10:
        print(f'{name}: {text}')
        for r in results or []:
            print('    ' + ' '.join(r[1:]))


def check(name, servers, results, status, wanted):
    """What was told, and what the servers have."""
    global runs
    runs += 1
    real = [s for s in servers if not isinstance(s, str)]
    has = sorted(x for s in real for x in s.has)
    sure = [x for s in real for x in s.sure]
    if results is None:
        return complain(name, 'it hangs', [])
    told = {}
    for r in results:
        who = (os.path.basename(r[0]), r[1].split('@')[0])
        if who in told:
            complain(name, f'{who} is told twice', results)
        told[who] = r
        if r[2] == 'delivered' and who not in sure:
            complain(name, f'{who} is not delivered', results)
        if r[2] != 'delivered' and 'possible duplicate' not in r[4] and who in has:
            complain(name, f'{who} is delivered and nobody knows', results)
        if 'possible duplicate' in r[4] and r[2] != 'deferred':
            complain(name, f'{who} is in doubt and not deferred', results)
    if sorted(told) != sorted(wanted):
        complain(name, 'not everybody is told', results)
    for x in set(has):
        if has.count(x) > 1:
            complain(name, f'{x} has it twice', results)
    fates = {r[2] for r in results}
    if ('deferred' in fates) != (status in (75, 76)) or \
            (fates == {'delivered'}) != (status == 0):
        complain(name, f'the status is {status}', results)
    return None


def records(directory, mails, size=0):
    os.makedirs(directory + '/new', exist_ok=True)
    lines = []
    for sender, rcpts in mails:
        path = f'{directory}/new/{sender}'
        with open(path, 'w', encoding='ascii') as f:
            f.write(f'Return-Path: <{sender}@x.test>\n')
            f.writelines(f'Delivered-To: {r}@y.test\n' for r in rcpts)
            f.write(f'Subject: {sender}\n\n.hi\n')
            f.write(('x' * 70 + '\n') * (size // 71))
            size = 0                # the first one alone is big
        lines.append('\t'.join([path, f'{sender}@x.test', *(r + '@y.test' for r in rcpts)]))
    return ('\n'.join(lines) + '\n').encode(), \
        [(s, r) for s, rcpts in mails for r in rcpts]


def cuts(directory, way, cut, step):
    lines, wanted = records(directory, messages)
    for always in (False, True):
        at = 1
        while True:
            s = Server(directory + '/a', **ways[way], cut=cut, at=at, always=always)
            results, status = run([s], lines, options.get(way, ()))
            check(f'{way} {cut} {at}{" always" * always}', [s], results, status, wanted)
            s.close()
            if not s.dead:
                break
            at += step


def stage(directory, name, say_a, want, status, has_a, has_b, first=None, **more):
    """Servers A and B: A says this; the fate, status, and who has got it."""
    lines, wanted = records(directory, [('s1', ['a1'])])
    a = first or Server(directory + '/a', say=say_a, **more)
    b = Server(directory + '/b', offers=['PIPELINING', 'CHUNKING'])
    results, got = run([a, b], lines)
    check(name, [a, b], results, got, wanted)
    seen = [results[0][2], got, len(a.has) if not first else 0, len(b.has)] if results else []
    if seen != [want, status, has_a, has_b]:
        complain(name, f'wanted {[want, status, has_a, has_b]}, got {seen}', results)
    b.close()
    if not first:
        a.close()


def two_servers(directory):
    stage(directory, 'connect', {}, 'delivered', 0, 0, 1, first=directory + '/none')
    for way in ('bdat', 'data', 'lockstep'):
        offers = ways[way]['offers']
        rows = [(v, t, 'delivered', 0, 0, 1) for v in ('CONNECT', 'EHLO')
                for t in ('450 4.3.0 later', '554 5.3.0 no', '421 4.3.2 bye', 'EOF')]
        rows = [r if r[:2] not in (('EHLO', 'EOF'), ('EHLO', '554 5.3.0 no')) else
                (*r[:2], 'delivered', 0, 0, 1) for r in rows]
        for v in ('MAIL', 'RCPT', 'TEXT') + (('DATA',) if way == 'data' else ()):
            rows += [(v, '450 4.3.0 later', 'deferred', 75, 0, 0),
                     (v, '550 5.3.0 no', 'failed', 69, 0, 0),
                     (v, '421 4.3.2 bye', 'deferred', 75, 0, 0),
                     (v, 'EOF', 'deferred', 75, 0, 0)]
        rows += [('RCPT', '550 5.1.1 who', 'failed', 67, 0, 0),
                 ('RCPT', '550 5.7.1 not you', 'failed', 77, 0, 0),
                 ('RCPT', '552 full', 'deferred', 75, 0, 0),
                 ('RCPT', '251 elsewhere', 'delivered', 0, 1, 0),
                 ('QUIT', 'EOF', 'delivered', 0, 1, 0),
                 ('QUIT', '500 what', 'delivered', 0, 1, 0)]
        for verb, text, *rest in rows:
            stage(directory, f'{way}: {verb} {text}', {verb: text}, *rest, offers=offers)


def crowds(directory):
    """452 behind the tenth; everybody, or some, refused."""
    for way in ('bdat', 'data', 'lockstep', 'lmtp'):
        for name, mails, most, status in (
                ('452', [('s1', [f'r{i}' for i in range(25)]),
                         ('s2', [f'q{i}' for i in range(12)])], 10, 0),
                ('all refused', [('s1', ['no1', 'no2']), ('s2', ['no3'])], 10, 67),
                ('some refused', [('s1', ['no1', 'a1']), ('s2', ['b1', 'no3'])], 10, 67)):
            lines, wanted = records(directory, mails)
            s = Server(directory + '/a', **ways[way], most=most)
            results, got = run([s], lines, options.get(way, ()))
            check(f'{way}: {name}', [s], results, got, wanted)
            if got != status or len(s.has) != sum(not r.startswith('no') for _, r in wanted):
                complain(f'{way}: {name}', f'status {got}, {len(s.has)} recipients', results)
            s.close()


def big(directory):
    """Several chunks: kept; the first, or a later one, or MAIL refused; cut."""
    lines, wanted = records(directory, [('s1', ['a1', 'a2']), ('s2', ['b1']), ('s3', ['c1'])], 5 << 20)
    rows = [({}, None, 0, 4), ({'CHUNK': '552 5.3.4 too big'}, None, 69, 2),
            ({'MAIL s1': '550 5.7.1 not you'}, None, 77, 2),
            ({'TEXT s1': '554 5.6.0 no'}, None, 69, 2),
            ({'CHUNK': '421 4.3.2 bye'}, None, 75, None), ({'CHUNK': 'EOF'}, None, 75, None)]
    rows += [({}, (cut, at), None, None) for cut in ('said', 'heard')
             for at in range(1, 140 if cut == 'said' else 5 << 20, 17 if cut == 'said' else 300007)]
    for say, cut, status, has in rows:
        s = Server(directory + '/a', ['PIPELINING', 'CHUNKING', 'SIZE'], say=say,
                   cut=cut and cut[0], at=cut[1] if cut else 0)
        results, got = run([s], lines)
        check(f'big: {say} {cut}', [s], results, got, wanted)
        if status is not None and (got != status or has is not None and len(s.has) != has):
            complain(f'big: {say}', f'status {got}, {len(s.has)} recipients', results)
        s.close()


directory, what = sys.argv[1:3]
if what == 'stages':
    two_servers(directory)
    crowds(directory)
elif what == 'big':
    big(directory)
else:
    way, cut = what.split()
    cuts(directory, way, cut, int(sys.argv[3]))
print(f'{runs} runs, {bad} complaints')
sys.exit(bad > 0)
