"""`make journey`: one trainee's whole path, in a copy of its own or through a running one, with the providers in
trouble if that is asked for. Each step is printed with its time; the first surprise ends it with exit status 1."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.core.clock import utcnow
from app.pay.channels import CHANNELS
from app.policy import load as policy
from app.policy.schema import Programme
from config.settings import ROOT
from ops import invented, trouble
from ops.client import Client, Surprise
from ops.databases import borrowed_redis, own_database
from ops.demo import load as demo
from ops.run import environment
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey


def no_bank(_path: Path) -> None:
    """Nobody imports a statement there."""
    raise Surprise("a bank transfer needs a copy of one's own: leave BASE_URL away")


def walk(
    base_url: str,
    sandbox_url: str,
    programme: Programme,
    channel: str,
    blows: Sequence[trouble.Blow],
    bank: Callable[[Path], None] = no_bank,
) -> None:
    """One journey against a running copy, paid by `channel`, through these blows, told on the terminal; `bank`
    imports a statement there."""
    print(f"Journey through {programme.title} at {base_url}", flush=True)
    began = time.monotonic()
    sandbox = Client(sandbox_url)
    dealt = trouble.Trouble(sandbox, blows)
    phone = Client(base_url, trouble.PATIENCE if blows else 0.0)
    journey = Journey(phone, sandbox, programme, lambda text: print(text, flush=True), dealt.begin, channel=channel)
    journey.bank = bank
    evidence = journey.walk()
    dealt.end()
    print(f"Arrived after {time.monotonic() - began:.1f} s: proof {evidence['proof']}", flush=True)
    print(f"  the trainee: {journey.who.id_number}, password {OWN_PASSWORD}", flush=True)


def importing(stack: Stack, programme: Programme, **urls: str) -> Callable[[Path], None]:
    """Finance of this copy, who imports a bank statement by the command line."""
    environ = {**environment(stack.directory, stack.port), **urls}

    def bank(path: Path) -> None:
        command = [sys.executable, "-m", "ops.manage", "import-statement", str(path), "--programme", programme.key]
        done = subprocess.run(
            [*command, "--by", "caiwu"], cwd=ROOT, env=os.environ | environ, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise Surprise(f"the statement was not imported: {done.stdout} {done.stderr[-500:]}")

    return bank


def next_port(base_url: str) -> str:
    """Where the sandbox of a copy at `base_url` listens. Exits if the address has no port."""
    parts = urlsplit(base_url)
    if parts.hostname is None or parts.port is None:
        sys.exit(f"BASE_URL={base_url} needs a port, as in http://127.0.0.1:8000; or say SANDBOX_URL=… too")
    return f"{parts.scheme}://{parts.hostname}:{parts.port + 1}"


def main() -> None:
    """Walk against BASE_URL, or against a copy of its own: over the embedded databases, or over fresh ones on the
    servers of DATABASE_URL and REDIS_URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programme", default="yunnan", help="its key, or `all`: one after the other")
    parser.add_argument("--channel", default="wechat_native", choices=sorted(CHANNELS))
    parser.add_argument("--base-url", help="a running copy (default: an own one in a temporary directory)")
    parser.add_argument("--sandbox-url", help="its sandbox (default: the next port)")
    parser.add_argument("--trouble", choices=sorted(trouble.KINDS), help="what the providers do for a while")
    parser.add_argument("--provider", choices=trouble.PROVIDERS, help="only this one (default: all on the way)")
    options = parser.parse_args()
    blows = trouble.blows(options.trouble, options.channel, options.provider) if options.trouble else ()
    if (options.provider or options.trouble) and not blows:
        parser.error("--provider needs --trouble, and a --channel on whose way that provider is")
    with tempfile.TemporaryDirectory(prefix="programmes-") as directory:
        folder = ROOT / "config" / "programmes"
        if options.programme == invented.KEY:
            folder = invented.programmes(Path(directory) / "programmes", folder)
            if options.base_url:
                parser.error(f"{invented.KEY} is in no running copy: leave --base-url away")
        travel(options, blows, folder)


def travel(options: argparse.Namespace, blows: Sequence[trouble.Blow], folder: Path) -> None:
    """The journeys that were asked for, by the programmes in `folder`."""
    policy.init(folder)
    try:
        programmes = (
            demo.programmes() if options.programme == "all" else [policy.in_force(options.programme, utcnow())]
        )
    except policy.NotOpen as closed:
        sys.exit(str(closed))
    except policy.UnknownProgramme:
        sys.exit(f"there is no programme {options.programme!r}")
    try:
        if options.base_url:
            sandbox_url = options.sandbox_url or next_port(options.base_url)
            for programme in programmes:
                walk(options.base_url, sandbox_url, programme, options.channel, blows)
            print(f"  {options.base_url.rstrip('/')}/ shows it to whoever signs in with these.", flush=True)
            return
        with tempfile.TemporaryDirectory(prefix="journey-") as directory, ExitStack() as made:
            print("Starting a copy of its own ...", flush=True)
            chosen: dict[str, Any] = {
                "DATABASE_URL": own_database(os.environ.get("DATABASE_URL"), Path(directory), durable=True)
            }
            if "REDIS_URL" in os.environ:
                chosen["REDIS_URL"] = borrowed_redis(os.environ["REDIS_URL"])
            urls = {name: made.enter_context(url) for name, url in chosen.items()}
            urls["PROGRAMMES_DIR"] = str(folder)
            with Stack(Path(directory), **urls) as stack:
                for programme in programmes:
                    bank = importing(stack, programme, **urls)
                    walk(stack.base_url, stack.sandbox_url, programme, options.channel, blows, bank)
    except Surprise as surprise:
        sys.exit(f"SURPRISE: {surprise}")


if __name__ == "__main__":
    main()
