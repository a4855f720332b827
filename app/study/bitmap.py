"""Which chunks of a lesson are credited, as bytes: chunk 0 is the highest bit of the first byte. Trailing zeros mean
nothing: the same set may be shorter or longer."""

from __future__ import annotations

from collections.abc import Iterable


def union(one: bytes, other: bytes) -> bytes:
    """The chunks of either."""
    length = max(len(one), len(other))
    if len(one) == len(other):  # as nearly always, and in half the time
        return (int.from_bytes(one) | int.from_bytes(other)).to_bytes(length)
    return _bytes(_number(one, length) | _number(other, length), length)


def without(one: bytes, other: bytes) -> bytes:
    """The chunks of `one` that are not in `other`; as long as `one`."""
    length = max(len(one), len(other))
    return _bytes(_number(one, length) & ~_number(other, length), length)[: len(one)]


def count(bits: bytes) -> int:
    """How many chunks."""
    return int.from_bytes(bits).bit_count()


def chunks(bits: bytes) -> list[int]:
    """The chunks, in order."""
    return [index * 8 + bit for index, byte in enumerate(bits) for bit in range(8) if byte & (128 >> bit)]


def of(numbers: Iterable[int]) -> bytes:
    """The bitmap of these chunks (each ≥ 0)."""
    wanted = set(numbers)
    bits = bytearray(max(wanted, default=-1) // 8 + 1)
    for number in wanted:
        bits[number // 8] |= 128 >> number % 8
    return bytes(bits)


def prefix(bits: bytes) -> int:
    """How many chunks are there from the beginning without a gap: the first one that is missing."""
    rest = bits.lstrip(b"\xff")
    full = (len(bits) - len(rest)) * 8
    return full + 8 - (~rest[0] & 255).bit_length() if rest else full


def has(bits: bytes, chunk: int) -> bool:
    """Whether the chunk is there."""
    return chunk // 8 < len(bits) and bool(bits[chunk // 8] & 128 >> chunk % 8)


def _number(bits: bytes, length: int) -> int:
    return int.from_bytes(bits) << 8 * (length - len(bits))


def _bytes(number: int, length: int) -> bytes:
    return number.to_bytes(length)
