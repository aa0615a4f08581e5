#!/usr/bin/env python3
"""report.py FILE...: a report about mail that was not delivered, as a mail program reads it:
what it is, what parts it has, how much of it is not well-formed, and for each recipient
Final-Recipient, Action and Status.  Letters that are none are passed over."""
import email
import email.policy
import sys

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    if m.get_content_type() != "multipart/report":
        continue
    parts = list(m.iter_parts())
    print(m.get_param("report-type"), *(p.get_content_type() for p in parts), len(m.defects))
    for block in parts[1].get_payload()[1:]:
        print(block["Final-Recipient"], block["Action"], block["Status"])
