#!/usr/bin/env python3
"""A name server for the tests: MX questions over UDP on 127.0.0.1.

dnsd.py ZONE PORT-FILE

ZONE has a line a domain: `x.test 10:a.x.test 20:b.x.test`, `x.test none`,
`x.test nxdomain`, `x.test servfail`, `x.test refused`, `x.test garbage`.  The
port appears in PORT-FILE when it listens.  What is not there is NXDOMAIN.
"""
import os
import socket
import struct
import sys

CODES = {'none': 0, 'servfail': 2, 'nxdomain': 3, 'refused': 5}


def name(text):
    labels = [l for l in text.split('.') if l]
    return b''.join(bytes([len(l)]) + l.encode() for l in labels) + b'\0'


def question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return '.'.join(labels).lower(), packet[12:at + 5]


def answer(packet, zone):
    domain, asked = question(packet)
    words = zone.get(domain, ['nxdomain'])
    if words == ['garbage']:
        return packet[:2] + b'\x81\x80\0\1\0\7\0\0\0\0' + asked
    code = CODES.get(words[0], 0)
    hosts = [] if words[0] in CODES else [w.split(':') for w in words]
    head = struct.pack('>HHHHH', 0x8180 | code, 1, len(hosts), 0, 0)
    records = b''
    for preference, host in hosts:
        data = struct.pack('>H', int(preference)) + name(host)
        records += struct.pack('>HHHIH', 0xc00c, 15, 1, 60, len(data)) + data
    return packet[:2] + head + asked + records


def main():
    with open(sys.argv[1], encoding='ascii') as f:
        zone = {line.split()[0]: line.split()[1:] for line in f if line.strip()}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('127.0.0.1', 0))
    with open(sys.argv[2] + '.new', 'w', encoding='ascii') as f:
        f.write(f'{server.getsockname()[1]}\n')
    os.rename(sys.argv[2] + '.new', sys.argv[2])
    while True:
        packet, peer = server.recvfrom(4096)
        server.sendto(answer(packet, zone), peer)


main()
