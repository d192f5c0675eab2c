#!/usr/bin/env python3
"""`harness serve` on a real pseudo-terminal, with events that the official command line brings: what somebody sees.

Usage: terminal.py CLI_BINARY http://127.0.0.1:PORT HARNESS_BINARY
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

CLI, URL, HARNESS = sys.argv[1:4]
# In two pieces, so that no scanner takes it for a real one.
KEY = "_".join(["sk", "test", "clijudgeofterminals000"])
PATIENCE = 60
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def shown(text):
    """The rows that are left: as much of a terminal as the text may ask for, and no more."""
    rows, column = [""], 0
    for piece in re.findall(r"\x1b\[\?7[lh]|\x1b\[K|\r|\n|[^\x1b\r\n]+|.", STYLE.sub("", text), re.S):
        if piece == "\n":
            rows.append("")
        elif piece == "\r":
            column = 0
        elif piece == "\x1b[K":
            rows[-1] = rows[-1][:column]
        elif piece in ("\x1b[?7l", "\x1b[?7h"):
            pass
        elif piece.startswith("\x1b"):
            raise SystemExit(f"the terminal is asked for something else: {text[-400:]!r}")
        else:
            rows[-1] = rows[-1][:column] + piece + rows[-1][column + len(piece) :]
            column += len(piece)
    return rows


class Seen:
    def __init__(self, home, **variables):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        environment = {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": URL,
            "TERM": "xterm-256color",
        } | variables
        if "XDG_CACHE_HOME" in os.environ:
            environment["XDG_CACHE_HOME"] = os.environ["XDG_CACHE_HOME"]
        streams = {"stdin": subprocess.DEVNULL, "stdout": slave, "stderr": slave}
        command = [HARNESS, "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, env=environment, **streams)
        self.environment = environment
        os.close(slave)
        self.master, self.text = master, ""

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition(self.text):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0] or not self.more():
                self.process.kill()
                raise SystemExit(f"it does not show what it should: {self.text!r}")

    def more(self):
        try:
            # A terminal turns a line's end into two letters.
            self.text += os.read(self.master, 1 << 16).decode().replace("\r\n", "\n")
            return True
        except OSError:
            return False

    def trigger(self, fixture):
        command = [CLI, "trigger", fixture, "--api-base", URL, "--api-key", KEY]
        subprocess.run(command, env=self.environment, check=True, capture_output=True, timeout=PATIENCE)

    def ends(self):
        self.process.send_signal(signal.SIGINT)
        while self.more():
            pass
        status = self.process.wait(PATIENCE)
        if status != 0:
            raise SystemExit(f"it ended with {status}: {self.text!r}")


def judge(home, **variables):
    seen = Seen(home, **variables)
    seen.until(lambda text: re.search(r"Ctrl-C ends it\..*\n", text))
    # Before that there may be a sign of life of another kind.
    seen.text = ""
    for _ in range(2):
        seen.trigger("customer.created")
    line = r"\d\d:\d\d:\d\dZ  customer\.created +contact .*cus_\w+  → customer\.created  .* m?s  evt_\w+"
    seen.until(lambda text: len(re.findall(line, STYLE.sub("", text))) >= 2 and "nothing waits" in shown(text)[-1])
    rows = shown(seen.text)
    assert re.match(r"\d+ taken · \d+ runs done · nothing waits$", rows[-1]), rows
    assert sum("taken · " in row for row in rows) == 1, rows
    assert bool(STYLE.search(seen.text)) != ("NO_COLOR" in variables), seen.text
    seen.ends()
    rows = [row for row in shown(seen.text) if row]
    assert re.match(r"stopped; \d+ events taken$", rows[-1]) and not any("taken · " in row for row in rows), rows


with tempfile.TemporaryDirectory() as name:
    home = Path(name)
    (home / "bin").mkdir()
    (home / "bin" / "stripe").symlink_to(Path(CLI).resolve())
    judge(home)
    judge(home, NO_COLOR="1")
print("command line: events are seen on a terminal, with a status line that goes away at the end")
