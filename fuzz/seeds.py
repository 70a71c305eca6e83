#!/usr/bin/env python3
"""seeds.py OUT CORPUS TARGET…: inputs to begin with, for each target, out of testdata/messages and, where it is there, CORPUS.

Each target takes one part of a message; so the messages are taken apart here, roughly: what matters is that the fuzzer sees
the words that mail is made of."""
import email, email.policy, hashlib, os, re, shutil, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONGEST = 16_384


def messages(folders):
    for folder in folders:
        for place, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if name.endswith((".eml", ".txt", ".dat")):
                    with open(os.path.join(place, name), "rb") as f:
                        yield f.read()


def payload(part):
    try:
        return part.get_payload(decode=True) or b""
    except Exception:
        return b""


def field_values(header, names):
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", header)
    return [m[1] for m in re.finditer(rb"(?im)^(?:" + names + rb"):[ \t]*([^\r\n]+)", unfolded)]


def pieces(octets):
    """Pairs of a target and an input for it."""
    yield "read", octets
    header = re.split(rb"\r?\n\r?\n", octets, maxsplit=1)[0]
    yield "header", header
    yield from (("address", value) for value in field_values(header, b"from|to|cc|reply-to|sender"))
    yield from (("date", value) for value in field_values(header, b"date"))
    names = re.findall(rb"(?i)name\*?[0-9*]*=\"?([^\r\n\";]+)", octets[:200_000])
    if names:
        yield "names", b"\n".join(names[:6])
    try:
        parts = list(email.message_from_bytes(octets, policy=email.policy.compat32).walk())
    except Exception:
        parts = []
    for part in parts:
        kind, content = part.get_content_type(), payload(part)
        if kind == "text/plain":
            first = b"\0" if re.search(rb"(?m)^>|:$", content) else b"\2"
            yield "quote", first + content
            yield "flowed", b"\1" + content
            label = (part.get_param("charset") or "utf-8")
            yield "charset", bytes([LABELS.index(str(label).lower()) if str(label).lower() in LABELS else 0]) + content
        elif kind == "text/html":
            yield "html", content
            yield "quote", b"\1" + content
        elif kind in ("application/ms-tnef", "application/vnd.ms-tnef"):
            yield "tnef", content
    if octets.startswith(b"\x78\x9f\x3e\x22"):
        yield "tnef", octets


with open(os.path.join(ROOT, "fuzz/src/lib.rs"), encoding="utf-8") as source:
    LABELS = re.findall(r'"([^"]*)"', source.read().split("const LABELS")[1].split("];")[0])


def main():
    out, corpus, targets = sys.argv[1], sys.argv[2], sys.argv[3:]
    for target in targets:
        shutil.rmtree(f"{out}/{target}", ignore_errors=True)
        os.makedirs(f"{out}/{target}")
    folders = [f"{ROOT}/testdata", corpus]
    counts = dict.fromkeys(targets, 0)
    for octets in messages(folders):
        for target, content in pieces(octets):
            if target in counts and 0 < len(content) <= LONGEST:
                name = hashlib.sha256(content).hexdigest()[:16]
                with open(f"{out}/{target}/{name}", "wb") as f:
                    f.write(content)
                counts[target] += 1
    # Nothing in a message is a choice of parts; any octets are one.
    for target in ("parts", "tnef"):
        if target in counts:
            with open(f"{out}/{target}/first", "wb") as f:
                f.write(b"\x78\x9f\x3e\x22" + bytes(range(0, 256, 3)))
    print("seeds: " + ", ".join(f"{target} {count}" for target, count in counts.items()))


main()
