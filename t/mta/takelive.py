#!/usr/bin/env python3
"""takelive.py: draining a queue whose MTA is at work, recipient by recipient.

    takelive.py plan SEED N FIRST       N letters, "ID SIZE RECIPIENT...", for d1.test,
                                        d2.test and d3.test, numbered from FIRST
    takelive.py submit ROOT PLAN        hands them to ROOT's sendmail, four at a time
    takelive.py expect PLAN DOMAIN...   "RECIPIENT FATE", as it should be told
    takelive.py told FILE...            "RECIPIENT FATE" of result lines, the last one of each
    takelive.py got DIR...              recipients of what arrived; twice is there twice
    takelive.py rest PLAN DOMAIN...     who still waits after these drains
    takelive.py storm SEED KILLS DIR LEFT COMMAND...
                                        see storm()
    takelive.py reckon DIR FAR          what of that came too often

No two recipients are alike, so each is known by its address.  Its local part says how its
server will answer: later-* 451, no-* 550, others are accepted.
"""
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import mail

DOMAINS = ["d1.test", "d2.test", "d3.test"]


def plan(seed, n, first):
    rng, out = random.Random(int(seed)), []
    for i in range(int(first), int(first) + int(n)):
        rcpts = []
        for k in range(rng.randrange(1, 6)):
            draw = rng.random()
            kind = "no" if draw < .1 else "later" if draw < .2 else "ok"
            rcpts.append(f"{kind}-{i:04}{'abcde'[k]}@{rng.choice(DOMAINS)}")
        out.append(f"m{i:04} {rng.randrange(300, 3000)} " + " ".join(rcpts))
    return out


def fate_of(rcpt):
    return {"no": "failed", "later": "deferred"}.get(rcpt.split("-")[0], "delivered")


def rcpts_of(path):
    return [r for _, rcpts in mail.plan_read(path).values() for r in rcpts]


def letter(ident, size):
    """Seven bits: not every MTA says when there are eight."""
    lines = ["x" * 60, ".", "..", "From here it goes on", "", "a\tb"]
    text = f"From: <{ident}@{mail.SENDER}>\nSubject: letter {ident}\n\n"
    while len(text) < size:
        text += lines[len(text) % len(lines)] + "\n"
    return text.encode()


def submit(root, path):
    def one(item):
        ident, (size, rcpts) = item
        text = letter(ident, size)
        for _ in range(5):	# smtpd says 421 when a machine is busy: who sends comes again
            done = subprocess.run(["chroot", root, "sendmail", "-i", "-f",
                                   f"{ident}@{mail.SENDER}", "--"] + rcpts, input=text,
                                  capture_output=True, check=False)
            if done.returncode == 0 or b" 421 " not in done.stderr:
                break
            time.sleep(1)
        return done
    with ThreadPoolExecutor(4) as pool:
        bad = [r for r in pool.map(one, mail.plan_read(path).items()) if r.returncode != 0]
    return [str(r) for r in bad[:5]]


def expect(path, *domains):
    return sorted(f"{r} {fate_of(r)}" for r in rcpts_of(path) if r.split("@")[1] in domains)


def rest(path, *domains):
    return sorted(r for r in rcpts_of(path)
                  if r.split("@")[1] not in domains or fate_of(r) != "delivered")


def results(files):
    for name in files:
        with open(name, encoding="utf-8") as f:
            for line in f:
                field = line.rstrip("\n").split("\t")
                if len(field) == 5 and line.endswith("\n"):
                    yield field[1], field[2]


def told(*files):
    return sorted(f"{r} {fate}" for r, fate in dict(results(files)).items())


def letters(where):
    """(EHLO name, [recipient]) of each in the Maildir."""
    for name in os.listdir(os.path.join(where, "new")):
        with open(os.path.join(where, "new", name), "rb") as f:
            top = f.read().split(b"\nFrom: ")[0].decode()
        by = re.search(r"^X-Helo: (\S+)", top, re.M)
        yield by and by.group(1), re.findall(r"^Delivered-To: *(\S+)", top, re.M)


def got(*dirs):
    return sorted(r for where in dirs for _, rcpts in letters(where) for r in rcpts)


def storm(seed, kills, where, left, *command):
    """Runs COMMAND, a drain, and kills it with SIGKILL after some result lines and a few
    milliseconds, KILLS times; then until LEFT, a command, prints nothing.  Each second
    time the word WINDOW in COMMAND is 1, else 50: what may be in hand, and come twice.
    The word RUN is the run's own, NNN: its EHLO name.  Leaves DIR/NNN.results and
    DIR/killed, `NNN WINDOW' a line; prints what was told twice.
    """
    rng, runs, hits, seen = random.Random(int(seed)), 0, 0, {}
    os.makedirs(where, exist_ok=True)
    deadline = time.monotonic() + 900 + 10 * int(kills)
    while time.monotonic() < deadline:
        window = "1" if runs % 2 else "50"
        run = subprocess.Popen([w.replace("WINDOW", window).replace("RUN", f"{runs:03}")
                                for w in command],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
        lines = []
        if hits < int(kills):
            for _ in range(rng.randrange(4)):
                lines.append(run.stdout.readline())
            time.sleep(rng.random() * .03)
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                hits += 1
                with open(os.path.join(where, "killed"), "a", encoding="ascii") as f:
                    print(f"{runs:03} {window}", file=f)
        lines += run.stdout.readlines()
        run.wait()
        with open(os.path.join(where, f"{runs:03}.results"), "wb") as f:
            f.writelines(lines)
        for rcpt, fate in results([os.path.join(where, f"{runs:03}.results")]):
            if fate == "delivered":
                seen[rcpt] = seen.get(rcpt, 0) + 1
        runs += 1
        if hits >= int(kills) and not subprocess.run(
                left, shell=True, check=True, capture_output=True).stdout:
            break
    else:
        return ["never done"]
    print(f"# {hits} kills in {runs} runs", file=sys.stderr)
    return [f"{r} was told {n} times" for r, n in seen.items() if n > 1]


def reckon(where, far):
    """A recipient comes once more for each killed run that did not tell of him, and such
    a run leaves no more letters open than it had in hand.
    """
    with open(os.path.join(where, "killed"), encoding="ascii") as f:
        window = {run: int(n) for run, n in map(str.split, f)}
    told = {name[:3]: {r for r, fate in results([os.path.join(where, name)])
                       if fate == "delivered"}
            for name in os.listdir(where) if name.endswith(".results")}
    bad, open_letters, came, excused = [], {}, {}, {}
    for run, rcpts in letters(far):
        untold = [r for r in rcpts if r not in told.get(run, rcpts)]
        open_letters[run] = open_letters.get(run, 0) + (len(untold) > 0)
        for r in rcpts:
            came[r] = came.get(r, 0) + 1
            excused[r] = excused.get(r, 0) + (r in untold)
    bad += [f"run {run}: {n} letters without an answer, {window.get(run, 0)} in hand"
            for run, n in open_letters.items() if n > window.get(run, 0)]
    bad += [f"{r} came {n} times, {excused[r]} of them unanswered"
            for r, n in came.items() if n - 1 > excused[r]]
    print(f"# {len(window)} kills, {sum(open_letters.values())} letters unanswered, "
          f"{sum(n - 1 for n in came.values())} recipients came again", file=sys.stderr)
    return bad


if __name__ == "__main__":
    if sys.argv[1] not in ("plan", "submit", "expect", "told", "got", "rest", "storm", "reckon"):
        sys.exit(f"takelive.py: {sys.argv[1]}?")
    said = globals()[sys.argv[1]](*sys.argv[2:])
    if said:
        print("\n".join(said))
