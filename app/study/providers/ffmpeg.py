"""ffmpeg: what a file really holds, MP4 and HLS made of it. The binary comes with imageio-ffmpeg, or is named by the
setting FFMPEG; ffprobe is not in it, so a file is read from what `ffmpeg -i` says.

A stranger's file is opened as a container of a short list, from this disk only: a playlist would make ffmpeg read
other files, or the network. Each run is bounded in time, memory and threads.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

CONTAINERS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,flv,asf"  # of cameras, phones and editing programs
CAREFUL = ("-protocol_whitelist", "file", "-format_whitelist", CONTAINERS)
MEMORY = 3 * 1024**3  # bytes of address space; ffmpeg takes about 0.5 GB for 1080p
THREADS = "2"
PROBE_SECONDS = 60
SEGMENT_SECONDS = 6
KEYFRAME_SECONDS = 2
WIDEST, HIGHEST = 1280, 720  # slides are read on a phone; a site's network carries no more
NICE = 10  # payments and pages come first
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
_VIDEO = re.compile(r"Stream #\S+.*?: Video: (\w+).*?, (\d{2,5})x(\d{2,5})[ ,\[]")
_AUDIO = re.compile(r"Stream #\S+.*?: Audio: (\w+)")
_binary: list[str] = []


class NotAFilm(Exception):
    """The file holds no film that can be played."""


class TooSlow(Exception):
    """The run was ended: its time was over."""


class Failed(Exception):
    """ffmpeg ended with an error; the text is its last words, for the log."""


@dataclass(frozen=True)
class Facts:
    """What a file holds. `seconds` as a float; `sound`: whether there is any."""

    seconds: float
    width: int
    height: int
    sound: bool


def init(binary: Path | None) -> None:
    """Which binary is run (None: the one in the wheel); called once at the start of each process."""
    _binary[:] = [str(binary)] if binary is not None else []


def binary() -> str:
    """The ffmpeg that is run."""
    if not _binary:
        _binary.append(str(imageio_ffmpeg.get_ffmpeg_exe()))
    return _binary[0]


def probe(path: Path) -> Facts:
    """Read what the file holds. Raises `NotAFilm`, `TooSlow`."""
    said = _run(["-hide_banner", "-nostdin", *CAREFUL, "-i", str(path)], PROBE_SECONDS, anyhow=True)
    length, picture = _DURATION.search(said), _VIDEO.search(said)
    if length is None or picture is None:
        raise NotAFilm(said.strip()[-200:])
    hours, minutes, seconds = length.groups()
    return Facts(
        seconds=int(hours) * 3600 + int(minutes) * 60 + float(seconds),
        width=int(picture[2]),
        height=int(picture[3]),
        sound=_AUDIO.search(said) is not None,
    )


def to_mp4(source: Path, made: Path, facts: Facts, *, limit: float, progress: Callable[[float], None]) -> None:
    """H.264 and AAC, `moov` in front so that it plays while it loads, at most 1280 × 720. `progress(seconds)` hears
    how much is done, about twice a second; what it raises ends the run. Raises `TooSlow` after `limit` seconds,
    `Failed`."""
    box = f"scale=w='min({WIDEST},iw)':h='min({HIGHEST},ih)'"
    box += ":force_original_aspect_ratio=decrease:force_divisible_by=2"
    silence = () if facts.sound else ("-f", "lavfi", "-i", "anullsrc=channel_layout=mono:sample_rate=44100")
    sound = ("-map", "0:a:0") if facts.sound else ("-map", "1:a:0", "-shortest")
    _run(
        [
            *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", "-threads", THREADS),
            *(*CAREFUL, "-i", str(source), *silence, "-map", "0:v:0", *sound, "-sn", "-dn", "-map_metadata", "-1"),
            *("-vf", f"{box},format=yuv420p", "-c:v", "libx264", "-profile:v", "high", "-preset", "veryfast"),
            *("-crf", "23", "-maxrate", "1500k", "-bufsize", "3000k", "-threads", THREADS, "-fpsmax", "30"),
            *("-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})"),
            *("-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "44100", "-movflags", "+faststart"),
            *("-progress", "pipe:1", str(made)),
        ],
        limit,
        progress=progress,
    )


def to_hls(mp4: Path, folder: Path, *, limit: float, progress: Callable[[float], None]) -> None:
    """Segments of about six seconds and their list, `index.m3u8`, in `folder`, without encoding anew. `progress` as
    in `to_mp4`. Raises `TooSlow`, `Failed`."""
    _run(
        [
            *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", *CAREFUL, "-i", str(mp4)),
            *("-c", "copy", "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
            *("-hls_flags", "independent_segments"),
            *("-hls_segment_filename", str(folder / "%05d.ts"), "-progress", "pipe:1", str(folder / "index.m3u8")),
        ],
        limit,
        progress=progress,
    )


def _run(
    arguments: Sequence[str],
    limit: float,
    *,
    anyhow: bool = False,
    progress: Callable[[float], None] | None = None,
) -> str:
    """Run ffmpeg to its end, at most `limit` seconds; gives what it said. `anyhow`: its exit code says nothing."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            [binary(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        try:
            _bound(process.pid)
            _follow(process, time.monotonic() + limit, progress)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        said.seek(max(0, said.seek(0, os.SEEK_END) - 20_000))
        text = said.read().decode("utf-8", "replace")
    if process.returncode and not anyhow:
        last = signal.Signals(-process.returncode).name if process.returncode < 0 else text.strip()[-400:]
        raise Failed(last)
    return text


def _bound(pid: int) -> None:
    """Little memory, and behind everybody else. Only Linux can say so of another process."""
    if hasattr(resource, "prlimit"):
        try:
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
        except ProcessLookupError:
            return  # it has ended already


def _follow(process: subprocess.Popen[bytes], deadline: float, progress: Callable[[float], None] | None) -> None:
    """Wait for the end, telling how far it is."""
    done = 0.0
    stdout = process.stdout
    assert stdout is not None
    os.set_blocking(stdout.fileno(), False)
    rest = b""
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise TooSlow
        rest += stdout.read() or b""
        *lines, rest = rest.split(b"\n")
        for line in lines:
            name, _, value = line.partition(b"=")
            if name == b"out_time_us" and value.strip().isdigit():
                done = int(value) / 1_000_000
        if progress is not None:
            progress(done)
        try:
            process.wait(0.4 if progress is not None else 0.05)
        except subprocess.TimeoutExpired:
            continue
