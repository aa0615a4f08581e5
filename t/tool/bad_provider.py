#!/usr/bin/env python3
"""bad_provider.py DIR CASE: a provider of turn-client who means no good (victim.py)."""
import os
import socket
import ssl
import sys
import threading
import time

from victim import DIR, GO, Victim, path


# ---- providers of turn-client ----

def client(*options):
    target = [] if any(o.startswith(("-o", "--deliver")) for o in options) else ["-o", "maildir:" + path("dest")]
    return Victim(["turn-client", "--helo=gw.test"] + target + list(options) + ["one.test"], "--server=fd:")


def offering(*options, offers="ATRN"):
    v = client(*options)
    v.say(b"220 isp.test\r\n")
    v.line()
    v.say(b"250-isp.test\r\n250 " + offers.encode() + b"\r\n")
    print(v.line())
    return v


def turned(*options):
    """Up to our EHLO; the customer awaits MAIL."""
    v = client(*options)
    v.say(b"220 isp.test\r\n")
    v.line()
    v.say(b"250-isp.test\r\n250 ATRN\r\n")
    v.line()
    v.say(b"250 now\r\n")
    v.line()
    v.ask("EHLO isp.test")
    return v


def came():
    d = path("dest/new")
    files = sorted(os.listdir(d)) if os.path.isdir(d) else []
    print(f"came: {len(files)}")
    return [os.path.join(d, f) for f in files]


def glued_ehlo():
    v = offering()
    v.say(b"250 now\r\nEHLO isp.test\r\n")
    print(v.line())
    print(v.reply())
    print(v.ask("QUIT"))
    v.finish()


