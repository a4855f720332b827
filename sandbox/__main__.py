"""`python -m sandbox --data-dir D --port N`: run the sandbox until TERM or INT."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from sandbox import server


def main() -> None:
    """Start, say where, and stop cleanly when asked to."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Stand-ins for the providers.")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    running = server.start(arguments.data_dir.resolve(), arguments.port)
    print(f"sandbox: {running.url} (the phone: open it in a browser)", flush=True)
    asked.wait()
    running.stop()


if __name__ == "__main__":
    main()
