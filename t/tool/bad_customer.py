#!/usr/bin/env python3
"""bad_customer.py DIR CASE: a customer of turn-server who means no good (victim.py)."""
import base64
import hmac
import os
import signal
import socket
import sys
import time

from victim import GO, Victim, descendants, path


def server(*options, program="turn-server"):
    return Victim([program, "--customers=" + path("customers"), "--passwords=" + path("users"),
                   "--spool=maildir:" + path("md"), "--helo=isp.test"] + list(options))


def plain_server(*options):
    v = server(*options)
    v.reply()
    v.ask("EHLO c.test")
    return v


def answer(challenge, user, secret):
    digest = hmac.new(secret.encode(), base64.b64decode(challenge[4:]), "md5").hexdigest()
    return f"{user} {digest}".encode()


def cram(v, user="alice", secret="secret"):
    challenge = v.ask("AUTH CRAM-MD5")
    if challenge is None or not challenge.startswith("334 "):
        return challenge
    return v.ask(base64.b64encode(answer(challenge, user, secret)).decode())


def known_server(*options):
    v = plain_server(*options)
    cram(v)
    return v


def waits():
    print("waits: " + " ".join(sorted(os.listdir(path("md/new")))))


def glued():
    """All that a customer says after the turn stands behind ATRN already."""
    v = known_server()
    v.say(b"ATRN\r\n220 c.test\r\n250 c.test\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n")
    v.finish()
    waits()


def ahead():
    """Replies to all that it might be asked, in one piece behind the 250."""
    v = known_server()
    print(v.ask("ATRN one.test"))
    v.say(b"220 c.test\r\n250-c.test\r\n250 PIPELINING\r\n" + b"250 ok\r\n" * 3 + b"354 go\r\n" + b"250 ok\r\n" * 4)
    v.finish(False)
    waits()


def commands():
    """After the turn it goes on giving orders instead of greeting."""
    v = known_server()
    print(v.ask("ATRN one.test"))
    v.say(b"MAIL FROM:<a@x.test>\r\nRCPT TO:<victim@elsewhere.test>\r\nDATA\r\nSubject: x\r\n.\r\n")
    v.finish(False)
    waits()


def plain_in_tls():
    v = plain_server("--tls-cert=" + path("pki/good.pem"))
    v.say(b"STARTTLS\r\nEHLO c.test\r\nATRN one.test\r\n")
    v.finish()


def babble_in_tls():
    v = plain_server("--tls-cert=" + path("pki/good.pem"))
    print(v.ask("STARTTLS"))
    v.say(b"EHLO c.test\r\nATRN one.test\r\n" * 1000)
    v.finish(False)


def endless():
    v = plain_server()
    for _ in range(160):
        if not v.say(b"x" * 65536):
            break
    v.weigh()
    v.say(b"\r\nQUIT\r\n")
    v.finish()


def endless_auth():
    v = plain_server()
    v.say(b"AUTH SCRAM-SHA-256 ")
    for _ in range(160):
        if not v.say(b"QUJD" * 16384):
            break
    v.weigh()
    v.say(b"\r\nQUIT\r\n")
    v.finish()


def endless_answer():
    v = plain_server()
    print(v.ask("AUTH SCRAM-SHA-256"))
    for _ in range(160):
        if not v.say(b"QUJD" * 16384):
            break
    v.weigh()
    v.say(b"\r\nQUIT\r\n")
    v.finish()


def bdat():
    v = plain_server()
    for n in (2**64 + 1, 2**64, 2**63, -1):
        print(v.ask(f"BDAT {n} LAST"))
    print(v.ask("QUIT"))
    v.finish()


def rcpts():
    v = known_server()
    v.say(b"MAIL FROM:<a@x.test>\r\n" + b"".join(b"RCPT TO:<u%d@one.test>\r\n" % i for i in range(10000)))
    v.weigh()
    v.finish()


def deaf():
    """Asks and asks, and reads no reply."""
    v = known_server("--timeout=2s")
    v.wire.settimeout(1)
    try:
        while v.say(b"NOOP\r\n" * 10000):
            pass
    except TimeoutError:
        pass
    v.weigh()
    print(f"status {v.p.wait(GO)}")


def slow_login():
    v = server("--login-timeout=1s")
    v.reply()
    v.drip(b"NOOP ")
    v.finish()


