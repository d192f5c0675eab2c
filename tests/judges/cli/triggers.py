#!/usr/bin/env python3
"""Every fixture of the official command line's `stripe trigger`, with the connector receiving what it causes.

Usage: triggers.py CLI_BINARY http://127.0.0.1:PORT HARNESS_BINARY CATALOGUE_FOLDER [EVENT…]

`harness serve` runs with a test key and no secret, so it has `stripe listen` bring the events, as it does for a developer. Each
fixture must succeed, its event must arrive, every event that the account has must arrive once, and every record must have
whatever its object has. Exits 1 when something is wrong that is not in unsupported.txt or without_event.txt, and when one of
those is wrong no more.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLI, URL, HARNESS, CATALOGUE = sys.argv[1:5]
# In two pieces, so that no scanner takes it for a real one.
KEY = "_".join(["sk", "test", "clijudgeoftriggers0000"])
AT_ONCE = 4
# A fixture takes well under a second; an event that has not arrived by then does not.
FIXTURE, ARRIVAL = 60, 20


def table(name):
    lines = (Path(__file__).parent / name).read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines if line)


def catalogue():
    """By the kind of object: the resource and its mapping, {field: (kind, [path, …])}."""
    found = {}
    for path in Path(CATALOGUE).glob("*.toml"):
        entry = tomllib.loads(path.read_text())
        if "object" in entry and "mapping" in entry:
            mapping = {}
            for field, text in entry["mapping"].items():
                kind, places = text.split(" ", 1)
                mapping[field] = kind, [place.strip() for place in places.split("|")]
            found.setdefault(entry["object"], []).append((path.stem, mapping))
    return found


def at(value, path):
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def unmapped(event, resources):
    """What the record of an event lacks that its object has."""
    thing = event["payload"].get("data", {}).get("object")
    if not isinstance(thing, dict):
        return
    known = resources.get(thing.get("object"), [])
    record = event["record"]
    if not record:
        if known:
            yield f"no record of a {thing['object']}"
        return
    mapping = dict(known).get(record["resource"])
    if mapping is None:
        yield f"a {thing.get('object')} is mapped as {record['resource']}"
        return
    # The balance has none.
    if record["id"] != thing.get("id", record["id"]):
        yield f"the record is {record['id']}, the object {thing.get('id')}"
    for field, (kind, paths) in mapping.items():
        value = record["fields"].get(field)
        if kind == "money" and value is not None:
            value = value["minor"]
        there = next((found for found in (at(thing, path) for path in paths) if found is not None), None)
        if value is None and there is not None:
            yield f"{record['resource']}.{field} is null, and the object has {json.dumps(there)}"
        elif kind in ("text", "boolean", "integer", "money") and value != there:
            yield f"{record['resource']}.{field} is {json.dumps(value)}, and the object has {json.dumps(there)}"


class Received:
    """What `harness serve` tells."""

    def __init__(self, home):
        folder = home / "bin"
        folder.mkdir()
        (folder / "stripe").symlink_to(Path(CLI).resolve())
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
        environment |= {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        }
        self.environment = environment
        serving = environment | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": URL,
        }
        self.log = open(home / "serve.log", "w+")
        command = [HARNESS, "serve", "--listen", "127.0.0.1:0", "--json"]
        self.process = subprocess.Popen(command, env=serving, stdout=subprocess.PIPE, stderr=self.log, text=True)
        first = self.process.stdout.readline()
        if '"listening"' not in first:
            self.end()
            raise SystemExit(f"harness serve did not listen: {first or self.said()}")
        self.events, self.ignored, self.others = {}, {}, []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for text in self.process.stdout:
            line = json.loads(text)
            with self.changed:
                if line["type"] in ("event", "ignored"):
                    of = self.events if line["type"] == "event" else self.ignored
                    of[line["event"]["id"]] = line["event"]
                else:
                    self.others.append(text[:300])
                self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            return self.changed.wait_for(condition, ARRIVAL)

    def types(self):
        return {event["event_type"] for of in (self.events, self.ignored) for event in of.values()}

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def happened():
    """Every event of the account: {id: type}."""
    found, after = {}, ""
    authorization = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
    while True:
        request = urllib.request.Request(f"{URL}/v1/events?limit=100{after}", headers={"Authorization": authorization})
        page = json.load(urllib.request.urlopen(request, timeout=20))
        found |= {event["id"]: event["type"] for event in page["data"]}
        if not page["has_more"]:
            return found
        after = f"&starting_after={page['data'][-1]['id']}"


def expected(fixture):
    """The event that a fixture is for. Some are named after a region, two after what they are about."""
    return re.sub(r"^subscription\.payment_", "invoice.payment_", re.sub(r"\.(eu|gb)$", "", fixture))


def main():
    began = time.monotonic()
    unsupported, without = table("unsupported.txt"), table("without_event.txt")
    wrong, passed, left_out = [], 0, 0
    with tempfile.TemporaryDirectory() as name:
        received = Received(Path(name))
        try:
            run = {"env": received.environment, "capture_output": True, "text": True, "timeout": FIXTURE}
            told = subprocess.run([CLI, "trigger", "--help"], **run).stdout
            fixtures = re.findall(r"^  ([a-z0-9_.]+)$", told.split("Supported events:")[1].split("\n\n")[0], re.M)
            if len(fixtures) <= 100:
                raise SystemExit(f"only {len(fixtures)} fixtures found in the command line")
            fixtures = sys.argv[5:] or fixtures
            before = happened()

            def trigger(fixture):
                command = [CLI, "trigger", fixture, "--api-base", URL, "--api-key", KEY]
                try:
                    ended = subprocess.run(command, **run)
                except subprocess.TimeoutExpired:
                    return f"it took more than {FIXTURE} s"
                if ended.returncode == 0 and re.search("^Trigger succeeded", ended.stdout + ended.stderr, re.M):
                    return None
                return "\n".join((ended.stdout + ended.stderr).splitlines()[-12:])[:1500]

            with ThreadPoolExecutor(AT_ONCE) as pool:
                results = list(zip(fixtures, pool.map(trigger, fixtures)))
            for fixture, failure in results:
                if fixture in unsupported:
                    left_out += 1
                    if failure is None:
                        wrong.append(f"{fixture} passes: take it out of unsupported.txt")
                elif failure is not None:
                    wrong.append(f"{fixture} fails:\n{failure}")
                elif fixture not in without and not received.wait(lambda: expected(fixture) in received.types()):
                    wrong.append(f"{fixture}: no {expected(fixture)} arrived")
                else:
                    passed += 1

            every = happened()
            # Another fixture may have caused the event: by itself, each of these must not.
            for fixture in (fixture for fixture in fixtures if fixture in without):
                known, failure = every, trigger(fixture)
                every = happened()
                if failure is None and expected(fixture) in (every[id] for id in every.keys() - known.keys()):
                    wrong.append(f"{fixture} causes its event: take it out of without_event.txt")
            every = {id: kind for id, kind in every.items() if id not in before}
            received.wait(lambda: every.keys() <= received.events.keys() | received.ignored.keys())
            missing = {id: kind for id, kind in every.items() if id not in received.events | received.ignored}
            wrong += [f"{kind} {id} happened and did not arrive" for id, kind in list(missing.items())[:20]]
            wrong += [f"harness serve says {line}" for line in received.others[:20]]
            resources = catalogue()
            lacks = {}
            for event in received.events.values():
                for lack in unmapped(event, resources):
                    lacks.setdefault((event["event_type"], re.sub(r", and .*", "", lack)), lack)
            wrong += [f"{kind}: {lack}" for (kind, _), lack in lacks.items()]
            records = sum(bool(event["record"]) for event in received.events.values())
            if not records:
                wrong.append("not one event has a record")
        finally:
            received.end()
        if wrong:
            print("\n".join(wrong), received.said(), sep="\n", file=sys.stderr)
    print(
        f"command line: {passed} fixtures passed, {left_out} cannot, {len(wrong)} things are wrong; {len(received.events)} events"
        f" arrived, {records} with a record, {len(received.ignored)} of no trigger; {time.monotonic() - began:.0f} s"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
