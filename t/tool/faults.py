#!/usr/bin/env python3
"""faults.py DIR WHAT [SEED...]: smtp-send against servers with bad habits.

`soak': 200 messages of several recipients, on several connections, and a server
that refuses, dies, or keeps a message and dies, as the seed has it.  Nobody may have
a message twice, none may be told delivered that is not, or be lost untold.  Other
words are functions below.  Prints what is wrong; status 1 if anything was.
"""
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

ALL = ['PIPELINING', 'CHUNKING', 'SIZE', '8BITMIME']
PATIENCE = 60
wrong = []


class Gone(Exception):
    pass


class Server:
    """Its own thread for each connection.  `bad(what, who)`: a reply, or a deed."""

    def __init__(self, offers=None, bad=None, most=1000, lmtp=False, ears=None):
        self.offers = ALL if offers is None else offers
        self.bad, self.most, self.lmtp = bad or (lambda what, who: None), most, lmtp
        self.has, self.sure, self.texts = [], set(), []
        self.live = self.connections = 0
        self.lock = threading.Lock()
        self.listener = socket.socket()
        if ears:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ears)
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(100)
        self.peer = '127.0.0.1:%d' % self.listener.getsockname()[1]
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            with self.lock:
                self.live += 1
                self.connections += 1
                many = self.live > self.most
            threading.Thread(target=self.serve, args=(sock, many), daemon=True).start()

    def serve(self, sock, many):
        try:
            if many:
                sock.sendall(b'421 4.7.0 too many connections\r\n')
            else:
                Session(self, sock).talk()
        except (OSError, Gone, EOFError):
            pass
        with self.lock:
            self.live -= 1
        sock.close()


class Session:
    def __init__(self, server, sock):
        self.server, self.sock, self.file = server, sock, sock.makefile('rb')
        self.sender, self.rcpts = None, []

    def die(self, how):
        if how == 'reset':
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise Gone

    def say(self, text, sure=()):
        octets = (text + '\r\n').encode()
        self.sock.sendall(octets)
        with self.server.lock:
            self.server.sure.update(sure)
        if text.startswith('421'):
            raise Gone

    def reply(self, what, text, who=''):
        """The first digit of what was said instead."""
        text = self.server.bad(what, who) or text
        if text in ('close', 'reset'):
            self.die(text)
        if text == 'half':
            self.sock.sendall(b'25')
            self.die('close')
        self.say(text)
        return text[0]

    def octets(self, n):
        got = self.file.read(n)
        if len(got) < n:
            raise EOFError
        return got

    def text_ends(self, text):
        who, pairs = self.sender, [(self.sender, r) for r in self.rcpts]
        self.sender, self.rcpts = None, []
        if not pairs:
            self.say('503 5.5.1 RCPT first')
            return
        self.server.texts.append(text)
        groups = [[p] for p in pairs] if self.server.lmtp else [pairs]
        for group in groups:
            said = self.server.bad('TEXT', who)
            if said in ('close', 'reset') or said and said[0] in '45':
                if said in ('close', 'reset'):
                    self.die(said)
                self.say(said)
                continue
            with self.server.lock:
                self.server.has += group
            if said == 'half':
                self.sock.sendall(b'250')
            if said in ('half', 'kept'):
                self.die('close')
            self.say(said or '250 2.0.0 kept', group)

    def talk(self):
        self.reply('CONNECT', '220 mx.test')
        while True:
            line = self.file.readline()
            if not line.endswith(b'\r\n'):
                raise EOFError
            line = line[:-2].decode()
            verb, arg = line[:4].upper(), line[line.find('<') + 1:line.find('@')]
            if verb in ('EHLO', 'LHLO'):
                words = ['mx.test'] + self.server.offers
                self.reply(verb, '\r\n'.join('250' + ' -'[w is not words[-1]] + w
                                             for w in words))
            elif verb == 'MAIL':
                if self.reply(verb, '250 ok', arg) == '2':
                    self.sender, self.rcpts = arg, []
            elif verb == 'RCPT':
                if self.sender is None:
                    self.say('503 5.5.1 MAIL first')
                elif self.reply(verb, '250 ok', arg) == '2':
                    self.rcpts.append(arg)
            elif verb == 'DATA':
                if not self.rcpts:
                    self.say('554 5.5.1 no valid recipients')
                elif self.reply(verb, '354 go', self.sender) == '3':
                    lines = []
                    while not lines or lines[-1] != b'.\r\n':
                        lines.append(self.file.readline())
                        if not lines[-1]:
                            raise EOFError
                    self.text_ends(b''.join(lines[:-1]))
            elif verb == 'BDAT':
                text = self.octets(int(line.split()[1]))
                if 'LAST' in line:
                    self.text_ends(text)
                else:
                    self.reply('CHUNK', '250 more')
            elif verb == 'RSET':
                self.sender, self.rcpts = None, []
                self.reply(verb, '250 reset')
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('500 what?')


