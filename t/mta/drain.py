#!/usr/bin/env python3
"""drain.py: what a drain should do and what it did, recipient by recipient.

    drain.py plan SEED N                    N letters for d1.test, d2.test, d3.test
    drain.py more SEED N FIRST              N for d3.test only, numbered from FIRST
    drain.py fates PLAN DOMAIN              "ID RECIPIENT FATE", as it should be
    drain.py results PLAN IDS FILE...       "ID RECIPIENT FATE", as it was told
    drain.py left PLAN HELD DOMAIN...       "ID RECIPIENT QUEUE" after these drains
    drain.py refused PLAN                   "ID RECIPIENT" of what is to be bounced
    drain.py bounced DIR                    "ID RECIPIENT" of what was
    drain.py storm SEED KILLS PLAN IDS DIR DOMAIN MORE COMMAND...
                                            see storm()

The local part of an address says how its server will answer: later-* 451,
no-* 550, others are accepted.  IDS has lines "QUEUEID ID"; HELD has the IDs of
the letters on hold.
"""
import os
import random
import re
import signal
import subprocess
import sys
import time

import mail

DOMAINS = ["d1.test", "d2.test", "d3.test"]


def domain_of(rcpt):
    return rcpt.rsplit("@", 1)[1]


def fate_of(rcpt):
    return {"no": "failed", "later": "deferred"}.get(rcpt.split("-")[0], "delivered")


def plan(seed, n, first=1, domains=tuple(DOMAINS)):
    rng = random.Random(int(seed))
    out = []
    for i in range(int(first), int(first) + int(n)):
        rcpts = []
        for k in range(rng.randrange(1, 6)):
            draw = rng.random()
            kind = "no" if draw < .1 else "later" if draw < .2 else "ok"
            rcpts.append(f"{kind}-{i:03}{'abcde'[k]}@{rng.choice(domains)}")
        out.append(f"m{i:03} {rng.randrange(300, 3000)} " + " ".join(rcpts))
    return out


def more(seed, n, first):
    return plan(seed, n, first, ["d3.test"])


def pairs(path):
    return [(i, r) for i, (_, rcpts) in mail.plan_read(path).items() for r in rcpts]


def fates(path, domain):
    return sorted(f"{i} {r} {fate_of(r)}" for i, r in pairs(path) if domain_of(r) == domain)


def ids_read(path):
    with open(path, encoding="ascii") as f:
        return dict(line.split() for line in f)


def results_read(ids, lines):
    """(ID, recipient, fate, the line) of result lines."""
    for line in lines:
        field = line.rstrip("\n").split("\t")
        if len(field) != 5:
            yield "?", "?", "?", line
            continue
        yield ids.get(os.path.basename(field[0]), "?"), field[1], field[2], line


def results(_plan, ids, *files):
    ids, out = ids_read(ids), []
    for name in files:
        with open(name, encoding="utf-8") as f:
            out += [f"{i} {r} {fate}" for i, r, fate, _ in results_read(ids, f)]
    return sorted(out)


def left(path, held, *domains):
    with open(held, encoding="ascii") as f:
        held = set(f.read().split())
    return sorted(f"{i} {r} {'hold' if i in held else 'deferred'}" for i, r in pairs(path)
                  if domain_of(r) not in domains or fate_of(r) != "delivered")


def refused(path):
    return sorted(f"{i} {r}" for i, r in pairs(path) if fate_of(r) == "failed")


def bounced(where):
    out = []
    for _, rcpt, _, rest in mail.mailbox(where):
        if domain_of(rcpt) == mail.SENDER:
            out += [f"{rcpt.split('@')[0]} {r.decode()}" for r in
                    re.findall(rb"^Final-Recipient: rfc822; *(\S+)", rest, re.M)]
    return sorted(out)


# --- kill -9 -----------------------------------------------------------------

def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(s) for s in f.read().split()]
    except OSError:
        return []


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""


def is_running(program, pid):
    words = command_line(pid).split(b"\0")
    return os.path.basename(words[0]) == program.encode()


def gone(word):
    """Waits until no process has this word among its arguments."""
    for _ in range(3000):
        if not any(word.encode() in command_line(p) for p in os.listdir("/proc")
                   if p.isdigit() and int(p) != os.getpid()):
            return True
        time.sleep(.01)
    return False


class Run:
    """One dequeue; its smtp-send says EHLO by a name that only this run uses."""

    def __init__(self, number, where, ids, command, domain):
        self.helo = f"run{number:03}.test"
        self.where, self.ids = os.path.join(where, f"{number:03}"), ids
        self.lines = []
        self.process = subprocess.Popen(
            [w.replace("HELO", self.helo).replace("DOMAIN", domain) for w in command],
            stdout=subprocess.PIPE, stderr=open(self.where + ".err", "wb"),
            stdin=subprocess.DEVNULL)

    def read(self, n=None):
        """n result lines, or all; True if there was an end."""
        while n is None or len(self.lines) < n:
            line = self.process.stdout.readline()
            if not line.endswith(b"\n"):
                return True	# half a line is none
            self.lines.append(line.decode())
        return False

    def find(self, victim):
        """Its process id, as soon as there is one; None when all is over."""
        while self.process.poll() is None:
            pid = self.process.pid
            for p in [pid] if victim == "dequeue" else children(pid):
                if is_running(victim, p):
                    return p
            time.sleep(.001)
        return None

    def end(self):
        signal.alarm(900)
        self.read()
        status = self.process.wait()
        signal.alarm(0)
        with open(self.where + ".results", "w", encoding="utf-8") as f:
            f.writelines(self.lines)
        return status

    def told(self):
        return {(i, r) for i, r, fate, _ in results_read(self.ids, self.lines)
                if fate == "delivered"}


