#!/usr/bin/env python3
"""bench.py: letters to send, whether they arrived, and tables.

    bench.py letters DIR N SIZE [P] a Maildir DIR/md and its records DIR/records;
                                    DIR/plain with the texts of the first P alone,
                                    DIR/crlf with them as they go over the wire,
                                    DIR/open without the last line end
    bench.py large FILE OCTETS      one letter, with LF; prints its size on the wire
    bench.py bsmtp DIR [N]          the same letters as batched SMTP
    bench.py smtplib HOST PORT DIR [N]      sends them on one connection
    bench.py curl URL DIR N         a configuration file that makes curl send them
    bench.py arrived DIR FAR [N]    "N right" of those, or what is wrong
    bench.py slow ROWS FLOORS       the table of sending-slow
    bench.py loopback ROWS          the table of sending-loopback
    bench.py sizes ROWS             the table of sizes
    bench.py listing ROWS           the tables of listing
    bench.py draining ROWS          the table of draining
    bench.py receiving ROWS         the tables of receiving
    bench.py turning ROWS FLOOR RTT the table of turning
    bench.py floor BYTES RATE RTT   seconds
"""
import collections
import os
import random
import re
import smtplib
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../mta"))
import mail  # noqa: E402

SENDER, RCPT = "ann@sender.test", "bob@customer.test"
OURS = "smtp-send"


# --- letters -------------------------------------------------------------------

def letter(i, size):
    """Exactly `size` octets with LF, which are `size` plus a CR a line on the wire."""
    rng = random.Random(i)
    text = (f"From: <{SENDER}>\nTo: <{RCPT}>\nSubject: letter {i}\n"
            "Date: Mon, 23 Nov 2026 12:00:00 +0000\n"
            f"Message-ID: <b{i:06}@sender.test>\n\n")
    octets = "abcdefghijklmnopqrstuvwxyz     "
    while len(text) < size:
        text += "".join(rng.choices(octets, k=min(72, size - len(text) - 1))) + "\n"
    return text.encode()


def letters(where, n, size, plain=None):
    for sub in ("md/new", "md/cur", "md/tmp", "plain", "crlf", "open"):
        os.makedirs(os.path.join(where, sub), exist_ok=True)
    top = f"Return-Path: <{SENDER}>\nDelivered-To: {RCPT}\n".encode()
    with open(os.path.join(where, "records"), "w", encoding="ascii") as records:
        for i in range(int(n)):
            name, text = f"b{i:06}", letter(i, int(size))
            ref = os.path.abspath(os.path.join(where, "md/new", name))
            files = [(ref, top + text), (f"{where}/plain/{name}", text),
                     (f"{where}/crlf/{name}", text.replace(b"\n", b"\r\n")),
                     (f"{where}/open/{name}", text[:-1])]
            for path, octets in files[:4 if i < int(plain or n) else 1]:
                with open(path, "wb") as f:
                    f.write(octets)
            records.write(f"{ref}\t{SENDER}\t{RCPT}\n")


def large(path, octets):
    """Lines as people write them, a megabyte of them again and again."""
    octets, rng = int(octets), random.Random(7)
    block = b"".join(b"x" * rng.randrange(1, 76) + b"\n" for _ in range(27000))
    text = letter(0, 300)
    size, left = len(text) + text.count(b"\n"), octets - len(text)
    with open(path, "wb") as f:
        f.write(text)
        while left > 0:
            piece = block[:left] if left >= len(block) else block[:left - 1] + b"\n"
            f.write(piece)
            size += len(piece) + piece.count(b"\n")
            left -= len(piece)
    print(size)


def names(where, n=None):
    return sorted(os.listdir(os.path.join(where, "plain")))[:int(n) if n else None]


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def bsmtp(where, n=None):
    out = sys.stdout.buffer
    for name in names(where, n):
        out.write(f"MAIL FROM:<{SENDER}>\nRCPT TO:<{RCPT}>\nDATA\n".encode())
        out.write(re.sub(rb"^\.", b"..", read(where, "plain", name), flags=re.M) + b".\n")


def send(host, port, where, n=None):
    with smtplib.SMTP(host, int(port), "client.test", 600) as s:
        for name in names(where, n):
            s.sendmail(SENDER, [RCPT], read(where, "crlf", name))


