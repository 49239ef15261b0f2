"""Asks real servers what they take each request target for, and writes it down. README.md says how to run it."""

import json
import socket
import sys
import time
from pathlib import Path

from install import servers
from targets import targets

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "tests/vectors/decoders/facts.json"
START_SECONDS = 30
ANSWER_SECONDS = 5
MAX_ANSWER_BYTES = 64 * 1024


def main():
    """`record.py FOLDER [--check]`: FOLDER keeps what is installed; `--check` compares instead of writing."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    asked = targets()
    versions, facts = {}, {target: {} for target in asked}
    present = servers(folder)
    if not present:
        raise SystemExit("no server could be installed")
    for server in present:
        print(f"{server.name} {server.version}: {len(asked)} targets", file=sys.stderr)
        versions[server.name] = server.version
        for target, answer in zip(asked, answers(server, asked)):
            facts[target].setdefault(json.dumps(answer), []).append(server.name)
    text = written(versions, facts)
    if "--check" in sys.argv:
        return compare(FACTS.read_text(), text)
    FACTS.parent.mkdir(parents=True, exist_ok=True)
    FACTS.write_text(text)
    return 0


def answers(server, asked):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = server.start(port)
    try:
        await_answer(port, process)
        return [answer(port, target) for target in asked]
    finally:
        process.terminate()
        process.wait()


def await_answer(port, process):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if ask(port, b"GET /api/menu HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n")[0] == 200:
            return
        time.sleep(0.05)
    raise SystemExit("a server did not start")


def answer(port, target):
    """What became of a target: a status, or a route, the path as the server has it where that is another, and `{id}`."""
    head = f"GET {target} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n"
    status, body = ask(port, head.encode("latin-1"))
    if status != 200:
        return {"status": status}
    route, path, *rest = body.decode("latin-1").split("|~|")
    seen = {"route": route}
    if path != target.partition("?")[0]:
        seen["path"] = path
    if rest:
        seen["id"] = rest[0]
    return seen


def ask(port, request):
    """Status and body; 0 where there is no answer."""
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(request)
            while len(received) < MAX_ANSWER_BYTES and (part := connection.recv(MAX_ANSWER_BYTES)):
                received += part
    except OSError:
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return 0, b""
    if b"transfer-encoding: chunked" in head.lower():
        body = unchunked(body)
    return int(words[1][:3]), body


def unchunked(body):
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


def written(versions, facts):
    """One line for each target, so that a difference is one, too."""
    lines = []
    for target, seen in facts.items():
        grouped = [json.loads(answer) | {"by": by} for answer, by in seen.items()]
        lines.append(json.dumps({"target": target, "seen": grouped}, separators=(",", ":")))
    servers = json.dumps(versions, indent=1)
    return f'{{"servers": {servers},\n"facts": [\n' + ",\n".join(lines) + "\n]}\n"


def compare(old, new):
    """Prints what differs; a server that is not here is passed over."""
    old, new = json.loads(old), json.loads(new)
    present = set(new["servers"])
    by_target = {fact["target"]: fact["seen"] for fact in old["facts"]}
    differences = 0
    for fact in new["facts"]:
        before, after = (one_by_one(seen, present) for seen in (by_target.get(fact["target"], []), fact["seen"]))
        for server in sorted(present):
            if before.get(server) != after.get(server):
                differences += 1
                print(f"{fact['target']!r}: {server}: was {before.get(server)}, is {after.get(server)}")
    print(f"{len(new['facts'])} targets, {len(present)} servers, {differences} differences")
    return 1 if differences else 0


def one_by_one(seen, present):
    return {server: {**answer, "by": None} for answer in seen for server in answer["by"] if server in present}


if __name__ == "__main__":
    sys.exit(main())
