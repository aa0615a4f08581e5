#!/usr/bin/env python3
"""drop.py: what waits before the line drops, and when it drops.

    drop.py plan NAME N         letters of 4 kB, one in ten for two people
    drop.py post PLAN DIR       they wait in the Maildir DIR
    drop.py moments SEED N      N lines: by how much of the bytes, and a nap
"""
import os
import random
import sys

import mail


def plan(name, n):
    for i in range(int(n)):
        more = f" second{i}@customer.test" if i % 10 == 7 else ""
        print(f"{name}x{i:03} 4000 user{i}@customer.test{more}")


def post(path, where):
    for sub in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(where, sub), exist_ok=True)
    for ident, (size, rcpts) in mail.plan_read(path).items():
        top = [f"Return-Path: <{ident}@{mail.SENDER}>"]
        top += [f"Delivered-To: {r}" for r in rcpts]
        with open(os.path.join(where, "new", ident), "wb") as f:
            f.write("".join(s + "\n" for s in top).encode())
            f.write(mail.letter(ident, size, rcpts).replace(b"\r\n", b"\n"))


def moments(seed, n):
    rng = random.Random(int(seed))
    for _ in range(int(n)):
        print(f"{rng.uniform(.01, 1):.3f} {rng.uniform(0, 2):.3f}")


if __name__ == "__main__":
    {"plan": plan, "post": post, "moments": moments}[sys.argv[1]](*sys.argv[2:])
