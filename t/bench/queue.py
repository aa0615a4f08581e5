#!/usr/bin/env python3
"""queue.py KIND DIR N: a queue of N deferred messages in DIR, as that MTA writes them.

Two recipients a message, each put off for a reason; ten messages, spread over the
queue, are for few.test.  The files belong to whom DIR belongs.
"""
import os
import sys
import time

BODY = ["a line of text, as people write them, of some length or other"] * 40
REASON = "host mx.customer.test[192.0.2.1] said: 451 4.7.1 try again later (in reply to RCPT TO command)"
NOW = int(time.time())
JOBS = os.cpu_count() or 1
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def recipients(i, n):
    few = i % max(1, n // 10) == 0 and i // max(1, n // 10) < 10
    return [f"user{i}@{'few' if few else f'domain{i % 997}'}.test", f"second{i}@other.test"]


def header(i):
    return [f"From: <sender{i % 89}@sender.test>", f"Subject: letter {i}",
            f"Message-ID: <m{i}@sender.test>", "Date: Mon, 23 Nov 2026 12:00:00 +0000"]


def base62(n, width):
    s = ""
    while n or len(s) < width:
        n, r = divmod(n, 62)
        s = BASE62[r] + s
    return s[-width:]


class Writer:
    def __init__(self, where):
        self.where, st = where, os.stat(where)
        self.owner = st.st_uid, st.st_gid
        self.ours = self.owner == (os.geteuid(), os.getegid())
        self.made = set()

    def dir(self, path):
        if path not in self.made:
            os.makedirs(path, mode=0o700, exist_ok=True)
            os.chown(path, *self.owner)
            self.made.add(path)

    # with as few system calls as there can be: there are hundreds of thousands

    def file(self, path, octets, mode, mtime=None):
        self.dir(path[:path.rindex("/")])
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        assert os.write(fd, octets) == len(octets)
        if not self.ours:
            os.fchown(fd, *self.owner)
        if mtime:
            os.utime(fd, (mtime, mtime))
        os.close(fd)


def share(n, k):
    """The letters that process number k of all makes."""
    return range(n * k // JOBS, n * (k + 1) // JOBS)


# --- Postfix: hashed one deep, short IDs ------------------------------------------

def record(kind, text=""):
    data, n, size = text.encode(), len(text.encode()), b""
    while True:
        n, more = n >> 7, n & 127
        size += bytes([more | (128 if n else 0)])
        if not n:
            return kind.encode() + size + data


def postfix(w, n, part):
    for i in part:
        qid = f"{i * 7919 % 0x100000:05X}{0x10000 + i:X}"
        came = NOW - 3600 - i % 80000
        front = [record("T", f"{came} {i % 1000000}"), record("A", f"create_time={came}"),
                 record("A", "log_client_name=localhost"), record("S", f"sender{i % 89}@sender.test")]
        at, offsets = 97 + sum(map(len, front)), []
        for r in recipients(i, n):
            front.append(record("O", r))
            at += len(front[-1])
            offsets.append(at)
            front.append(record("R", r))
            at += len(front[-1])
        front.append(record("M"))
        at += 2
        text = b"".join(record("N", line) for line in header(i) + [""] + BODY)
        first = record("C", " ".join(f"{v:15d}" for v in (len(text), at, 2, 0, len(text), 0)))
        assert len(first) == 97
        w.file(f"{w.where}/deferred/{qid[0]}/{qid}", first + b"".join(front) + text +
               record("X") + record("E"), 0o700, NOW + 600 + i % 3600)
        log = "".join(f"\n<{r}>: {REASON}\nrecipient={r}\noffset={o}\nstatus=4.7.1\n"
                      f"action=delayed\nreason={REASON}\n" for r, o in zip(recipients(i, n), offsets))
        w.file(f"{w.where}/defer/{qid[0]}/{qid}", (log + "\n").encode(), 0o600)


# --- Exim: split spool --------------------------------------------------------------

def exim(w, n, part):
    for i in part:
        came = NOW - 90000 + i % 80000
        mid = f"{base62(came, 6)}-{base62(i, 6)}-{base62(i % 1900, 2)}"
        to = recipients(i, n)
        fields = "".join(f"{len(h) + 1:03d}{h[0] if h[0] in 'FI' else ' '} {h}\n" for h in header(i))
        head = (f"{mid}-H\nDebian-exim 100 102\n<sender{i % 89}@sender.test>\n{came} 0\n"
                f"-received_time_usec .070180\n-ident Debian-exim\n-received_protocol local\n"
                f"-body_linecount {len(BODY)}\n-max_received_linelength 70\n-allow_unqualified_recipient\n"
                f"XX\n2\n" + "".join(f"{r}\n" for r in to) + "\n" + fields)
        at = f"{w.where}/input/{mid[5]}/{mid}"
        w.file(at + "-H", head.encode(), 0o640)
        w.file(at + "-D", (f"{mid}-D\n" + "\n".join(BODY) + "\n").encode(), 0o640)
        day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(came))
        w.file(f"{w.where}/msglog/{mid[5]}/{mid}", (
            f"{day} Received from sender@sender.test U=ann P=local S=2600\n" + "".join(
                f"{day} {r} R=all T=smtp defer (-44): {REASON}\n" for r in to)).encode(), 0o640)


# --- Sendmail -------------------------------------------------------------------------

def sendmail(w, n, part):
    for i in part:
        came = NOW - 90000 + i % 80000
        qid = f"6ANG{BASE62[i % 60]}{BASE62[i // 60 % 60]}{i:06d}12"
        lines = ["V8", f"T{came}", f"K{NOW - 60}", "N3", "P120000", f"MDeferred: {REASON}", "Fbs",
                 "$_localhost [127.0.0.1]", "$rESMTP", "$sclient.test", "${daemon_flags}",
                 f"S<sender{i % 89}@sender.test>"]
        for r in recipients(i, n):
            lines += [f"MDeferred: {REASON}", f"rRFC822; {r}", f"RPFD:<{r}>"]
        lines += ["H??" + h for h in header(i)] + ["."]
        w.file(f"{w.where}/qf{qid}", ("\n".join(lines) + "\n").encode(), 0o600)
        w.file(f"{w.where}/df{qid}", ("\n".join(BODY) + "\n").encode(), 0o600)


def main(kind, where, n):
    make = {"postfix": postfix, "exim": exim, "sendmail": sendmail}[kind]
    os.umask(0)
    jobs = []
    for k in range(JOBS):
        jobs.append(os.fork())
        if jobs[-1] == 0:
            make(Writer(where), n, share(n, k))
            os._exit(0)
    # a child that raised has said why, and exits with 1
    return max([os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]) != 0 for job in jobs])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
