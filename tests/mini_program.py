"""`make test-mp`: the BUILT mini-program walks a trainee's path under node, against a running copy and its sandbox.

Starts a copy of its own, tells node about it and about one of the demonstration's people; gives node's exit status.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops import questions
from ops.demo import load as demo
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, right_texts
from sandbox import keys

PROGRAMME = "yunnan"
SECONDS = 600  # the whole path takes about two minutes, most of it at the pace of the films


def public_pem(key: RSAPublicKey) -> str:
    """The key as a text."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def right_answers() -> list[dict[str, Any]]:
    """Every question of the demonstration's bank with the texts of its right options."""
    found = []
    for question in (*questions.written(), *questions.made()):
        options = ["正确", "错误"] if question.type == "判断" else list(question.options)
        right = sorted(right_texts(question.stem, options))
        found.append({"stem": question.stem, "options": options, "right": right})
    return found


def main() -> int:
    """Start the copy, run the test, stop the copy."""
    policy.init(ROOT / "config" / "programmes")
    programme = policy.in_force(PROGRAMME, utcnow())
    person = demo.people(programme)[3]
    with tempfile.TemporaryDirectory(prefix="mini-") as directory, Stack(Path(directory) / "data") as stack:
        (merchant,) = keys.merchants(stack.directory).values()
        facts = Path(directory) / "copy.json"
        about = {
            "base_url": stack.base_url,
            "sandbox_url": stack.sandbox_url,
            "programme_title": programme.title,
            "id_number": person.id_number,
            "password": demo.password_of(programme, person),
            "own_password": OWN_PASSWORD,
            "phone": person.phone,
            "name": person.name,
            "app_id": merchant.appid,
            "merchant_key": public_pem(merchant.public_key),
            "answers": right_answers(),
        }
        facts.write_text(json.dumps(about))
        argv = ["npx", "--no-install", "vitest", "run", "--config", "vitest.mp.config.mts", *sys.argv[1:]]
        node = subprocess.run(
            argv, cwd=ROOT / "miniprogram", env={**os.environ, "COPY": str(facts)}, timeout=SECONDS, check=False
        )
        return node.returncode


if __name__ == "__main__":
    sys.exit(main())
