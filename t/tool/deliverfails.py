#!/usr/bin/env python3
"""deliverfails.py DIR CASE: a provider's end of turn-client, whose target fails.

The letters are given in one piece (pipelined) or each command behind the reply to the
one before it (lockstep).  Prints what is wrong:

    maildir MODE [HAS_NOT]  into a Maildir, killed behind, and failed at, each of its steps
                            on disk in turn (t/preload/steps.c, $STEPS)
    server MODE lmtp|smtp   into a server that goes away at each point of its session
    syncs MODE N            into a Maildir, N letters: how many syncs there were
    powercut MODE IMAGE [HAS_NOT]   into a Maildir on the file system in this file, which is
                            mounted on DIR/disk: what is on it, mounted on DIR/copy, when
                            the power goes behind each step; also when somebody else has
                            synced something of his own in between
"""
import os
import re
import shutil
import socket
import subprocess
import sys

DIR, CASE, MODE, *MORE = sys.argv[1:]
HOME, LOG = os.path.join(DIR, "home"), os.path.join(DIR, "steps.log")
WHATS = {"kill": None, "ENOSPC": "452", "EIO": "451", "EMFILE": "451"}


def letter(i):
    """The second one is written in several pieces."""
    return (f"Subject: letter{i}\r\n\r\n" +
            f"{i}: text of some length\r\n" * (9000 if i == 1 else 5 + i)).encode()


# ---- the provider ----

class Lost(Exception):
    pass


def first_no(codes):
    return next((c for c in codes if c[0] != "2"), "250")


class Provider:
    def __init__(self, wire):
        self.wire = wire
        self.rest = b""
        wire.settimeout(60)

    def line(self):
        while b"\n" not in self.rest:
            try:
                some = self.wire.recv(65536)
            except ConnectionError:
                some = b""
            if not some:
                raise Lost
            self.rest += some
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode().rstrip()

    def reply(self):
        line = self.line()
        while line[3:4] == "-":
            line = self.line()
        return line[:3]

    def say(self, octets):
        try:
            self.wire.sendall(octets)
        except ConnectionError:
            raise Lost from None

    def ask(self, octets):
        self.say(octets + b"\r\n")
        return self.reply()

    def turn(self):
        for said in (b"220 isp.test ESMTP\r\n", b"250-isp.test\r\n250 ATRN\r\n", b"250 ok\r\n"):
            self.say(said)
            self.line()
        self.ask(b"EHLO isp.test")

    def pipelined(self, which, fates):
        piece = b""
        for i in which:
            text = letter(i)
            piece += (b"RSET\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n"
                      b"BDAT %d LAST\r\n" % len(text)) + text
        self.say(piece + b"QUIT\r\n")
        for i in which:
            fates[i] = first_no([self.reply() for _ in range(4)])

    def lockstep(self, which, fates):
        for i in which:
            codes = [self.ask(c) for c in (b"MAIL FROM:<a@x.test>", b"RCPT TO:<b@y.test>", b"DATA")]
            if codes[2] == "354":
                codes = [self.ask(letter(i) + b".")]
            else:
                self.ask(b"RSET")
            fates[i] = first_no(codes)
        self.say(b"QUIT\r\n")


