"""mend.py SEED: texts that were mended say what they said, part by part.

Samples by hand and by chance, compared by another parser of MIME.
"""
import email
import email.policy
import random
import subprocess
import sys

CRLF = b"\r\n"
rnd = random.Random(int(sys.argv[1]))


def mend(text, bits, size=4096):
    return subprocess.run(["mend", bits, str(size)], input=text,
                          stdout=subprocess.PIPE, check=True).stdout


def text_lines(charset, longest):
    words = ["h\u00f6ren", "caf\u00e9", "plain", "=3D", "a=", "--", "-", ".",
             "From", "\t", " ", "=", "x" * 70]
    lines = []
    for _ in range(rnd.randrange(1, 9)):
        line = " ".join(rnd.choice(words) for _ in range(rnd.randrange(9)))
        if rnd.random() < longest:
            line += rnd.choice(["y", "\u00fc", "z ", "=-"]) * 1200
        lines.append(line.encode(charset))
    return CRLF.join(lines)


def leaf():
    kind = rnd.randrange(6)
    if kind == 0:
        return b"Content-Type: text/plain; charset=iso-8859-1", \
            b"8bit", text_lines("latin-1", .2)
    if kind == 1:
        return b"Content-Type: text/html;\r\n charset=\"utf-8\"", \
            b"8bit", text_lines("utf-8", .2)
    if kind == 2:
        octets = bytes(c for c in rnd.randbytes(3000) if c not in (0, 10, 13))
        return b"Content-Type: application/octet-stream", b"binary", octets
    if kind == 3:
        return b"X-Nothing: here", None, b"just text" + CRLF * rnd.randrange(3)
    if kind == 4:
        return b"Content-Type: application/pdf", b"base64", \
            b"QUJD" * rnd.choice([3, 19, 20, 300, 1000]) + b"QQ=="
    return b"Content-Type: text/plain; charset=utf-8", \
        b"Quoted-Printable", b"a=3Db=\r\n=C3=B6" * rnd.choice([1, 20]) + \
        b"=C3=B6-." * rnd.choice([1, 300])


def entity(depth):
    kind = rnd.randrange(4) if depth < 4 else 3
    if kind == 0:
        boundary = b"b%d" % rnd.randrange(10 ** 9)
        subtype = rnd.choice([b"mixed", b"alternative", b"related", b"digest"])
        body = rnd.choice([b"", b"preamble" + CRLF])
        for _ in range(rnd.randrange(1, 4)):
            part = message(depth + 1) if subtype == b"digest" and \
                rnd.random() < .5 else None
            body += b"--" + boundary + CRLF
            if part is None:
                head, content = entity(depth + 1)
                body += head + CRLF + content + CRLF
            else:
                body += CRLF + part + CRLF
        body += b"--" + boundary + b"--"
        head = b"Content-Type: multipart/" + subtype + \
            rnd.choice([b"; boundary=" + boundary,
                        b";\r\n\tx=\"y;z\"; Boundary=\"" + boundary + b"\""])
        return head + CRLF + rnd.choice(
            [b"", b"Content-Transfer-Encoding: 8bit" + CRLF]), \
            body + rnd.choice([b"", CRLF + b"epilogue"])
    if kind == 1:
        return b"Content-Type: message/rfc822" + CRLF, message(depth + 1)
    head, encoding, content = leaf()
    head += CRLF
    if encoding is not None:
        head += b"Content-Transfer-Encoding: " + encoding + CRLF
    return head, content


def message(depth):
    head, content = entity(depth)
    return b"From: a@x.test" + CRLF + b"Subject: " + \
        b"word " * rnd.choice([1, 500]) + b"end" + CRLF + \
        rnd.choice([b"MIME-Version: 1.0" + CRLF, b""]) + head + CRLF + content


def leaves(text):
    """Every part's path, type and decoded content."""
    def walk(part, path):
        kind = part.get_content_type()
        if part.is_multipart():
            yield path, kind, part.get("Subject", "").split()
            for i, sub in enumerate(part.get_payload()):
                yield from walk(sub, path + (i,))
        else:
            yield path, kind, part.get_payload(decode=True)
    return list(walk(email.message_from_bytes(text, policy=email.policy.compat32), ()))


HAND = [
    b"A: b\r\n\r\nplain\r\n",
    "A: b\r\n\r\nna\u00efve\r\n".encode("latin-1"),
    "A: b\r\n\r\nna\u00efve  \r\n\r\n.\r\n..\r\n".encode("utf-8"),
    b"A: b\r\n\r\n" + b"long " * 1000 + b"\r\n",
    b"A: b\r\n\r\n" + b"l" * 5000 + b"\r\n" + b"m" * 998 + b"\r\n",
]


def check(text, bits):
    once = mend(text, bits)
    assert leaves(text) == leaves(once), "the content differs"
    assert mend(once, bits) == once, "mended again it differs"
    assert mend(text, bits, 1) == once, "in bites it differs"
    assert all(len(line) <= 998 for line in once.split(CRLF)), "a long line"
    assert once.count(b"\r") == once.count(b"\n") == once.count(CRLF)
    if bits == "7":
        assert once.isascii(), "8 bits are left"
    fit = all(len(line) <= 998 for line in text.split(CRLF)) and \
        (bits == "8" or text.isascii())
    assert (once == text) == fit, "changed, or not"


for number, sample in enumerate(
        HAND + [message(0) + CRLF for _ in range(60)]):
    for bits in "78":
        try:
            check(sample, bits)
        except AssertionError as why:
            with open("failed.eml", "wb") as f:
                f.write(sample)
            sys.exit(f"seed {sys.argv[1]}, sample {number}, {bits} bits: {why}")
