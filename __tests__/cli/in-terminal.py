"""Runs a command in a terminal of its own, and types into it.

usage: in-terminal.py STEPS COMMAND ARGUMENT...
STEPS: JSON, a list of [text to wait for, text to type]. What the terminal shows goes to stdout; ends with the command's
exit code, 124 where it took longer than SECONDS.
"""

import json
import os
import pty
import select
import sys
import time

SECONDS = 30

steps = json.loads(sys.argv[1])
child, screen = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])

shown = b""
seen = 0
deadline = time.monotonic() + SECONDS
while True:
    if time.monotonic() > deadline:
        os.kill(child, 9)
        sys.exit(124)
    ready, _, _ = select.select([screen], [], [], 0.2)
    if not ready:
        continue
    try:
        part = os.read(screen, 65536)
    except OSError:
        part = b""  # Linux: the last one has closed the terminal.
    if not part:
        break
    shown += part
    os.write(1, part)
    while steps and steps[0][0].encode() in shown[seen:]:
        text, keys = steps.pop(0)
        seen = shown.index(text.encode(), seen) + len(text.encode())
        os.write(screen, keys.encode())

_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
