#!/usr/bin/env python3
"""turncut.py DIR STEP TLS: a session of turn-client with turn-server, cut again and again.

Five letters wait in DIR/isp at the provider; the connection goes through us, and is cut
behind each STEP octets of either direction.  After each cut both sides together must hold
every letter; one that both hold was in flight: its final reply was not heard.  Then a
session that nobody cuts brings the rest.  Prints what is wrong, and last how many
sessions there were.  TLS is a certificate, or empty.
"""
import os
import selectors
import shutil
import socket
import subprocess
import sys

DIR, STEP, TLS = sys.argv[1], int(sys.argv[2]), sys.argv[3]
NAMES = [f"letter{i}" for i in range(5)]


def path(*part):
    return os.path.join(DIR, *part)


def fresh():
    for d in ("isp", "home", "run"):
        shutil.rmtree(path(d), ignore_errors=True)
    for d in ("isp/new", "isp/cur", "isp/tmp", "run"):
        os.makedirs(path(d))
    for i, name in enumerate(NAMES):
        with open(path("isp/new", name), "w") as f:
            f.write(f"Return-Path: <a@x.test>\nDelivered-To: u{i}@one.test\n"
                    f"Subject: {name}\n\n" + "text of some length\n" * (5 + i * 4))


def relay(ends, limit):
    """Until both have ended, or limit[k] octets came from ends[k]; how many came."""
    came = [0, 0]
    with selectors.DefaultSelector() as sel:
        for k in (0, 1):
            sel.register(ends[k], selectors.EVENT_READ, k)
        while sel.get_map():
            for key, _ in sel.select(30) or sys.exit("hangs"):
                k = key.data
                try:
                    data = ends[k].recv(65536)
                except ConnectionError:
                    data = b""
                if limit[k] is not None:
                    data = data[:limit[k] - came[k]]
                came[k] += len(data)
                try:
                    if data:
                        ends[1 - k].sendall(data)
                except ConnectionError:
                    return came
                if limit[k] is not None and came[k] >= limit[k]:
                    return came
                if not data:
                    sel.unregister(ends[k])
                    try:
                        ends[1 - k].shutdown(socket.SHUT_WR)
                    except OSError:
                        return came
    return came


def session(limit):
    near, ours = socket.socketpair()
    theirs, far = socket.socketpair()
    env = dict(os.environ, TIDEGATE_RUN=path("run"))
    client = subprocess.Popen(
        ["turn-client", "--helo=gw.test", "-u", "gw", "--password-file=" + path("pass"), "-q",
         "-s", f"fd:{near.fileno()}", "-o", "maildir:" + path("home"), "one.test"]
        + (["--tls=verify", "--tls-ca=" + path("pki/ca.pem"), "--tls-name=mx.test"] if TLS else []),
        pass_fds=[near.fileno()], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = subprocess.Popen(
        ["turn-server", "--customers=" + path("customers"), "--passwords=" + path("users"),
         "--spool=maildir:" + path("isp"), "--helo=isp.test"] + (["--tls-cert=" + TLS] if TLS else []),
        stdin=far, stdout=far, env=env, stderr=subprocess.DEVNULL)
    near.close()
    far.close()
    came = relay([ours, theirs], limit)
    ours.close()
    theirs.close()
    return came, client.wait(60), server.wait(60)


def there(d):
    found = []
    for sub in ("new", "cur"):
        where = path(d, sub)
        for f in sorted(os.listdir(where)) if os.path.isdir(where) else []:
            with open(os.path.join(where, f)) as letter:
                text = letter.read()
            name = text.split("Subject: ", 1)[1].split("\n", 1)[0]
            i = NAMES.index(name)
            if not text.endswith("\n\n" + "text of some length\n" * (5 + i * 4)):
                print(f"{d}: {name} is not whole")
            found.append(name)
    return found


def check(what, limit, code):
    isp, home = there("isp"), there("home")
    for name in NAMES:
        if name not in isp and name not in home:
            print(f"{what}: {name} is lost")
        if home.count(name) > 1:
            print(f"{what}: {name} came twice in one session")
    if code == 0 and isp:
        print(f"{what}: 0, and {len(isp)} are left")
    if os.path.isdir(path("home/tmp")) and os.listdir(path("home/tmp")):
        print(f"{what}: left in tmp: {os.listdir(path('home/tmp'))}")
    return len(set(isp) & set(home))


def main():
    fresh()
    whole, code, _ = session([None, None])
    if code != 0 or sorted(there("home")) != NAMES or there("isp"):
        sys.exit(f"the whole session failed: {code}")
    n = both = 0
    for k, side in enumerate(("the customer", "the provider")):
        for octets in range(1, whole[k] + STEP, STEP):
            fresh()
            limit = [None, None]
            limit[k] = min(octets, whole[k])
            what = f"cut behind {limit[k]} octets of {side}"
            _, code, _ = session(limit)
            both += check(what, limit, code)
            n += 1
            if n % 10 == 0:
                _, code, _ = session([None, None])
                if code != 0 or there("isp") or sorted(set(there("home"))) != NAMES:
                    print(f"{what}: the next session, {code}, does not bring the rest")
    print(f"{n} sessions, {whole[0]} octets of the customer, {whole[1]} of the provider; "
          f"{both} letters in flight")


main()
