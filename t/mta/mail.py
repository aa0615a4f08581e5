#!/usr/bin/env python3
"""mail.py: letters that can be told apart, and what became of them.

    mail.py send HOST PORT PLAN         hand every letter of PLAN to a server
    mail.py sink ADDRESS PORT DIR       accept all mail, into DIR
    mail.py mute ADDRESS PORT           accept connections and say nothing
    mail.py planned PLAN                "ID RECIPIENT whole", as it should be
    mail.py arrived PLAN DIR            "ID RECIPIENT whole|damaged", as it is:
                                        or refolded (headers), foreign (sender)
    mail.py maildir PLAN DIR            a Maildir of them; prints its records
    mail.py envelopes DIR               "SENDER RECIPIENT SUBJECT" of what is there
    mail.py waiting < postqueue -j      "ID RECIPIENT QUEUE"

A plan has a line a letter: ID, size in octets, its recipients; blanks between.
The sender of a letter is ID@sender.test, and every octet of it follows from its
ID and size, so that nothing else has to be remembered to compare it.  All
lists are sorted; an address that got a letter twice is there twice.
"""
import json
import os
import random
import re
import socket
import socketserver
import sys

SENDER = "sender.test"

# What is put on top of a letter under way, none of it ours.
ADDED = re.compile(
    rb"(?:Return-Path|Delivered-To|X-Original-To|Envelope-To|Received):.*\n(?:[ \t].*\n)*",
    re.I)

# Lines that have broken mail before.
HARD = [
    b".", b"..", b".hidden", b"...three", b"From here it goes on", b">From there",
    b"", b" ", b"\t tab", b"trailing blank ", b"gr\xc3\xbc\xc3\x9fe", b"latin \xe9\xff",
    b"Subject: not a header", b"QUIT", b"RSET", b"=2E", b"\x01\x1b[31m", b"x" * 990,
]


def letter(ident, size, rcpts):
    """The octets of a letter as they go over the wire, dots not doubled."""
    rng = random.Random(ident)
    lines = [
        b"From: <%s@%s>" % (ident.encode(), SENDER.encode()),
        b"To: " + b",\r\n\t".join(b"<%s>" % r.encode() for r in rcpts),
        b"Subject: letter " + ident.encode(),
        b"Date: Mon, 23 Nov 2026 12:00:00 +0000",
        b"Message-ID: <%s@%s>" % (ident.encode(), SENDER.encode()),
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: 8bit",
        b"",
    ]
    length = sum(len(s) + 2 for s in lines)
    while length < size:
        if rng.random() < .3:
            s = rng.choice(HARD)
        else:
            s = bytes(rng.randrange(32, 127) for _ in range(rng.randrange(76)))
        lines.append(s)
        length += len(s) + 2
    lines += [b"."] * rng.randrange(2) + [b""] * rng.randrange(3)
    return b"\r\n".join(lines + [b"-- end of %s" % ident.encode(), b""])


def plan_read(path):
    plan = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            ident, size, *rcpts = line.split()
            plan[ident] = (int(size), rcpts)
    return plan


def send(host, port, path):
    import smtplib      # no other verb should wait for it

    with smtplib.SMTP(host, int(port), "client.test", 60) as s:
        for ident, (size, rcpts) in plan_read(path).items():
            s.ehlo_or_helo_if_needed()
            refused = s.sendmail(f"{ident}@{SENDER}", rcpts,
                                 letter(ident, size, rcpts), ["BODY=8BITMIME"])
            if refused:
                sys.exit(f"mail.py: {ident}: {refused}")


