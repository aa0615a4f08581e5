"""A program on one end of a socket, for its hostile peers bad_customer.py and
bad_provider.py, which are called as `FILE DIR CASE'.

Each case is a function there.  It starts its victim, and prints what it heard; a line
`PSS' or `late' only when the victim, with all its children, is larger than it may be, or
holds on for longer.  $HEAVY set: nobody is weighed.  DIR has customers, users, pass, pki
and the queue md, as the test made them.
"""
import os
import socket
import ssl
import subprocess
import sys
import time

DIR = sys.argv[1]
MOST = 16 * 1024		# kB, of all processes of a session
GO = 60				# seconds: nobody takes longer over any of this


def path(*part):
    return os.path.join(DIR, *part)


def descendants(pid):
    found = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                for child in f.read().split():
                    found += descendants(int(child))
    except OSError:
        pass
    return found


def pss(pid):
    """kB; 0 of one that has gone, or that we may not look at."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            return sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    except OSError:
        return 0


def session_pss(pid):
    """kB of a program and all that it has started."""
    return sum(pss(each) for each in descendants(pid))


class Victim:
    def __init__(self, command, end_option=None):
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(GO)
        self.wire = self.ours
        self.rest = b""
        with open(path("said"), "wb") as said:
            if end_option:
                command = command + [end_option + str(theirs.fileno())]
                self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=said, cwd=DIR,
                                          pass_fds=[theirs.fileno()])
            else:
                self.p = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=said, cwd=DIR)
        theirs.close()

    def say(self, octets):
        """True, unless it has gone."""
        try:
            self.wire.sendall(octets)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def line(self):
        """None: it has closed."""
        while b"\n" not in self.rest:
            try:
                got = self.wire.recv(65536)
            except (ConnectionResetError, ssl.SSLError):
                got = b""
            if not got:
                return None
            self.rest += got
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("latin-1").rstrip("\r")

    def reply(self):
        line = self.line()
        while line is not None and line[3:4] == "-":
            line = self.line()
        return line

    def ask(self, line):
        self.say(line.encode("latin-1") + b"\r\n")
        return self.reply()

    def weigh(self):
        size = session_pss(self.p.pid)
        if size > MOST and "HEAVY" not in os.environ:
            print(f"PSS {size} kB")

    def finish(self, show=True):
        """What else it says, and its exit status."""
        line = self.reply()
        while line is not None:
            if show:
                print(line)
            line = self.reply()
        self.wire.close()
        print(f"status {self.p.wait(GO)}")

    def drip(self, octets, every=0.1):
        """One at a time, until it closes or speaks; never more than GO seconds."""
        self.wire.settimeout(every)
        end = time.monotonic() + GO
        while time.monotonic() < end:
            octet, octets = octets[:1], octets[1:] or octets
            if not self.say(octet):
                break
            try:
                self.rest += self.wire.recv(4096)
                break
            except TimeoutError:
                pass
            except ConnectionResetError:
                break
        else:
            print("late")
        self.wire.settimeout(GO)