def curl(url, where, n):
    one = (f'url = "{url}"\nmail-from = "{SENDER}"\nmail-rcpt = "{RCPT}"\n'
           f'upload-file = "{where}/crlf/%s"\nno-progress-meter\n')
    print("next\n".join(one % name for name in names(where, n)), end="")


def arrived(where, far, n=None):
    want = {name: read(where, "plain", name) for name in names(where, n)}
    got, bad = collections.Counter(), 0
    for _, _, _, rest in mail.mailbox(far):
        m = re.search(rb"^Message-ID: <(.*)@sender.test>", rest, re.M)
        name = m.group(1).decode() if m else ""
        got[name] += 1
        if rest != want.get(name):
            bad += 1
            print(f"bench: {name} came as {rest[:99]!r} ... {rest[-50:]!r}, {len(rest)} "
                  f"octets, and left with {len(want.get(name, b''))}",
                  file=sys.stderr if bad == 1 else open(os.devnull, "w"))
    wrong = [f"{n} {what}" for n, what in
             ((len(want.keys() - got.keys()), "missing"), (bad, "changed"),
              (sum(got.values()) - len(got), "twice")) if n]
    print(", ".join(wrong) or f"{len(want)} right")


# --- tables ----------------------------------------------------------------------

def table(head, rows):
    rows = [head, *rows]
    width = [max(len(r[k]) for r in rows) for k in range(len(head))]
    for r in rows:
        print("  ".join(s.ljust(w) if k == 0 or k == len(head) - 1 else s.rjust(w)
                        for k, (s, w) in enumerate(zip(r, width))).rstrip())


def figure(x):
    return f"{x:.3g}" if x < 1000 else f"{x:,.0f}"