def slow_handshake():
    v = plain_server("--tls-cert=" + path("pki/good.pem"), "--login-timeout=4s")
    print(v.ask("STARTTLS"))
    v.drip(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03")
    v.finish(False)


def slow_command():
    v = known_server("--timeout=4s")
    v.drip(b"NOOP ")
    v.finish()


def slow_greeting():
    v = known_server("--deadline=6s")
    print(v.ask("ATRN one.test"))
    v.drip(b"220-")
    v.finish()
    waits()


def slow_verdict():
    """It takes the letter and then says its verdict an octet at a time."""
    v = known_server("--deadline=8s")
    print(v.ask("ATRN one.test"))
    v.say(b"220 c.test\r\n")
    print(v.line())
    v.say(b"250 c.test\r\n")
    for reply in (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        v.line()
        v.say(reply)
    while v.line() not in (".", None):
        pass
    v.drip(b"250-")
    v.finish(False)
    waits()


def endless_greeting():
    """The program that sends hears this one, and not for ever."""
    v = known_server()
    print(v.ask("ATRN one.test"))
    for _ in range(160):
        if not v.say(b"220-still more to come\r\n" * 3000):
            break
    v.weigh()
    v.finish(False)
    waits()


# ---- the same while the MTA's own sessions are carried ----

def spliced(*options):
    """The MTA that stands in, sp/dequeue, sends a letter when it is asked to."""
    v = server("--splice", "--splice-idle=1s", *options, program=path("sp/turn-server"))
    v.reply()
    v.ask("EHLO c.test")
    cram(v)
    print(v.ask("ATRN one.test"))
    return v


def mta_says():
    """The status of its smtp-send: 0 would be a letter that it has no more."""
    end = time.monotonic() + GO
    while not os.path.exists(path("sp/code")) and time.monotonic() < end:
        time.sleep(.05)
    with open(path("sp/code")) as f:
        print(f"the MTA: {f.read().strip()}")


def splice_ahead():
    v = spliced()
    v.say(b"220 c.test\r\n250-c.test\r\n250 PIPELINING\r\n" + b"250 ok\r\n" * 3 + b"354 go\r\n" + b"250 ok\r\n" * 4)
    v.finish(False)
    mta_says()


def splice_ahead_of_text():
    """The 250 to a text, glued to the 354 to DATA."""
    v = spliced()
    v.say(b"220 c.test\r\n")
    v.line()
    v.say(b"250 c.test\r\n")
    while (line := v.line()) not in (None, "DATA"):
        v.say(b"250 ok\r\n")
    v.say(b"354 go\r\n250 taken\r\n")
    v.finish(False)
    mta_says()


def splice_endless():
    v = spliced()
    v.say(b"220 c.test\r\n")
    v.line()
    v.say(b"250 c.test\r\n")
    v.line()
    for _ in range(160):
        if not v.say(b"250-still more to come\r\n" * 3000):
            break
    v.weigh()
    v.finish(False)
    mta_says()


def splice_slow():
    v = spliced("--deadline=6s")
    v.say(b"220 c.test\r\n")
    v.line()
    v.say(b"250 c.test\r\n")
    v.line()
    v.drip(b"250-")
    v.finish(False)
    mta_says()


def ten():
    """One domain among ten is another's: as if there were none such."""
    ten = [f"d{i}.test" for i in range(9)]
    v = known_server()
    for foreign in ("other.test", "nosuch.test"):
        for at in (0, 5, 9):
            print(v.ask("ATRN " + ",".join(ten[:at] + [foreign] + ten[at:])))
    print(v.ask("QUIT"))
    v.finish()
    waits()


def many_domains():
    v = known_server()
    print(v.ask("ATRN " + ",".join(["one.test"] * 400)))
    print(v.ask("ATRN " + ",".join(["one.test"] * 4000)))
    print(v.ask("QUIT"))
    v.finish()


def odd():
    """What is no command at all; ten of them are enough."""
    v = plain_server()
    for octets in (b"\0\0\0\r\n", b"\xff\xfe\x1b[2J\r\n", b"ATRN\0one.test\r\n", b"NOOP\nNOOP\r\n",
                   b"GET / HTTP/1.0\r\n", b"\r\n", b"EHLO\r\n", b"ETRN ../../etc/passwd\r\n"):
        v.say(octets)
        print(v.reply())
    v.say(b"JUNK\r\n" * 100)
    v.finish(False)


def guess():
    """Forty connections guess at the same time: how many are listened to."""
    guests = [plain_server() for _ in range(40)]
    challenges = [v.ask("AUTH CRAM-MD5") for v in guests]
    for i, (v, challenge) in enumerate(zip(guests, challenges)):
        if challenge.startswith("334 "):
            v.say(base64.b64encode(answer(challenge, "alice", f"guess{i}")) + b"\r\n")
    heard = [v.reply() if challenge.startswith("334 ") else challenge
             for v, challenge in zip(guests, challenges)]
    for v in guests:
        v.wire.close()
        v.p.wait(GO)
    guesses = sum(line.startswith("535") for line in heard)
    print(f"{guesses} guesses")
    v = plain_server()
    print(cram(v))
    print(v.ask("QUIT"))
    v.finish()


# ---- not he, but what serves him, ends in the middle ----

def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def process(v, name):
    """Of a session: `parent' and `network' are turn-server's halves."""
    for pid in descendants(v.p.pid):
        with open(f"/proc/{pid}/comm") as f:
            comm = f.read().strip()
        if comm == name or (comm == "turn-server" and name == ("parent" if pid == v.p.pid else "network")):
            return pid
    raise SystemExit(f"there is no {name}")


def take_all(v, before=None, behind=None):
    """What comes behind the turn is taken: how many texts."""
    texts = 0
    v.say(b"220 c.test\r\n")
    line = v.line()
    while line is not None:
        if line == "DATA":
            v.say(b"354 go\r\n")
            while line not in (".", None):
                line = v.line()
            if line is None:
                break
            texts += 1
            if before:
                before()
        v.say(b"221 bye\r\n" if line == "QUIT" else b"250 ok\r\n")
        line = v.line()
        if texts and behind and line == "QUIT":
            behind()
    return texts


def killed(name, moment):
    """kill -9 of one of them, before or behind the verdict; then he calls again."""
    v = known_server()
    print(v.ask("ATRN one.test"))
    family = []

    def kill():
        family.extend(descendants(v.p.pid))
        os.kill(process(v, name), signal.SIGKILL)

    texts = take_all(v, **{moment: kill})
    v.wire.close()
    v.p.wait(GO)
    end = time.monotonic() + GO
    while any(map(alive, family)) and time.monotonic() < end:
        time.sleep(0.01)
    for pid in filter(alive, family):
        print(f"{pid} is left")
    v = known_server()
    said = v.ask("ATRN one.test")
    print(said)
    if said.startswith("250"):
        texts += take_all(v)
    print(f"{texts} came")
    v.wire.close()
    v.p.wait(GO)
    waits()


for name in "parent", "network", "dequeue", "smtp-send":
    for moment in "before", "behind":
        globals()[f"killed_{name}_{moment}"] = lambda who=(name, moment): killed(*who)

globals()[sys.argv[2]]()
