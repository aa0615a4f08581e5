#!/usr/bin/env python3
"""crowd.py DIR IDLE WORKING: so many connections to turn-server at once, one process
each, as inetd starts it.

IDLE of them connect and say nothing.  Then WORKING customers, c0 to cN, log in in TLS and
say ATRN; when all of them are turned, and so all the programs run that there can be, the
sessions are weighed; then each takes its five letters.  At last the idle ones, who are all
there still, say QUIT.  DIR has customers, users, pki and the queue md.  Prints what came
of it; the figures that no test can promise go to stderr.  $HEAVY set: nobody is weighed.
"""
import base64
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time

from victim import path, session_pss

IDLE, WORKING = int(sys.argv[2]), int(sys.argv[3])
MOST = 8 * 1024			# kB, a session
GO = 300			# seconds: so many at once take their time

listener = socket.create_server(("127.0.0.1", 0), backlog=IDLE + WORKING)
sessions = []			# in the order of their connections


def inetd():
    for _ in range(IDLE + WORKING):
        wire, _ = listener.accept()
        sessions.append(subprocess.Popen(
            ["turn-server", "--customers=" + path("customers"), "--passwords=" + path("users"),
             "--spool=maildir:" + path("md"), "--helo=mx.test", "--tls-cert=" + path("pki/good.pem"),
             # who only holds his connection does so until all the others are through
             f"--login-timeout={GO}s"],
            stdin=wire, stdout=wire, stderr=subprocess.DEVNULL))
        wire.close()


class Caller:
    def __init__(self):
        begun = time.monotonic()
        self.wire = socket.create_connection(listener.getsockname(), GO)
        self.file = self.wire.makefile("rb")
        self.greeting = self.reply()
        self.waited = time.monotonic() - begun

    def reply(self):
        line = self.file.readline()
        while line[3:4] == b"-":
            line = self.file.readline()
        return line.decode("latin-1").rstrip()

    def say(self, line):
        self.wire.sendall(line.encode("latin-1") + b"\r\n")

    def ask(self, line):
        self.say(line)
        return self.reply()

    def encrypt(self):
        self.ask("EHLO c.test")
        self.ask("STARTTLS")
        context = ssl.create_default_context(cafile=path("pki/ca.pem"))
        self.wire = context.wrap_socket(self.wire, server_hostname="mx.test")
        self.file = self.wire.makefile("rb")
        self.ask("EHLO c.test")

    def turn(self, name):
        self.encrypt()
        plain = base64.b64encode(b"\0" + name.encode() + b"\0secret").decode()
        return self.ask("AUTH PLAIN " + plain), self.ask("ATRN")

    def take(self):
        """As the server it is now: the subjects that came."""
        came, text = [], False
        self.say("220 c.test")
        for line in self.file:
            line = line.decode("latin-1").rstrip()
            if text:
                text = line != "."
                if line.startswith("Subject: "):
                    came.append(line[9:])
                if not text:
                    self.say("250 ok")
            elif line == "DATA":
                text = True
                self.say("354 go")
            elif line == "QUIT":
                self.say("221 bye")
                return came
            else:
                self.say("250 ok")
        return came


def at_once(calls):
    results = [None] * len(calls)

    def run(i):
        results[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def weigh(what, some):
    sizes = sorted(session_pss(p.pid) for p in some)
    print(f"# {what}: PSS {sizes[len(sizes) // 2]} kB a session, {sizes[-1]} kB at most", file=sys.stderr)
    if "HEAVY" not in os.environ and sizes[-1] > MOST:
        print(f"{what}: PSS {sizes[-1]} kB")


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    threading.Thread(target=inetd, daemon=True).start()
    idle = [Caller() for _ in range(IDLE)]
    working = at_once([Caller] * WORKING)
    waited = sorted(c.waited for c in idle + working)
    print(f"# greeting: {waited[len(waited) // 2] * 1000:.0f} ms, at most {waited[-1] * 1000:.0f} ms",
          file=sys.stderr)
    greeted = sum(c.greeting.startswith("220 ") for c in idle + working)
    print(f"{greeted} greeted")
    said = at_once([lambda i=i: working[i].turn(f"c{i}") for i in range(WORKING)])
    print(f"{sum(known.startswith('235 ') for known, _ in said)} known")
    print(f"{sum(turned.startswith('250 ') for _, turned in said)} turned")
    weigh("idle", sessions[:IDLE])
    weigh("working", sessions[IDLE:])
    came = at_once([c.take for c in working])
    right = sum(sorted(got) == [f"c{i} {k}" for k in range(5)] for i, got in enumerate(came))
    print(f"{right} have their letters, and no others")
    print(f"{sum(c.ask('QUIT').startswith('221 ') for c in idle)} were there all the time")
    print(f"{sum(p.wait(GO) == 0 for p in sessions)} ended well")
    print("left: " + " ".join(os.listdir(path("md/new"))))


main()