def floor(size, rate, rtt):
    """IP packets of 1500 octets, 52 of them headers, and four round trips."""
    size = int(size)
    return (size + -(-size // 1448) * 52) / float(rate) + 4 * float(rtt)


def fields(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f]


def goal(text, have, limit, at_most):
    if have is None:
        print(f"    not measured  {text}")
        return
    good = have <= limit if at_most else have >= limit
    print(f"    {'holds ' if good else 'MISSED'} {figure(have):>6}  {text}")


def ratio(a, b):
    return a / b if a and b else None


def of_100(label, n, took, rtt):
    """What 100 would take: TCP, greeting, EHLO and QUIT come once a connection."""
    once = 4 * rtt if "one connection" in label else 0
    return once + (took - once) * 100 / n


def slow(path, floors, rtt):
    """Rows: server, rate, label, messages, seconds, status, arrived."""
    floor_of = {rate: (float(f), float(line)) for rate, f, line in fields(floors)}
    seconds, notes, labels = collections.defaultdict(list), {}, {}
    for server, rate, label, n, took, status, said in fields(path):
        key = server, label, rate
        labels.setdefault(server, {})[label] = None
        wrong = said if said != f"{n} right" else ""
        if status != "0":
            wrong = f"status {status}, {said}"
        if wrong:
            notes.setdefault(key, wrong)
        else:
            seconds[key].append(of_100(label, int(n), float(took), float(rtt)))
        if int(n) != 100:
            notes.setdefault((server, label, "n"), f"reckoned from {n}")
    median = {k: statistics.median(v) for k, v in seconds.items()}
    rates = list(floor_of)
    for server, rows in labels.items():
        print(f"\n100 messages of 4 kB to {server}, {float(rtt) * 1000:g} ms round trip\n")
        head = ["client"]
        for rate in rates:
            head += [rate, "x floor", "x ours", "trips"]
        out = [["floor (computed)"] + sum(
            ([figure(floor_of[r][0]), "1", "", ""] for r in rates), []) + [""]]
        for label in rows:
            line, remarks = [label], []
            for rate in rates:
                took = median.get((server, label, rate))
                ours = median.get((server, OURS, rate))
                if took is None:
                    line += ["-", "", "", ""]
                else:
                    at_rate, on_line = floor_of[rate]
                    line += [figure(took), f"{took / at_rate:.2f}",
                             f"{took / ours:.2f}" if ours else "",
                             f"{max(0, took - on_line) / float(rtt) / 100:.2f}"]
                if (server, label, rate) in notes:
                    remarks.append(f"{rate}: {notes[server, label, rate]}")
            if (server, label, "n") in notes:
                remarks.append(notes[server, label, "n"])
            out.append(line + ["; ".join(remarks)])
        table(head + [""], out)
        print("  trips: round trips a message, by the time it took")
        goals_slow(server, median, floor_of)


def goals_slow(server, median, floor_of):
    def m(label, rate="1mbit"):
        return median.get((server, label, rate))

    print("\n  goals")
    for rate, limit in (("1mbit", 1.25), ("56kbit", 1.03)):
        if rate in floor_of:
            goal(f"x floor at {rate}, at most {limit}",
                 ratio(m(OURS, rate), floor_of[rate][0]), limit, True)
    for label, limit in (("Postfix's client, one connection", 20),
                         ("Postfix's client, default", 2), ("Exim -qq", 8), ("msmtp", 60)):
        goal(f"{label} takes at least {limit} x as long", ratio(m(label), m(OURS)), limit, False)
    goal("without CHUNKING, -c 10: at most 1.4 x as long",
         ratio(m(OURS + " -c 10, no CHUNKING"), m(OURS)), 1.4, True)


def loopback(path):
    """Rows: server, label, messages, seconds, CPU seconds, kB, status, arrived."""
    took = collections.defaultdict(list)
    notes, labels, calls, base = {}, {}, {}, {}
    for server, label, n, *rest in fields(path):
        labels.setdefault(server, {})[label] = None
        key = server, label
        if rest[0] == "calls":
            calls[key] = float(rest[1]) / int(n)
            continue
        secs, cpu, rss, status, said = rest
        if status != "0" or said != f"{n} right":
            notes[key] = f"status {status}, {said}"
            continue
        took[key].append((int(n) / float(secs), float(cpu) / int(n) * 1000, int(rss) / 1024))
        base[key] = int(n)
    median = {k: [statistics.median(c) for c in zip(*v)] for k, v in took.items()}
    for server, rows in labels.items():
        print(f"\nmessages of 4 kB to {server}, on loopback\n")
        ours = median.get((server, OURS))
        out = []
        for label in rows:
            key = server, label
            m = median.get(key)
            if m is None:
                out.append([label, "", "-", "", "", "", "", notes.get(key, "")])
                continue
            out.append([label, str(base[key]), figure(m[0]),
                        f"{m[0] / ours[0]:.3g}" if ours else "", f"{m[1]:.4f}", f"{m[2]:.1f}",
                        f"{calls[key]:.2f}" if key in calls else "", notes.get(key, "")])
        table(["client", "messages", "a second", "x ours", "ms CPU", "MB", "calls", ""], out)
        print("  ms CPU and system calls: a message; MB: resident at most")
        source = median.get((server, "smtp-source, 10 sessions"))
        limit = {"nullsink, CHUNKING": 30, "smtp-sink": 1.5}.get(server)
        if limit is None:
            continue
        best = max((m for k, m in median.items() if k[0] == server and k[1].startswith(OURS)),
                   default=None)
        print("\n  goals")
        goal(f"at least {limit} x smtp-source with 10 sessions",
             best and source and best[0] / source[0], limit, False)
        goal("at most 0.01 ms of CPU a message", best and best[1], .01, True)
        goal("under 8 MB", best and best[2], 8, True)


def sizes(path):
    """Rows: label, seconds, CPU seconds, kB, status, said."""
    took, notes = collections.defaultdict(list), {}
    for label, secs, cpu, rss, status, said in fields(path):
        took[label]
        if status != "0" or said != "right":
            notes[label] = f"status {status}, {said}"
        else:
            took[label].append((float(secs), float(cpu), int(rss) / 1024))
    median = {k: [statistics.median(c) for c in zip(*v)] for k, v in took.items() if v}

    def against(a, b):
        return ratio(*((median[x][0] if x in median else None) for x in (a, b)))

    print("\nthe size of a message of 1 GB, in the cache\n")
    out = []
    for label in took:
        m = median.get(label)
        out.append([label, "-", "", "", "", "", notes.get(label, "")] if m is None else
                   [label, figure(m[0]), f"{against(label, 'the floor: dd') or 0:.2f}",
                    f"{against(label, 'wc -l') or 0:.2f}", figure(m[1]), f"{m[2]:.1f}",
                    notes.get(label, "")])
    table(["", "seconds", "x floor", "x wc -l", "CPU", "MB", ""], out)
    print("\n  goals")
    ours, start = median.get("msg-sizecheck"), median.get("msg-sizecheck, nothing to do")
    goal("x wc -l, at most 0.85", against("msg-sizecheck", "wc -l"), .85, True)
    goal("under 2 MB", ours and ours[2], 2, True)
    goal("under 2 MB more than it has when it does nothing",
         ours and start and ours[2] - start[2], 2, True)


def draining(path):
    """Rows: label, seconds, CPU seconds, kB, status, said."""
    took, notes = collections.defaultdict(list), {}
    for label, secs, cpu, rss, status, said in fields(path):
        took[label]
        if status != "0" or said != "right":
            notes[label] = f"status {status}, {said}"
        else:
            took[label].append((float(secs), float(cpu), int(rss) / 1024))
    median = {k: [statistics.median(c) for c in zip(*v)] for k, v in took.items() if v}
    peer = next(label for label in took if label.startswith("Postfix"))

    def faster(label):
        return ratio(*((median[x][0] if x in median else None) for x in (peer, label)))

    print("\n1,000 deferred messages of 4 kB out of Postfix's queue\n")
    table(["", "seconds", "x faster", "CPU", "MB", ""],
          [[k, figure(median[k][0]), f"{faster(k) or 0:.2f}", figure(median[k][1]),
            f"{median[k][2]:.1f}", notes.get(k, "")] if k in median else
           [k, "-", "", "", "", notes.get(k, "")] for k in took])
    print("\n  goals")
    for label in took:
        if label != peer:
            goal(f"x as fast as Postfix, at least 3: {label}", faster(label), 3, False)


# Round trips before and after the mail that a turn has and plain sending has not: STARTTLS,
# the handshake and EHLO anew; SCRAM, whose last words are a 334 in SMTP (RFC 4954); ATRN;
# the customer's greeting; QUIT, which is what turn-client ends with.
TURN, IN_TLS = 3 + 1 + 1 + 1, 3


def turning(path, at_best, rtt):
    """Rows: label, seconds, status, arrived."""
    took, notes = collections.defaultdict(list), {}
    for label, secs, status, said in fields(path):
        took[label]
        if status != "0" or said != "100 right":
            notes[label] = f"status {status}, {said}"
        else:
            took[label].append(float(secs))
    at_best, rtt = float(at_best), float(rtt)
    best = {label: at_best + rtt * (0 if "ETRN" in label else TURN + IN_TLS * ("TLS" in label))
            for label in took}
    median = {k: statistics.median(v) for k, v in took.items() if v}
    ours = median.get("drain, in TLS")
    print(f"\n100 messages of 4 kB from Postfix's queue, {rtt * 1000:g} ms round trip\n")
    table(["", "seconds", "floor", "x floor", "x ours", ""],
          [[k, figure(median[k]), figure(best[k]), f"{median[k] / best[k]:.2f}",
            f"{ratio(median[k], ours) or 0:.2f}", notes.get(k, "")] if k in median else
           [k, "-", figure(best[k]), "", "", notes.get(k, "")] for k in took])
    print("  floor: computed; with what a turn, AUTH and TLS cost in round trips")
    print("\n  goals")
    for label in (k for k in took if k.startswith("drain")):
        more = best[label] - at_best
        goal(f"{label}: x floor without these round trips, at most 1.25",
             median.get(label) and (median[label] - more) / at_best, 1.25, True)


def receiving(path):
    """Rows: syncs, label, messages, seconds, syncs, status, said."""
    took, notes = collections.defaultdict(list), {}
    for how, label, n, secs, syncs, status, said in fields(path):
        took[how, label]
        if status != "0" or said != f"{n} right":
            notes[how, label] = f"status {status}, {said}"
        else:
            took[how, label].append((int(n) / float(secs), int(syncs) / int(n), int(n)))
    median = {k: [statistics.median(c) for c in zip(*v)] for k, v in took.items() if v}
    for how in dict.fromkeys(k[0] for k in took):
        def of(label, column, how=how):
            return median.get((how, label), [None, None])[column]

        floor_is = "store: a file, fsync"
        print(f"\nmessages of 4 kB into a Maildir, on loopback, syncs {how}\n")
        table(["", "messages", "a second", "x floor", "syncs", ""],
              [[label, f"{median[k][2]:g}", figure(median[k][0]),
                f"{ratio(median[k][0], of(floor_is, 0)) or 0:.2f}", f"{median[k][1]:.3f}",
                notes.get(k, "")] if k in median else [label, "", "-", "", "", notes.get(k, "")]
               for k in took if k[0] == how for label in k[1:]])
        print("  floor: the first row; syncs: a message")
        print("\n  goals")
        syncs = of("turn-client, pipelined", 1)
        goal("pipelined: messages a sync, at least 16", syncs and 1 / syncs, 16, False)
        if how != "as they are":
            goal("pipelined: x floor, at least 10",
                 ratio(of("turn-client, pipelined", 0), of(floor_is, 0)), 10, False)
        goal("lock step: syncs a message, at most 1", of("turn-client, lock step", 1), 1, True)
        goal("lock step: x fetchmail, at least 5",
             ratio(of("turn-client, lock step", 0), of("fetchmail", 0)), 5, False)


# What a row of ours is to be held against: (row, peer, ratio, at most or at least,
# when); without a peer milliseconds.
LISTING = {
    "postfix": [("queue-list --records", "floor", 1.3, True, "warm"),
                ("queue-list -j", "floor, with defer logs", 1.3, True, "warm"),
                ("queue-list --count", "floor, names only", 1.2, True, "warm"),
                ("queue-list --records", "postqueue -j", 4, False, "warm"),
                ("queue-list -j", "postqueue -j", 2, False, "warm"),
                ("queue-list -d, by flush log", None, 10, True, "warm"),
                ("queue-list --records", "floor", .35, True, "cold"),
                ("queue-list --records", "postqueue -j", 8, False, "cold")],
    "exim": [("queue-list --records", "floor", 1.3, True, "warm"),
             ("queue-list --count", "floor, names only", 1.2, True, "warm"),
             ("queue-list --records", "exim -bp", 2.5, False, "warm"),
             ("queue-list --records", "exiqgrep -r . -i", 5, False, "warm"),
             ("queue-list --records", "floor", .35, True, "cold")],
    "sendmail": [("queue-list --records", "floor", 1.3, True, "warm"),
                 ("queue-list --count", "floor, names only", 1.2, True, "warm"),
                 ("queue-list --records", "mailq", 3, False, "warm"),
                 ("queue-list --records", "floor", .35, True, "cold")],
}


def listing(path):
    """Rows: server, messages, warm or cold, label, seconds, CPU seconds, kB, status, said."""
    took, notes = collections.defaultdict(list), {}
    for *key, secs, cpu, rss, status, said in fields(path):
        key = tuple(key)
        took[key]
        if status != "0" or said != "right":
            notes[key] = f"status {status}, {said}"
        else:
            took[key].append((float(secs), float(cpu), int(rss) / 1024))
    median = {k: [statistics.median(c) for c in zip(*v)] for k, v in took.items() if v}
    for group in dict.fromkeys(k[:3] for k in took):
        def of(label, group=group):
            return median.get((*group, label), [None])[0]

        print(f"\n{group[0]}, {group[1]} messages, {group[2]}\n")
        out = []
        for *_, label in (k for k in took if k[:3] == group):
            m = median.get((*group, label))
            out.append([label, "-", "", "", "", notes.get((*group, label), "")] if m is None else
                       [label, figure(m[0]), f"{ratio(m[0], of('floor')) or 0:.2f}",
                        figure(m[1]), f"{m[2]:.1f}", notes.get((*group, label), "")])
        table(["", "seconds", "x floor", "CPU", "MB", ""], out)
        print("\n  goals")
        for label, peer, limit, at_most, temp in LISTING[group[0]]:
            if temp == group[2] and peer is None:
                goal(f"{label}: ms, at most {limit}",
                     of(label) and of(label) * 1000, limit, True)
            elif temp == group[2]:
                a, b = (label, peer) if at_most else (peer, label)
                goal(f"{label} and {peer}: x, {'at most' if at_most else 'at least'} {limit}",
                     ratio(of(a), of(b)), limit, at_most)


def main(verb, *args):
    if verb == "floor":
        print(f"{floor(*args):.3f}")
    else:
        {"letters": letters, "large": large, "sizes": sizes, "bsmtp": bsmtp, "smtplib": send, "curl": curl,
         "arrived": arrived, "slow": slow, "loopback": loopback,
         "listing": listing, "draining": draining, "receiving": receiving,
         "turning": turning}[verb](*args)


if __name__ == "__main__":
    main(*sys.argv[1:])
