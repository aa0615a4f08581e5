#!/usr/bin/env python3
"""terminal.py COLUMNS COMMAND...: runs it on a terminal of that width and 24 lines, and
prints what stands there."""
import fcntl, os, pty, struct, subprocess, sys, termios

ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdin=theirs, stdout=theirs, stderr=theirs)
os.close(theirs)
text = b''
while True:
    try:
        piece = os.read(ours, 65536)
    except OSError:		# Linux says so where others say that it is the end
        break
    if not piece:
        break
    text += piece
sys.stdout.buffer.write(text.replace(b'\r\n', b'\n'))
sys.exit(child.wait())