def session(which, target, **settings):
    """What each of these letters heard ("" nothing), and the exit status."""
    ours, theirs = socket.socketpair()
    fates = dict.fromkeys(which, "")
    env = dict(os.environ, **settings)
    if settings:
        env["LD_PRELOAD"] = os.environ["STEPS"]
        # a sanitizer's runtime wants to be the first library, and hangs over its log here
        env["ASAN_OPTIONS"] = "verify_asan_link_order=0"
    client = subprocess.Popen(["turn-client", "--helo=gw.test", "-q", "-s", f"fd:{theirs.fileno()}",
                               "-o", target, "y.test"], pass_fds=[theirs.fileno()], env=env,
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    theirs.close()
    provider = Provider(ours)
    try:
        provider.turn()
        getattr(provider, MODE)(which, fates)
        provider.reply()
    except Lost:
        pass
    ours.close()
    return fates, client.wait(60)


def all_well(fates):
    return set(fates.values()) == {"250"}


# ---- what is there ----

def there(home=HOME):
    """The letters in new; one that is not whole is told."""
    found, bad = [], []
    new = os.path.join(home, "new")
    for name in sorted(os.listdir(new)) if os.path.isdir(new) else []:
        with open(os.path.join(new, name), "rb") as f:
            octets = f.read()
        text = re.sub(rb"^Return-Path: <a@x.test>\n(Delivered-To: b@y.test|X-Rcpt: b@y.test)\n"
                      rb"(Received: [^\n]*\n\t[^\n]*\n)?", b"", octets)
        m = re.match(rb"Subject: letter(\d+)\n", text)
        if m and text == letter(int(m[1])).replace(b"\r", b""):
            found.append(int(m[1]))
        else:
            bad.append(f"{len(octets)} octets in new are no letter: {octets[:60]!r}")
    return found, bad


def early(at=""):
    """What the log has out of order: octets, a sync, the name, a sync, the 250."""
    state, bad = {}, []
    with open(LOG) as f:
        for number, call, what in (line.rstrip("\n").split(" ", 2) for line in f):
            name = os.path.basename(what)
            where = os.path.basename(os.path.dirname(what))
            if number == at:
                continue			# it failed
            if call.startswith("write") and where == "tmp":
                state[name] = "written"
            elif call == "fsync" and where == "tmp":
                state[name] = "safe"
            elif call in ("rename", "link"):
                if state.get(name) != "safe":
                    bad.append(f"{call} of what is {state.get(name)}")
                state[name] = "named"
            elif call == "syncfs" or (call == "fsync" and name == "new"):
                for k, v in state.items():
                    if v == "written" and call == "syncfs":
                        state[k] = "safe"
                    elif v == "named":
                        state[k] = "done"
            elif call == "says" and what.startswith("250 2.0.0 ") and what.count(".") > 3:
                name = what.split(" ")[2]
                if state.get(name) != "done":
                    bad.append(f"250 to what is {state.get(name)}")
    return bad


# ---- cases ----

def fresh(home=HOME):
    shutil.rmtree(home, ignore_errors=True)
    if os.path.exists(LOG):
        os.unlink(LOG)


def empty(home):
    fresh(home)
    for d in ("new", "tmp", "cur"):
        os.makedirs(os.path.join(home, d))


def logged(which, home=HOME, **settings):
    return session(which, "maildir:" + home, STEPS_LOG=LOG, STEPS_UNDER=home,
                   STEPS_IN="turn-client", STEPS_SAYS="1", **settings)


def steps_taken():
    with open(LOG) as f:
        return [line.rstrip("\n") for line in f if not line.startswith("0 ")]


def steps(**settings):
    fresh()
    fates, code = logged([0, 1, 2], **settings)
    return steps_taken(), fates, code


def wrong(what, fates, code, at):
    """A letter that heard 250 is there, one that heard anything else is not."""
    found, bad = there()
    for i, fate in fates.items():
        if fate not in ("250", "", WHATS[what]):
            bad.append(f"letter{i} heard {fate}")
        if fate and found.count(i) != (fate == "250"):
            bad.append(f"letter{i} heard {fate} and is there {found.count(i)} times")
    if what == "kill":
        return bad + early()
    if (code == 0) != all_well(fates):
        bad.append(f"status {code}: {fates}")
    tmp = os.path.join(HOME, "tmp")
    if os.path.isdir(tmp) and os.listdir(tmp) and " unlink " not in at:
        bad.append("something is left in tmp")
    return bad + early(at.split(" ")[0])


def mended(fates):
    """What the provider has still comes next time."""
    session([i for i, fate in fates.items() if fate != "250"], "maildir:" + HOME)
    found, bad = there()
    return bad + [f"letter{i} is lost" for i in fates if i not in found]


def maildir(has_not=""):
    n = 0
    for what in WHATS:
        settings = {"STEPS_HAS_NOT": has_not, "STEPS_OPENS": "" if what == "kill" else "1"}
        all_steps, fates, code = steps(**settings)
        if code != 0 or not all_well(fates):
            sys.exit(f"nothing failed, and yet: status {code}, {fates}")
        for at in all_steps:
            _, fates, code = steps(STEPS_AT=at.split(" ")[0], STEPS_DO=what, **settings)
            bad = wrong(what, fates, code, at)
            n += 1
            for line in bad or mended(fates):
                print(f"{what} at {at.replace(HOME, '')}: {line}")
    print(f"# {n} sessions", file=sys.stderr)


def server(kind):
    points = [f"--drop-at={p}" for p in ("BANNER", "LHLO" if kind == "lmtp" else "EHLO", "MAIL",
                                         "RCPT", "DATA", "TEXT", "DOT")]
    points += [f"--drop-after={n}" for n in range(14)] + [f"--drop-verdict={n}" for n in (1, 2)]
    for point in points:
        fresh()
        sink = f"exec:sink --stdio --ext=PIPELINING --maildir={HOME} {point}"
        fates, code = session([0, 1, 2], ("lmtp:" if kind == "lmtp" else "") + sink +
                              (" --lmtp" if kind == "lmtp" else ""))
        found, bad = there()
        bad += [f"letter{i} heard 250 and is not there" for i in fates
                if fates[i] == "250" and i not in found]
        bad += [f"letter{i} heard {fates[i] or 'nothing'}" for i in fates
                if fates[i] not in ("250", "451")]
        if (code == 0) != all_well(fates):
            bad.append(f"status {code}: {fates}")
        for line in bad or mended(fates):
            print(f"{point}: {line}")


def syncs(n):
    empty(HOME)
    fates, code = logged([3 + i for i in range(int(n))])
    if code != 0 or not all_well(fates) or len(there()[0]) != int(n):
        sys.exit(f"status {code}, {len(there()[0])} came")
    print(sum("sync" in line.split(" ")[1] for line in steps_taken()))
    print(*early(), sep="")


def on_disk(image):
    """What there() says of the disk, as it is now."""
    copy = os.path.join(DIR, "copy")
    subprocess.run(["cp", "--sparse=always", image, copy + ".img"], check=True)
    subprocess.run(["mount", "-o", "loop", copy + ".img", copy], check=True)
    try:
        return there(os.path.join(copy, "home"))
    finally:
        subprocess.run(["umount", copy], check=True)


def somebody_syncs(disk):
    with open(os.path.join(disk, "other"), "a") as f:
        f.write("x")
        f.flush()
        os.fsync(f.fileno())


def powercut(image, has_not=""):
    disk, all_steps, n = os.path.join(DIR, "disk"), ["0 none"], 0
    home = os.path.join(disk, "home")
    while n < len(all_steps):
        at = all_steps[n]
        empty(home)
        subprocess.run(["sync", "-f", disk], check=True)
        fates, code = logged([0, 1, 2], home, STEPS_HAS_NOT=has_not, STEPS_DO="kill",
                             STEPS_AT=at.split(" ")[0])
        if n == 0:
            all_steps += steps_taken()
            if code != 0 or not all_well(fates):
                sys.exit(f"nothing failed, and yet: status {code}, {fates}")
        for what in ("at once", "behind another's sync"):
            found, bad = on_disk(image)
            bad += [f"letter{i} heard 250 and is not there" for i, fate in fates.items()
                    if fate == "250" and i not in found]
            for line in bad:
                print(f"{what}, {at.replace(home, '')}: {line}")
            somebody_syncs(disk)
        n += 1
    print(f"# {n} cuts", file=sys.stderr)


if __name__ == "__main__":
    {"maildir": maildir, "server": server, "syncs": syncs,
     "powercut": powercut}[CASE](*MORE)