def records(directory, mails, size=100):
    os.makedirs(directory + '/new', exist_ok=True)
    lines = []
    for sender, rcpts in mails:
        path = f'{directory}/new/{sender}'
        with open(path, 'w', encoding='ascii') as f:
            f.write(f'Return-Path: <{sender}@x.test>\n')
            f.writelines(f'Delivered-To: {r}@y.test\n' for r in rcpts)
            f.write(f'Subject: {sender}\n\n.hi\n' + ('x' * 70 + '\n') * (size // 71))
        lines.append('\t'.join([path, f'{sender}@x.test', *(r + '@y.test' for r in rcpts)]))
    return ('\n'.join(lines) + '\n').encode()


def send(lines, *args, **more):
    """Results as lists, and the status; None when it hangs."""
    try:
        p = subprocess.run(['smtp-send', '--helo=h', '--records', *args], input=lines, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE, **more)
    except subprocess.TimeoutExpired:
        return None, -1
    return [l.split('\t') for l in p.stdout.decode().splitlines()], p.returncode


def want(name, truth, *seen):
    if not truth:
        wrong.append(f'{name}: {seen}')


def all_delivered(name, results, status, n):
    fates = [r[2] for r in results or []]
    want(name, status == 0 and fates == ['delivered'] * n, status,
         {f: fates.count(f) for f in fates})


def stopped(name, args, before, **more):
    """A signal ends it, and with 75; nothing else would for minutes."""
    p = subprocess.Popen(args, stderr=subprocess.DEVNULL, **more)
    before(p)
    p.send_signal(signal.SIGTERM)
    try:
        p.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        p.kill()
    want(name, p.wait() == 75, p.wait())


def until(p, seen):
    """It has come so far, or has ended."""
    while p.poll() is None and not seen():
        time.sleep(.02)


# ---- bad habits

def descriptors(directory):
    """More messages on their way than files may be open."""
    s = Server(bad=lambda what, who: time.sleep(.002))
    lines = records(directory, [(f's{i}', [f'a{i}']) for i in range(200)])
    args = ['sh', '-c', 'ulimit -n 64; exec "$@"', '-', 'smtp-send', '--helo=h', '--records', '-s', s.peer]
    p = subprocess.run(args, input=lines, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    all_delivered('descriptors', [l.split('\t') for l in p.stdout.decode().splitlines()], p.returncode, 200)


def counted(directory):
    """A server that takes two connections of ours, and not five."""
    s = Server(most=2, bad=lambda what, who: time.sleep(.005))
    lines = records(directory, [(f's{i}', [f'a{i}']) for i in range(100)])
    results, status = send(lines, '-c', '5', '-s', s.peer)
    all_delivered('counted', results, status, 100)
    s = Server(most=0)
    results, status = send(lines, '-c', '5', '-s', s.peer)
    want('none taken', status == 75 and len(results) == 100 and s.connections <= 5, status, s.connections)


def crowd(directory):
    """More destinations than connections there may be."""
    many, s = 250, Server()
    os.makedirs(directory + '/new')
    with open(directory + '/zone', 'w', encoding='ascii') as f:
        f.writelines(f'd{i}.test MX 10 m{i}.test\nm{i}.test A 127.0.0.1\n' for i in range(many))
    dns = subprocess.Popen([os.path.dirname(__file__) + '/dnsd', directory + '/zone'],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    env = dict(os.environ, TIDEGATE_NAMESERVER='127.0.0.1:' + dns.stdout.readline().decode().strip())
    rcpts = [f'a@d{i}.test' for i in range(many)]
    with open(directory + '/new/m', 'w', encoding='ascii') as f:
        f.write('Return-Path: <s@x.test>\n' + ''.join(f'Delivered-To: {r}\n' for r in rcpts) + '\nhi\n')
    line = '\t'.join([directory + '/new/m', 's@x.test', *rcpts]) + '\n'
    results, status = send(line.encode(), '-p', s.peer.split(':')[1], env=env)
    dns.kill()
    all_delivered('crowd', results, status, many)


def reader(directory):
    """Nobody reads the results."""
    s = Server()
    lines = records(directory, [(f's{i}', [f'a{i}']) for i in range(1500)])
    with open(directory + '/records', 'wb') as f:
        f.write(lines)
    for how in ('a signal', 'a deadline'):
        theirs, ours = os.pipe()
        args = ['smtp-send', '--helo=h', '--records', '-s', s.peer]

        def full(p, end=ours):
            until(p, lambda: not select.select([], [end], [], 0)[1])

        with open(directory + '/records', 'rb') as f:
            if how == 'a signal':
                stopped('reader: ' + how, args, full, stdin=f, stdout=ours)
            else:
                p = subprocess.run([*args, '--deadline=2'], stdin=f, stdout=ours, check=False,
                                   timeout=PATIENCE, stderr=subprocess.DEVNULL)
                want('reader: ' + how, p.returncode == 75, p.returncode)
        os.close(theirs)
        os.close(ours)


def endless(directory):
    """A text without end; children that will not go; a command that will not answer."""
    s = Server()
    theirs, ours = os.pipe()
    swallowed = threading.Event()

    def feed():
        try:
            for _ in range(16):
                os.write(ours, b'x\n' * 32768)
            swallowed.set()
            while True:
                os.write(ours, b'x\n' * 32768)
        except BrokenPipeError:
            pass

    threading.Thread(target=feed, daemon=True).start()

    def busy(p):
        os.close(theirs)
        until(p, swallowed.is_set)

    stopped('endless text', ['smtp-send', '--helo=h', '-s', s.peer, '-f', 'a@x.test', 'b@y.test'],
            busy, stdin=theirs)
    path = directory + '/stubborn'
    with open(path, 'w', encoding='ascii') as f:
        f.write(f'#!/bin/sh\ntrap : TERM\necho >>{directory}/here\nwhile :; do sleep 1; done\n')
    os.chmod(path, 0o755)
    with open(directory + '/records', 'wb') as f:
        f.write(records(directory, [(f's{i}', [f'a{i}']) for i in range(6)]))

    def here():
        return os.path.exists(directory + '/here') and os.path.getsize(directory + '/here') == 6

    with open(directory + '/records', 'rb') as f:
        stopped('stubborn children', ['smtp-send', '--records', '-c', '6', '-s', 'exec:' + path],
                lambda p: until(p, here), stdin=f, stdout=subprocess.DEVNULL)
    os.unlink(directory + '/here')
    s = Server(offers=['AUTH PLAIN'])
    with open('/dev/null', 'rb') as f:
        stopped('a password command', ['smtp-send', '-u', 'me', '--password-command', path, '-s', s.peer,
                                       '-f', 'a@x.test', 'b@y.test'],
                lambda p: until(p, lambda: os.path.exists(directory + '/here')), stdin=f)


def deaf(directory):
    """A server that stops to read: one timeout, not as many as its kernel has room for."""
    stop = threading.Event()
    gate = socket.socket()
    gate.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    gate.bind(('127.0.0.1', 0))
    gate.listen(1)

    def serve():
        c = gate.accept()[0]
        c.sendall(b'220 x\r\n')
        heard = b''
        while not heard.endswith(b'DATA\r\n'):
            heard += c.recv(100)
            c.sendall(b'354 go\r\n' if heard.endswith(b'DATA\r\n') else b'250 ok\r\n')
        stop.wait(PATIENCE)
        c.close()

    threading.Thread(target=serve, daemon=True).start()
    lines = records(directory, [('s1', ['a1'])], 5 << 20)
    began = time.monotonic()
    results, status = send(lines, '--timeout=1', '-s', '127.0.0.1:%d' % gate.getsockname()[1])
    took = time.monotonic() - began
    # a second, and not one for each piece that goes into the kernel
    want('deaf', status == 75 and len(results) == 1 and took < 20, status, took)
    stop.set()


def changed(directory):
    """What is another text when it is sent than when it was looked at."""
    def truncate(path):
        os.truncate(path, 50000)

    def grow(path):
        with open(path, 'ab') as f:
            f.write(b'more\n' * 20000)

    def spoil(path):
        with open(path, 'r+b') as f:
            f.seek(7 << 20)
            f.write(b'x\r.\rx')

    for offers in (['SIZE'], ['PIPELINING', 'CHUNKING']):
        for deed in (truncate, grow, spoil):
            path = directory + '/new/s1'
            lines = records(directory, [('s1', ['a1'])], 8 << 20)
            what = 'DATA' if offers == ['SIZE'] else 'MAIL'
            s = Server(offers=offers, bad=lambda w, who, d=deed, t=what, p=path: d(p) if w == t else None)
            results, status = send(lines, '-s', s.peer)
            want(f'changed: {offers} {deed.__name__}', status == 75 and results and
                 results[0][2] == 'deferred' and not s.has, status, results, len(s.has))


def refused_reset(directory):
    """RSET is refused and the rest done all the same: the session ends, at once."""
    for ears in (2048, 4096, 16384, 65536):
        for which in range(1, 8):
            count = iter(range(1, 1000))
            s = Server(ears=ears, bad=lambda what, who, c=count, n=which:
                       '450 4.2.0 later' if what == 'RSET' and next(c) == n else None)
            lines = records(directory, [(f's{i}', [f'a{i}']) for i in range(12)], 70000)
            results, status = send(lines, '-s', s.peer)
            want(f'refused reset {ears} {which}', results and len(results) == 12 and status == 75, status)
            want(f'refused reset {ears} {which}', len(s.has) == len(set(s.has)), 'twice:',
                 {x for x in s.has if s.has.count(x) > 1})


def promises(directory):
    """What one server offered is not asked of the next."""
    a = Server(offers=['PIPELINING', '8BITMIME', 'SMTPUTF8'],
               bad=lambda what, who: 'close' if what == 'RCPT' and who == 'a1' else None)
    b = Server(offers=['PIPELINING', '8BITMIME'])
    lines = records(directory, [('s0', ['a0']), ('s1', ['a1'])])
    with open(directory + '/new/s1', 'wb') as f:
        f.write(b'Return-Path: <s1@x.test>\nDelivered-To: a1@y.test\nSubject: \xc3\xa4\n\nhi\n')
    a.most = 1
    real = a.serve

    def once(sock, many):
        real(sock, many or a.connections > 1)

    a.serve = once
    results, status = send(lines, '-s', a.peer, '-s', b.peer)
    all_delivered('promises', results, status, 2)


def probed(directory):
    """A recipient who is one too many is not accepted."""
    del directory
    s = Server(bad=lambda what, who: '452 4.5.3 too many' if who == 'b2' else None)
    p = subprocess.run(['smtp-send', '--quit-after=rcpt', '-s', s.peer, '-f', 'a@x.test', 'b1@y.test', 'b2@y.test'],
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=PATIENCE)
    want('probed', p.returncode == 75, p.returncode)


# ---- by chance

def soak(directory, seed):
    dice = random.Random(seed)
    lock = threading.Lock()
    offers = dice.choice([ALL, ALL, ['PIPELINING'], ['CHUNKING', 'SIZE'], []])
    lmtp = dice.random() < .25
    rate = dice.choice([.002, .01, .03])
    mails = [(f's{i}', [f'r{i}.{k}' for k in range(dice.randint(1, 5))]) for i in range(200)]

    def bad(what, who):
        with lock:
            if dice.random() >= rate:
                return None
            deeds = ['close', 'reset', 'half', '450 4.2.0 later', '550 5.1.1 no', '421 4.3.2 bye']
            if what == 'TEXT':
                deeds += ['kept', 'kept', 'half']
            if what == 'RCPT':
                deeds += ['452 4.5.3 too many', '552 too many']
            if what in ('EHLO', 'LHLO', 'CONNECT'):
                deeds = ['close', '421 4.3.2 bye', None, None]
            return dice.choice(deeds)

    s = Server(offers=offers, bad=bad, lmtp=lmtp)
    lines = records(directory, mails, dice.choice([100, 100, 40000]))
    connections = dice.choice(['1', '3'])
    results, status = send(lines, '-c', connections, *(['--lmtp'] if lmtp else []), '-s', s.peer)
    s.listener.close()
    name = f'soak {seed} ({offers}{" lmtp" * lmtp} -c {connections} {rate})'
    want(name, results is not None, 'it hangs')
    told = {}
    for r in results or []:
        who = (os.path.basename(r[0]), r[1].split('@')[0])
        want(name, who not in told, who, 'is told twice')
        told[who] = r
        want(name, r[2] != 'delivered' or who in s.sure, who, 'is not delivered')
        want(name, r[2] == 'delivered' or who not in s.has or 'possible duplicate' in r[4], who, 'has it, untold', r)
        want(name, r[2] == 'deferred' or 'possible duplicate' not in r[4], who, 'is in doubt and', r[2])
    want(name, sorted(told) == sorted((m, r) for m, rcpts in mails for r in rcpts), len(told), 'are told')
    want(name, len(s.has) == len(set(s.has)), 'twice:', {x for x in s.has if s.has.count(x) > 1})
    fates = {r[2] for r in results or []}
    want(name, ('deferred' in fates) == (status in (75, 76)) and (fates == {'delivered'}) == (status == 0), status)


if sys.argv[2] == 'soak':
    for number in sys.argv[3:]:
        soak(f'{sys.argv[1]}/{number}', int(number))
else:
    globals()[sys.argv[2]](sys.argv[1])
for text in wrong[:10]:
    print(text)
sys.exit(bool(wrong))
