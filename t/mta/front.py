#!/usr/bin/env python3
"""front.py: what a provider does that its MTA does not.

    front.py LOG COMMAND...

COMMAND with more words behind it runs these at the provider.  On all addresses,

    2588    SMTP with AUTH CRAM-MD5 (user gw, password secret) that takes mail and hands
            it to the MTA on port 25, that tells the MTA 8 s after its 250 of an ETRN
            (and not before there is a file LOG.go), and that drains the MTA's queue on
            the connection after ATRN or TURN
    2666    says half of a greeting
    2222    runs the line that it reads, prints what that says, and at last its status

and at 10.99.0.3, port 366, turn-server.  LOG gets a line for what is said at 2588: the
number of the connection and the words.
"""
import base64
import hmac
import os
import re
import smtplib
import socketserver
import subprocess
import sys
import threading
import time

LATE = 8
there = sys.argv[2:]
lock = threading.Lock()


def note(number, words):
    with lock, open(sys.argv[1], "a", encoding="latin-1") as f:
        f.write(f"{number} {words}\n")


class Smtp(socketserver.StreamRequestHandler):
    count = 0

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def hear(self):
        return self.rfile.readline().decode("latin-1").rstrip("\r\n")

    def body(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        raise EOFError

    def handle(self):
        Smtp.count += 1
        self.number, self.user = Smtp.count, ""
        self.say("220 front.isp.test ESMTP")
        while words := self.hear():
            note(self.number, words)
            verb, _, rest = words.partition(" ")
            try:
                getattr(self, "on_" + verb.lower(), self.other)(rest)
            except EOFError:
                return

    def other(self, _):
        self.say("250 ok")

    def on_ehlo(self, _):
        self.say("250-front.isp.test\r\n250-8BITMIME\r\n250-ETRN\r\n250-ATRN\r\n250-TURN\r\n"
                 "250 AUTH CRAM-MD5")

    def on_auth(self, _):
        challenge = b"<1.2@front.isp.test>"
        self.say("334 " + base64.b64encode(challenge).decode())
        user, digest = base64.b64decode(self.hear()).decode().split()
        good = hmac.new(b"secret", challenge, "md5").hexdigest()
        if (user, digest) != ("gw", good):
            return self.say("535 5.7.8 no")
        note(self.number, "is " + user)
        self.user = user
        return self.say("235 welcome")

    def on_mail(self, rest):
        self.sender, self.rcpts = re.search("<(.*?)>", rest).group(1), []
        self.say("250 ok")

    def on_rcpt(self, rest):
        self.rcpts.append(re.search("<(.*?)>", rest).group(1))
        self.say("250 ok")

    def on_data(self, _):
        self.say("354 go on")
        body = self.body()
        with smtplib.SMTP("127.0.0.1", 25, "front.isp.test", 60) as s:
            refused = s.sendmail(self.sender, self.rcpts, body, ["BODY=8BITMIME"])
        self.say("451 later" if refused else "250 ok")

    def on_etrn(self, rest):
        self.say("250 queuing started")
        threading.Timer(LATE, self.late, [rest]).start()

    def late(self, node):
        while not os.path.exists(sys.argv[1] + ".go"):
            time.sleep(.1)
        with smtplib.SMTP("127.0.0.1", 25, "front.isp.test", 60) as s:
            note(self.number, "late %d" % s.docmd("ETRN", node)[0])

    def on_turn(self, _):
        if not self.user:
            return self.say("530 5.7.0 who?")
        self.say("250 your turn")
        fd = self.connection.fileno()
        subprocess.run(there + ["dequeue", "--spool=postfix", "--always", "-d", "customer.test", "--",
                                "smtp-send", "--records", f"--server=fd:{fd}"],
                       pass_fds=[fd], stdin=subprocess.DEVNULL, check=False)
        raise EOFError

    on_atrn = on_turn

    def on_quit(self, _):
        self.say("221 bye")
        raise EOFError


class Half(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"220 front.isp.te")
        while self.request.recv(9):
            pass


class Run(socketserver.StreamRequestHandler):
    def handle(self):
        words = self.rfile.readline().decode().split()
        done = subprocess.run(there + words, stdin=subprocess.DEVNULL, stdout=self.connection,
                              stderr=subprocess.STDOUT, check=False)
        self.wfile.write(b"%d\n" % done.returncode)


class Turn(socketserver.BaseRequestHandler):
    def handle(self):
        subprocess.run(there + ["turn-server", "--customers=/etc/tidegate/customers",
                                "--passwords=/etc/tidegate/users", "--spool=postfix",
                                "--helo=mx2.isp.test", "-v"],
                       stdin=self.request, stdout=self.request, check=False)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(address, port, handler):
    threading.Thread(target=Server((address, port), handler).serve_forever).start()


serve("", 2666, Half)
serve("", 2222, Run)
serve("10.99.0.3", 366, Turn)
serve("", 2588, Smtp)
note(0, "ready")
