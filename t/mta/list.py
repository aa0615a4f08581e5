"""list.py lines | check N | submit ROOT N: what the tests of listing need.

Message i goes from s<i>@x.test to r<i>@a.test and, each third one, to r<i>@b.test.
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def rcpts(i):
    return ["r%d@a.test" % i] + (["r%d@b.test" % i] if i % 3 == 0 else [])


def lines():
    for m in map(json.loads, sys.stdin):
        for r in m["recipients"]:
            print(m["queue_id"], m["sender"] or "-", r["address"])


def check(n):
    seen = set()
    for line in sys.stdin:
        m = json.loads(line)
        if m["sender"] in ("", "ann@x.test", "eve@x.test", '"odd sender"@x.test'):
            continue  # a report of the MTA's own, or there from the beginning
        i = int(m["sender"].split("@")[0][1:])
        assert 0 <= i < n, "an invented message: " + line
        for r in m["recipients"] + m.get("done", []):
            assert r["address"] in rcpts(i), "a wrong recipient: " + line
            key = (m["queue_id"], r["address"], m["queue_name"])
            seen.add(key)
            print(*key)


def submit(root, n):
    def one(i):
        text = "Subject: %d\n\n%s\n" % (i, "\n".join(["x" * 70] * (i * 7 % 40)))
        program = ["chroot", root, "sendmail", "-i"]
        if "LIST_SERVER" in os.environ:
            program = ["smtp-send", "-s", os.environ["LIST_SERVER"]]
        return subprocess.run(
            program + ["-f", "s%d@x.test" % i, "--"] + rcpts(i),
            input=text.encode(), capture_output=True)
    with ThreadPoolExecutor(4) as pool:
        bad = [r for r in pool.map(one, range(n)) if r.returncode != 0]
    for r in bad[:5]:
        print(r)
    return 1 if bad else 0


def main():
    what = sys.argv[1]
    if what == "lines":
        return "\n".join(sorted(capture(lines)))
    if what == "check":
        return check(int(sys.argv[2]))
    return sys.exit(submit(sys.argv[2], int(sys.argv[3])))


def capture(f):
    import io
    out, sys.stdout = sys.stdout, io.StringIO()
    f()
    text, sys.stdout = sys.stdout.getvalue(), out
    return text.splitlines()


if __name__ == "__main__":
    said = main()
    if said:
        print(said)