def pending(domain):
    """The recipients there that still wait although their server would take them."""
    out = subprocess.run(os.environ["LIST"], shell=True, check=True,
                         capture_output=True, text=True).stdout
    return [(i, r, q) for i, rcpts, q, _ in mail.waiting_read(out.splitlines())
            for r in rcpts if domain_of(r) == domain and fate_of(r) == "delivered"]


def deliveries(where):
    """{(ID, recipient): [EHLO name of who brought it]}"""
    out = {}
    for _, rcpt, top, rest in mail.mailbox(where):
        ident = re.search(rb"^Message-ID: *<([^@>]*)", rest, re.M)
        by = re.search(rb"^Received: from (run\d+\.test)", top, re.M)
        if ident and domain_of(rcpt) != mail.SENDER:
            key = ident.group(1).decode(), rcpt
            out.setdefault(key, []).append(by.group(1).decode() if by else "?")
    return out


def on_alarm(*_):
    sys.exit("dequeue hangs")


def storm(seed, kills, _plan, ids, where, domain, more, *command):
    """Drains DOMAIN with COMMAND, killed KILLS times, until nothing is left to do.

    A moment is a number of result lines seen and a few milliseconds more; both,
    and who is hit, follow from SEED.  If all is done before enough kills, MORE
    is drained as well.  Every other time the next run does not wait for the
    smtp-send that a killed dequeue left behind.  COMMAND has DOMAIN and HELO
    where these belong; $LIST prints the queue, $HURRY makes qmgr look at what it has put
    aside for a minute because it was locked.  Leaves DIR/NNN.results, and
    DIR/killed with the names of the runs that were hit.
    """
    rng, ids, runs, hits = random.Random(int(seed)), ids_read(ids), [], []
    os.makedirs(where, exist_ok=True)
    signal.signal(signal.SIGALRM, on_alarm)
    for domain in (domain, more):
        patience = time.monotonic() + 150 + 10 * int(kills)
        while time.monotonic() < patience:
            if len(hits) == int(kills) and not pending(domain):
                break
            victim = rng.choice(["dequeue", "smtp-send"])
            lines, nap = rng.randrange(7), rng.random() * .02
            run = Run(len(runs), where, ids, command, domain)
            runs.append(run)
            if len(hits) < int(kills):
                pid = run.find(victim)
                ended = run.read(lines)
                time.sleep(nap)
                if pid and not ended and kill(pid):
                    hits.append(run.helo)
                    with open(os.path.join(where, "killed"), "a", encoding="ascii") as f:
                        print(run.helo, file=f)
                    print(f"{run.helo}: {victim} after {len(run.lines)} lines")
            status = run.end()
            if rng.random() < .5 and not gone(run.helo):
                sys.exit(f"{run.helo}: still there")
            if run.helo not in hits:
                if run.told():
                    print(f"{run.helo}: ended, status {status}, {len(run.told())} delivered")
                else:
                    subprocess.run(os.environ["HURRY"], shell=True, check=False,
                                   stderr=subprocess.DEVNULL)
                    time.sleep(1)	# qmgr's turn
            if not pending(domain):
                break
        else:
            sys.exit(f"{domain} is never done: {pending(domain)}")
        if len(hits) == int(kills):
            break
    for run in runs:
        if not gone(run.helo):
            sys.exit(f"{run.helo}: still there")
    if len(hits) < int(kills):
        sys.exit(f"only {len(hits)} kills")


def reckon(ids, where, far):
    """Compares the deliveries with what each run told; prints what is wrong."""
    ids, bad, unanswered, dup = ids_read(ids), [], 0, 0
    with open(os.path.join(where, "killed"), encoding="ascii") as f:
        killed = set(f.read().split())
    told = {}
    for name in sorted(os.listdir(where)):
        if name.endswith(".results"):
            with open(os.path.join(where, name), encoding="utf-8") as f:
                told[f"run{name[:3]}.test"] = {
                    (i, r) for i, r, fate, _ in results_read(ids, f) if fate == "delivered"}
    got = deliveries(far)
    for key, by in sorted(got.items()):
        open_ends = [h for h in by if h in told and key not in told[h]]
        unanswered += len(open_ends)
        dup += len(by) - 1
        if len(by) - 1 > len(open_ends):
            bad.append(f"{key} came by {by}, and was answered more than once")
        bad += [f"{key}: {h} was not killed and does not tell of it"
                for h in open_ends if h not in killed]
        if "?" in by:
            bad.append(f"{key} was not sent by us")
        if len(by) != len(set(by)):
            bad.append(f"{key} twice in one run: {by}")
    for helo, keys in told.items():
        bad += [f"{helo} tells that {key} was delivered, and it was not"
                for key in sorted(keys) if helo not in got.get(key, ())]
    print(f"# {len(killed)} kills: {unanswered} recipients delivered and unanswered, "
          f"{dup} delivered twice", file=sys.stderr)
    print("\n".join(bad), end="")


def main(verb, *args):
    if verb in ("storm", "reckon"):
        globals()[verb](*args)
    elif verb in ("plan", "more", "fates", "results", "left", "refused", "bounced"):
        print("\n".join(globals()[verb](*args)))
    else:
        sys.exit(f"drain.py: {verb}?")


if __name__ == "__main__":
    main(*sys.argv[1:])
