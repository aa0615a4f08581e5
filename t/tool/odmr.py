#!/usr/bin/env python3
"""A customer who fetches his mail, line by line.

odmr.py [--tls] [--early=OCTETS] [SINK-OPTION...] -- COMMAND...

starts COMMAND with a socket as its stdin and stdout, and says what stands on stdin, a
line at a time, waiting for the reply, which is printed.  `CRAM user secret' logs in by
CRAM-MD5, `STARTTLS' shakes hands.  When ATRN or TURN got its 250, `sink --stdio' is the
server on that connection, with these options.  A line `+TEXT' goes out in one piece with
the one before it.  The exit status is COMMAND's.
"""
import base64
import hmac
import socket
import ssl
import subprocess
import sys
import threading

at = sys.argv.index('--')
sink, command = sys.argv[1:at], sys.argv[at + 1:]
ours, theirs = socket.socketpair()
server = subprocess.Popen(command, stdin=theirs, stdout=theirs)
theirs.close()
ours.settimeout(60)


def hear():
    text = b''
    while True:
        line = b''
        while not line.endswith(b'\n'):		# not an octet more than the reply
            try:
                c = ours.recv(1)
            except ConnectionResetError:
                c = b''
            if not c:
                print('closed')
                sys.stdout.flush()
                raise EOFError
            line += c
        text += line
        print(line.decode().rstrip())
        if line[3:4] != b'-':
            sys.stdout.flush()
            return text


def say(line):
    try:
        ours.sendall(line.encode('latin-1') + b'\r\n')
    except BrokenPipeError:
        pass				# it is gone, maybe with a word
    return hear()


def cram(user, secret):
    challenge = base64.b64decode(say('AUTH CRAM-MD5')[4:])
    digest = hmac.new(secret.encode(), challenge, 'md5').hexdigest()
    return say(base64.b64encode(f'{user} {digest}'.encode()).decode())


def shake():
    global ours
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    ours = context.wrap_socket(ours)


def carry(get, put, end):
    try:
        while piece := get(65536):
            put(piece)
    except OSError:
        pass
    end()


def serve():
    ours.settimeout(None)
    if not isinstance(ours, ssl.SSLSocket):
        subprocess.run(['sink', '--stdio'] + sink, stdin=ours, stdout=ours)
        return
    near, far = socket.socketpair()
    child = subprocess.Popen(['sink', '--stdio'] + sink, stdin=far, stdout=far)
    far.close()
    threading.Thread(target=carry, daemon=True, args=(
        ours.recv, near.sendall, lambda: near.shutdown(socket.SHUT_WR))).start()
    carry(near.recv, ours.sendall, lambda: None)
    child.wait()


try:
    hear()
    lines = [line.rstrip('\n') for line in sys.stdin]
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        while i < len(lines) and lines[i].startswith('+'):
            line += '\r\n' + lines[i][1:]
            i += 1
        words = line.split()
        if words[0] == 'CRAM':
            cram(words[1], words[2])
            continue
        if line == 'CLOSE':
            break
        got = say(line)
        if words[0] == 'STARTTLS' and got.startswith(b'220'):
            shake()
        if words[0] in ('ATRN', 'TURN') and got.startswith(b'250'):
            serve()
            break
except EOFError:
    pass
ours.close()
sys.exit(server.wait(60))