class Sink(socketserver.StreamRequestHandler):
    """Stores a file a recipient, in the shape in which Postfix delivers."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def data(self):
        body = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(body)
            body.append(line[1:] if line.startswith(b".") else line)
        return None

    def keep(self, rcpts, body):
        for rcpt in rcpts:
            self.server.count += 1
            name = os.path.join(self.server.dir, "%06d" % self.server.count)
            with open(name + ".tmp", "wb") as f:
                f.write(b"X-Original-To: %s\n" % rcpt)
                f.write(body.replace(b"\r\n", b"\n"))
            os.rename(name + ".tmp", name)

    def handle(self):
        rcpts = []
        self.say("220 sink.test ESMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME")
            elif verb == b"RCPT":
                rcpts.append(re.search(rb"<(.*?)>", line).group(1))
                self.say("250 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                body = self.data()
                if body is None:
                    return
                self.keep(rcpts, body)
                self.say("250 ok")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")
            if verb in (b"MAIL", b"DATA", b"RSET"):
                rcpts = []


class SinkServer(socketserver.TCPServer):
    allow_reuse_address = True


def sink(address, port, where):
    os.makedirs(where, exist_ok=True)
    with SinkServer((address, int(port)), Sink) as server:
        server.dir, server.count = where, 0
        server.serve_forever()


def mute(address, port):
    s = socket.create_server((address, int(port)))
    held = []
    while True:
        held.append(s.accept())


def strip(octets):
    """What lies in a mailbox, as (who it is for, what came on top, the rest)."""
    at = 0
    while m := ADDED.match(octets, at):
        at = m.end()
    top = octets[:at]
    return on_top(top, "X-Original-To|Envelope-To|Delivered-To"), top, octets[at:]


def on_top(top, names):
    m = re.search(rb"^(?:%s): *(.*)$" % names.encode(), top, re.M | re.I)
    return m.group(1).decode() if m else "?"


def mailbox(where):
    """(path, recipient, top, rest) of all that lies under a directory."""
    for folder, _, names in os.walk(where):
        if os.path.basename(folder) in ("tmp", "cur"):
            continue
        for name in names:
            if name.endswith(".tmp"):
                continue
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                yield (path, *strip(f.read()))


def judge(plan, rcpt, top, rest):
    """Which letter this is, and whether it is whole and its sender's."""
    m = re.search(rb"^Message-ID: *<([^@>]*)@" + SENDER.encode(), rest, re.M)
    ident = m.group(1).decode() if m else "-"
    if ident not in plan:
        return ident, "unknown"
    size, rcpts = plan[ident]
    if rcpt not in rcpts:
        return ident, "astray"
    if on_top(top, "Return-Path") not in (f"<{ident}@{SENDER}>", "?"):
        return ident, "foreign"
    want = letter(ident, size, rcpts).replace(b"\r\n", b"\n")
    if rest == want:
        return ident, "whole"
    return ident, "refolded" if unfold(rest) == unfold(want) else "damaged"


def unfold(octets):
    """With every header on one line, however its parts were spaced."""
    head, _, body = octets.partition(b"\n\n")
    return re.sub(rb"\s*\n[ \t]+|(?<=,)\s+", b"", head) + b"\n\n" + body


def planned(path):
    return [f"{i} {r} whole" for i, (_, rcpts) in plan_read(path).items() for r in rcpts]


def arrived(path, where):
    plan = plan_read(path)
    out = []
    for file, rcpt, top, rest in mailbox(where):
        ident, verdict = judge(plan, rcpt, top, rest)
        out.append(f"{ident} {rcpt} {verdict}" + ("" if verdict == "whole" else " " + file))
    return out


def maildir(path, where):
    for sub in "new", "cur", "tmp":
        os.makedirs(os.path.join(where, sub), exist_ok=True)
    out = []
    for ident, (size, rcpts) in plan_read(path).items():
        file = os.path.join(where, "new", ident)
        with open(file, "wb") as f:
            f.write(b"Return-Path: <%s@%s>\n" % (ident.encode(), SENDER.encode()))
            f.writelines(b"Delivered-To: %s\n" % r.encode() for r in rcpts)
            f.write(letter(ident, size, rcpts).replace(b"\r\n", b"\n"))
        out.append("\t".join([file, f"{ident}@{SENDER}", *rcpts]))
    return out


def envelopes(where):
    for _, rcpt, top, rest in mailbox(where):
        m = re.search(rb"^Subject: *(.*)$", rest, re.M)
        yield " ".join([on_top(top, "Return-Path").strip("<>") or "<>", rcpt,
                        m.group(1).decode() if m else "-"])


def waiting_read(f):
    """(ID, [recipients], queue, queue ID) of what postqueue -j printed."""
    for line in f:
        m = json.loads(line)
        yield (m["sender"].split("@")[0], [r["address"] for r in m["recipients"]],
               m["queue_name"], m["queue_id"])


def waiting():
    return [f"{i} {r} {q}" for i, rcpts, q, _ in waiting_read(sys.stdin)
            for r in rcpts or ["-"]]


def main(verb, *args):
    lists = {"planned": planned, "arrived": arrived, "waiting": waiting,
             "envelopes": envelopes}
    if verb == "maildir":
        print("\n".join(maildir(*args)))
    elif verb in lists:
        print("\n".join(sorted(lists[verb](*args))))
    else:
        {"send": send, "sink": sink, "mute": mute}[verb](*args)


if __name__ == "__main__":
    main(*sys.argv[1:])
