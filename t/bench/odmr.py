#!/usr/bin/env python3
"""odmr.py: both ends of an on-demand relay, as simple as they can be.

    odmr.py provider PORT COMMAND...    to who comes there and says ATRN COMMAND sends the
                                        mail: a socket is its descriptor 3.  Whoever logs
                                        in by CRAM-MD5 is let in
    odmr.py server PORT DIR             an SMTP server: a message is a file in DIR/new, and
                                        accepted when it was synced
"""
import itertools
import os
import socket
import sys


def lines(s):
    """Not an octet more than the line."""
    line = b""
    while c := s.recv(1):
        line += c
        if c == b"\n":
            yield line.decode().strip()
            line = b""


def provider(port, *command):
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        s, _ = listener.accept()
        if os.fork() == 0:
            try:
                serve(s, command)
            except ConnectionError:
                os._exit(0)		# who only looked whether somebody listens
        s.close()


def serve(s, command):
    s.sendall(b"220 isp.test ESMTP\r\n")
    for line in lines(s):
        verb = line.upper()
        if verb.startswith("EHLO"):
            s.sendall(b"250-isp.test\r\n250-AUTH CRAM-MD5\r\n250 ATRN\r\n")
        elif verb.startswith("AUTH"):
            s.sendall(b"334 PDEyM0Bpc3AudGVzdD4=\r\n")
        elif verb.startswith("ATRN"):
            s.sendall(b"250 now\r\n")
            os.dup2(s.fileno(), 3)
            os.execvp(command[0], command)
        else:
            s.sendall(b"235 you are\r\n")
    os._exit(0)


def server(port, where):
    listener = socket.create_server(("127.0.0.1", int(port)))
    for k in itertools.count():
        s, _ = listener.accept()
        try:
            receive(s, s.makefile("rb"), where, f"s{k}")
        except ConnectionError:
            pass			# who only looked whether somebody listens
        s.close()


def receive(s, f, where, name):
    n = 0
    s.sendall(b"220 gw.test ESMTP\r\n")
    while line := f.readline().upper():
        if line.startswith(b"EHLO"):
            s.sendall(b"250-gw.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif line.startswith(b"DATA"):
            s.sendall(b"354 go on\r\n")
            n += 1
            keep(where, f"{name}.{n}", f)
            s.sendall(b"250 kept\r\n")
        else:
            s.sendall(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")


def keep(where, name, f):
    with open(f"{where}/tmp/{name}", "wb") as out:
        while (line := f.readline()) not in (b".\r\n", b""):
            out.write(line[line.startswith(b"."):].replace(b"\r", b""))
        out.flush()
        os.fsync(out.fileno())
    os.rename(f"{where}/tmp/{name}", f"{where}/new/{name}")


if __name__ == "__main__":
    {"provider": provider, "server": server}[sys.argv[1]](*sys.argv[2:])
