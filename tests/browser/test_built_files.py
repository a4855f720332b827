"""What `make front` and the mini-program's build made names no other host that it could ask."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.settings import ROOT

pytestmark = pytest.mark.browser  # as the others it needs what was built

ADDRESS = re.compile(r"(?:\b(?:https?|wss?):)?//([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b", re.IGNORECASE)
TEXTS = {".js", ".css", ".html", ".json", ".webmanifest", ".svg", ".wxml", ".wxss"}
OWN = "zhukao.invalid"  # stands for the product's address where none was given
NAMED = {
    "www.w3.org": "the names of SVG and MathML",
    "vuejs.org": "what Vue says of an error on the console",
    "uniapp.dcloud.net.cn": "what uni says on the console of its development tool",
}


def hosts(folder: Path) -> dict[str, set[str]]:
    """Each host that a built file names, and in which files."""
    found: dict[str, set[str]] = {}
    for file in folder.rglob("*"):
        if file.suffix in TEXTS:
            for host in ADDRESS.findall(file.read_text(encoding="utf-8")):
                found.setdefault(host.lower(), set()).add(str(file.relative_to(folder)))
    return found


@pytest.mark.parametrize(("build", "own"), [("h5", set()), ("mp-weixin", {OWN})])
def test_the_built_files_name_no_host_but_ours(build: str, own: set[str]) -> None:
    folder = ROOT / "build" / build
    assert any(folder.rglob("*.js")), "run make front and make build/mp-weixin/.built"
    found = hosts(folder)
    assert own <= set(found)
    assert {host: files for host, files in found.items() if host not in own and host not in NAMED} == {}


def test_another_host_in_a_script_a_style_or_a_socket_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('const a="https://cdn.example.com/x.js",b="wss://live.example.org/"')
    (tmp_path / "b.css").write_text("a{background:url(//pictures.example.net/1.png)}")
    assert set(hosts(tmp_path)) == {"cdn.example.com", "live.example.org", "pictures.example.net"}
