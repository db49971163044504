"""Values in sessions: what Flask writes, and what is expected to come back."""

import os
import pickle
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

EAST = timezone(timedelta(hours=5, minutes=30))

# One value of every kind that Flask-Session can write.
KINDS = {
    "none": None,
    "booleans": [True, False],
    "integers": [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**64 - 1],
    "negative": [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)],
    "floats": [0.0, -0.0, 1.0, 1.5, 0.1, 1e300, -2.2250738585072014e-308, 5e-324],
    "text": ["", "é", "ключ", "漢字", "\U0001f9e5", "nul \0 and \x7f", "x" * 31, "x" * 32, "x" * 300],
    "bytes": [b"", b"\x00\xff", bytes(range(256))],
    "nested": {"a": [{"b": [{"c": {}}, []]}], "é": {"ü": None}},
    "wide": {f"key {number}": number for number in range(70)},
    "tuple": (1, (2, "three")),
    "set": {7},
    "frozenset": frozenset({"eight"}),
    "aware": [
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
        datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc),
        datetime(2500, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc),
        datetime(1960, 1, 2, 3, 4, 5, 1, tzinfo=timezone.utc),
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=EAST),
    ],
    "naive": datetime(2024, 1, 2, 3, 4, 5, 678901),
    "date": date(2024, 2, 29),
    "time": time(3, 4, 5, 6),
    "timedelta": timedelta(days=1, seconds=2, microseconds=3),
    "uuid": UUID("4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c11"),
    "decimal": Decimal("1234567890.12345678901234567890"),
    "ключ": "a key that is not ASCII",
    "": "the empty key",
    5: "a key that is no text",
    "maps": {1: "one", 2.5: {-3: []}, "four": {}},
    "not finite": [float("inf"), float("-inf"), float("nan")],
    "choice": Enum("Choice", {"FIRST": "first"}).FIRST,
}

# What only one of the formats can hold.
KINDS_OF = {
    "msgpack": KINDS | {"keys": {b"x": 1, (1, 2): 3, None: 4, True: 5}},
    "json": KINDS | {"huge": [2**64, -(10**400)]},
}

# Lengths that take four bytes in msgpack.
LARGE = {
    "large text": "é" * 70000,
    "large bytes": b"x" * 70000,
    "large list": list(range(70000)),
    "large map": {str(number): None for number in range(66000)},
}

# What the Rust application's `Values::sample()` is in Python.
SAMPLE = {
    "small": -7,
    "smallest": -(2**63),
    "largest": 2**64 - 1,
    "float": 0.1,
    "whole_float": 2.0,
    "yes": True,
    "nothing": None,
    "text": "Zoë, ключ, 漢字, \U0001f9e5, nul \0 and \x7f",
    "bytes": b"\x00\xff\x80",
    "list": [1, 2, 300],
    "pair": ["two", 2],
    "map": {"a": [], "é": [{"deep": [[{}]]}, None]},
    "in_seconds": datetime(2024, 1, 2, 8, 34, 5, tzinfo=EAST),
    "in_microseconds": datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc),
    "late": datetime(2600, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc),
    "early": datetime(1960, 1, 2, 3, 4, 5, 1, tzinfo=timezone.utc),
    "naive": "2024-01-02T03:04:05.678901",
    "date": "2024-02-29",
    "time": "03:04:05.000006",
}

# The same as an application in Python would put it into a session.
RICH_SAMPLE = SAMPLE | {
    "pair": ("two", 2),
    "naive": datetime(2024, 1, 2, 3, 4, 5, 678901),
    "date": date(2024, 2, 29),
    "time": time(3, 4, 5, 6),
}

# JSON has neither bytes nor times: they are text.
JSON_SAMPLE = SAMPLE | {
    "bytes": "AP+A",
    "in_seconds": "2024-01-02T08:34:05+05:30",
    "in_microseconds": "2024-01-02T03:04:05.678901Z",
    "late": "2600-01-02T03:04:05.678901Z",
    "early": "1960-01-02T03:04:05.000001Z",
}

EXPECTED = {
    "msgpack": {"_permanent": True} | SAMPLE,
    "json": {"_permanent": True} | JSON_SAMPLE,
}


def difference(expected, found):
    """What differs between two objects, also in types; nothing when they are equal."""
    if type(expected) is not type(found):
        return f"{found!r} is a {type(found).__name__}, not a {type(expected).__name__}"
    if isinstance(expected, dict):
        if list(expected) != list(found):
            return f"the keys are {list(found)}, not {list(expected)}"
        pairs = [(expected[key], found[key]) for key in expected]
    elif isinstance(expected, list):
        if len(expected) != len(found):
            return f"{found!r} is not as long as {expected!r}"
        pairs = zip(expected, found)
    else:
        return None if expected == found else f"{found!r} is not {expected!r}"
    return next(filter(None, (difference(*pair) for pair in pairs)), None)


class MakesDirectory:
    """A program that unpickles this makes a directory."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def pickled(directory):
    """A session as versions before 0.7 wrote it, with an object that acts."""
    return pickle.dumps({"user": "ada", "_permanent": True, "act": MakesDirectory(directory)})