def glued_ehlo_tls():
    """The same in one TLS record."""
    v = client("--tls=verify", "--tls-ca=" + path("pki/ca.pem"), "--tls-name=mx.test")
    v.say(b"220 isp.test\r\n")
    v.line()
    v.say(b"250-isp.test\r\n250 STARTTLS\r\n")
    v.line()
    v.say(b"220 go\r\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path("pki/good.pem"))
    v.wire = context.wrap_socket(v.ours, server_side=True)
    v.line()
    v.say(b"250-isp.test\r\n250 ATRN\r\n")
    print(v.line())
    v.say(b"250 now\r\nEHLO isp.test\r\n")
    print(v.line())
    print(v.reply())
    print(v.ask("QUIT"))
    v.finish()


def glued_junk():
    """What is glued to the 250 is heard as commands, and obeyed as such."""
    v = offering()
    v.say(b"250 now\r\nJUNK\r\nMAIL FROM:<a@x.test>\r\nBDAT 3 LAST\r\nabcQUIT\r\n")
    v.finish()
    came()


def ahead():
    """All its replies before it was asked anything, and a letter behind them."""
    v = client("-u", "alice", "--password-file=" + path("pass"))
    v.say(b"220 isp.test\r\n250-isp.test\r\n250-AUTH PLAIN\r\n250 ATRN\r\n235 ok\r\n250 now\r\n"
          b"EHLO isp.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@one.test>\r\nDATA\r\nSubject: x\r\n.\r\n")
    text = ""
    line = v.line()
    while line is not None:
        text += line + "\n"
        line = v.line()
    print("the password was said" if "AUTH" in text else "no password was said")
    v.finish()
    came()


def plain_in_tls():
    v = client("--tls=encrypt")
    v.say(b"220 isp.test\r\n")
    v.line()
    v.say(b"250-isp.test\r\n250-ATRN\r\n250 STARTTLS\r\n")
    print(v.line())
    v.say(b"220 go\r\n250-isp.test\r\n250 ATRN\r\n250 now\r\n")
    v.finish(False)


def endless_reply():
    v = client()
    v.say(b"220 ")
    for _ in range(160):
        if not v.say(b"x" * 65536):
            break
    v.weigh()
    v.finish(False)


def endless_lines():
    v = client()
    for _ in range(160):
        if not v.say(b"220-still more to come\r\n" * 3000):
            break
    v.weigh()
    v.finish(False)


def endless_command():
    v = turned()
    for _ in range(160):
        if not v.say(b"x" * 65536):
            break
    v.weigh()
    v.say(b"\r\nQUIT\r\n")
    v.finish()


def endless_text():
    """A line of 64 MB is larger than what may come: swallowed, and refused."""
    v = turned("--max-size=1M")
    v.ask("MAIL FROM:<a@x.test>")
    v.ask("RCPT TO:<b@one.test>")
    print(v.ask("DATA"))
    for _ in range(1024):
        if not v.say(b"x" * 65536):
            break
    v.weigh()
    v.say(b"\r\n.\r\nQUIT\r\n")
    v.finish()
    came()
    print("in tmp: " + " ".join(os.listdir(path("dest/tmp"))))


def bdat():
    v = turned()
    v.ask("MAIL FROM:<a@x.test>")
    v.ask("RCPT TO:<b@one.test>")
    for n in (2**64 + 1, 2**64, -1, "0x10", "1 2"):
        v.say(f"BDAT {n} LAST\r\nx\r\n".encode())
    v.say(b"QUIT\r\n")
    v.finish()
    came()


def bdat_large():
    """2^63-1 octets are announced: no room is made for them beforehand."""
    v = turned("--max-size=1M")
    v.ask("MAIL FROM:<a@x.test>")
    v.ask("RCPT TO:<b@one.test>")
    v.say(f"BDAT {2**63 - 1} LAST\r\n".encode() + b"x" * 100000)
    v.weigh()
    v.wire.shutdown(socket.SHUT_WR)
    v.finish()
    came()


def foreign():
    v = turned("--max-recipients=100")
    v.ask("MAIL FROM:<a@x.test>")
    for rcpt in ("b@elsewhere.test", "b@one.test.elsewhere.test", "b@notone.test", "b@sub.one.test",
                 '"b@one.test"@elsewhere.test', "b@one.test@elsewhere.test", "@one.test:b@elsewhere.test",
                 "b@[127.0.0.1]", "b", "postmaster", "b@one.test\\", "b@one.test>,<c@elsewhere.test",
                 "b@ONE.test"):
        v.say(f"RCPT TO:<{rcpt}>\r\n".encode())
        print(f"{rcpt}: {v.reply()}")
    print(v.ask("QUIT"))
    v.finish()
    came()


def verbs():
    v = turned()
    for line in ("STARTTLS", "AUTH PLAIN", "ETRN one.test", "ATRN one.test", "TURN", "EXPN x", "VRFY root"):
        print(f"{line}: {v.ask(line)}")
    for _ in range(20):
        if not v.say(b"JUNK\r\n"):
            break
    v.finish(False)


TRICKS = ("../../../../tmp/evil", "/etc/passwd", "|touch${IFS}evil", "$(touch${IFS}evil)", "`touch${IFS}evil`",
          "-oQ/tmp", '"; touch evil; "', '"a b"', ".", "..", "new/x", "a%00b", "b\\.")


def send_tricks(v):
    for rcpt in TRICKS:
        v.ask("MAIL FROM:<a@x.test>")
        got = v.ask(f"RCPT TO:<{rcpt}@one.test>")
        if not got.startswith("250"):
            print(f"{rcpt}: {got[:3]}")
            v.ask("RSET")
            continue
        v.ask("DATA")
        print(f"{rcpt}: {v.ask('Subject: x' + chr(13) + chr(10) + '.')[:3]}")
    print(v.ask("QUIT"))
    v.finish()


def tricks():
    before = sorted(os.listdir(DIR))
    send_tricks(turned())
    for name in came():
        with open(name) as f:
            print(next(line for line in f if line.startswith("Delivered-To")).rstrip())
    print("made: " + " ".join(sorted(set(os.listdir(DIR)) - set(before) - {"dest", "said"})))
    print("in dest: " + " ".join(sorted(os.listdir(path("dest")))))


def tricks_exec():
    """To a program: no word of its command line is a peer's."""
    before = sorted(os.listdir(DIR))
    send_tricks(turned("--deliver=exec:sink --stdio --log=" + path("sink.log")))
    print("made: " + " ".join(sorted(set(os.listdir(DIR)) - set(before) - {"dest", "said"})))


def rcpts():
    v = turned("-q")
    v.ask("MAIL FROM:<a@x.test>")
    said = {}

    def speak():
        for i in range(10000):
            if not v.say(b"RCPT TO:<u%d@one.test>\r\n" % i):
                return

    speaker = threading.Thread(target=speak)
    speaker.start()
    for _ in range(10000):
        line = v.reply()
        if line is None:
            break
        said[line[:9]] = said.get(line[:9], 0) + 1
    speaker.join()
    v.weigh()
    for reply, times in sorted(said.items()):
        print(f"{times} {reply}")
    print(v.ask("QUIT"))
    v.finish()


def transactions():
    """Ten thousand that come to nothing."""
    v = turned("-q")
    for _ in range(100):
        v.say(b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@one.test>\r\nRSET\r\n" * 100)
        for _ in range(300):
            v.reply()
    v.weigh()
    print(v.ask("QUIT"))
    v.finish()
    came()


def deaf():
    """Asks and asks, and reads no reply."""
    v = turned("--idle=2s")
    v.wire.settimeout(1)
    try:
        while v.say(b"MAIL FROM:<>\r\nRSET\r\n" * 10000):
            pass
    except TimeoutError:
        pass
    v.weigh()
    print(f"status {v.p.wait(GO)}")


def slow_greeting():
    v = client("--timeout=3s")
    v.drip(b"220-")
    v.finish(False)


def slow_turn():
    v = offering("--timeout=3s")
    v.drip(b"250-")
    v.finish(False)


def slow_command():
    v = turned("--idle=3s")
    v.drip(b"NOOP ")
    v.finish()


def slow_text():
    """Slower than anybody is: an octet each tenth of a second."""
    v = turned("--idle=3s")
    v.ask("MAIL FROM:<a@x.test>")
    v.ask("RCPT TO:<b@one.test>")
    print(v.ask("DATA"))
    v.drip(b"x")
    v.finish()
    came()


def slow_line():
    """An honest one on a slow line: each piece is small, but there are many."""
    v = turned("--idle=2s")
    v.ask("MAIL FROM:<a@x.test>")
    v.ask("RCPT TO:<b@one.test>")
    print(v.ask("DATA"))
    for _ in range(40):
        v.say((b"x" * 70 + b"\r\n") * 20)
        time.sleep(.1)
    print(v.ask(".")[:9])
    print(v.ask("QUIT"))
    v.finish()
    came()


def deadline():
    """Busy all the time, but there is an end to it."""
    v = turned("--deadline=4s")
    end = time.monotonic() + GO
    line, n = v.ask("MAIL FROM:<>"), 0
    while line is not None and line.startswith("250"):
        if time.monotonic() > end:
            print("late")
            break
        n += 1
        line = v.ask("RSET" if n % 2 else "MAIL FROM:<>")
    print(line)
    v.finish(False)


def flood():
    """More to read and to answer at every moment: the deadline is looked at all the same."""
    v = turned("--deadline=4s")
    said = []

    def hear():
        line = v.line()
        while line is not None:
            said[:] = [line]
            line = v.line()

    ear = threading.Thread(target=hear, daemon=True)
    ear.start()
    end = time.monotonic() + GO
    try:
        while ear.is_alive() and time.monotonic() < end:
            v.wire.sendall(b"MAIL FROM:<>\r\nRSET\r\n" * 2000)
    except OSError:
        pass
    ear.join(GO)
    print(said[0] if time.monotonic() < end else "late")
    v.finish(False)


def idle():
    """Nothing but commands that bring no message."""
    v = turned()
    n = 0
    line = v.ask("NOOP")
    while line is not None and line.startswith("250"):
        n += 1
        line = v.ask("NOOP")
    print("bounded" if n < 1000 else n)
    print(line)
    v.finish(False)


def terminal():
    """What it says reaches nobody's terminal as it is."""
    v = client()
    v.say(b"554 \x1b]0;owned\x07\x1b[2J\x9b31m go away\r\n")
    v.finish(False)
    with open(path("said"), "rb") as f:
        said = f.read()
    print("raw" if any(c in said for c in b"\x1b\x07\x9b") else "printable")


def smuggle():
    """Ends of text that are none (RFC 5321 section 2.3.8)."""
    for end in (b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n"):
        v = turned()
        v.ask("MAIL FROM:<a@x.test>")
        v.ask("RCPT TO:<b@one.test>")
        v.ask("DATA")
        v.say(b"Subject: x\r\n\r\nhi" + end + b"MAIL FROM:<evil@x.test>\r\nRCPT TO:<c@one.test>\r\nDATA\r\n"
              b"Subject: evil\r\n\r\nevil\r\n.\r\nQUIT\r\n")
        v.finish()
    came()


globals()[sys.argv[2]]()
