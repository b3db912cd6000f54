"""The sample encoding of core/samples/encoding.ts once more; writes encoding.json beside itself."""
import hashlib
import json
import math
import pathlib
import struct


def u32(n):
    return struct.pack(">I", n)


def number(x):
    if isinstance(x, float) and math.isnan(x):
        return bytes.fromhex("037ff8000000000000")
    try:
        double = float(x)
    except OverflowError:
        double = None
    if double is not None and double == x:
        return b"\x03" + struct.pack(">d", double + 0.0)
    magnitude = abs(x).to_bytes((abs(x).bit_length() + 7) // 8, "big")
    return b"\x04" + bytes([x < 0]) + u32(len(magnitude)) + magnitude


def value(v):
    """A JSON value; {"$int": …}, {"$double": …}, {"$binary": hex}, {"$instant": ns}, {"$date": days} stand for what JSON lacks."""
    if v is None:
        return b"\x00"
    if v is False:
        return b"\x01"
    if v is True:
        return b"\x02"
    if isinstance(v, (int, float)):
        return number(v)
    if isinstance(v, str):
        return b"\x05" + u32(len(v.encode())) + v.encode()
    if isinstance(v, list):
        return b"\x09" + u32(len(v)) + b"".join(map(value, v))
    tag = next(iter(v), None)
    if tag == "$int":
        return number(int(v[tag]))
    if tag == "$double":
        return number(float(v[tag]))
    if tag == "$binary":
        return b"\x06" + u32(len(v[tag]) // 2) + bytes.fromhex(v[tag])
    if tag == "$instant":
        return b"\x07" + int(v[tag]).to_bytes(16, "big", signed=True)
    if tag == "$date":
        return b"\x08" + v[tag].to_bytes(4, "big", signed=True)
    fields = sorted((name.encode(), value(field)) for name, field in v.items() if field is not None)
    return b"\x0a" + u32(len(fields)) + b"".join(u32(len(name)) + name + field for name, field in fields)


ROWS = [
    ("an empty row", {}),
    ("text and label", {"text": "The quick brown fox", "label": 1}),
    ("the same with the columns exchanged and a null", {"label": 1, "note": None, "text": "The quick brown fox"}),
    (
        "numbers",
        {"one": 1, "minus": -1.5, "zero": {"$double": "-0"}, "nan": {"$double": "NaN"}, "inf": {"$double": "-Infinity"}, "tenth": 0.1},
    ),
    (
        "integers beyond doubles",
        {
            "a": {"$int": str(2**63 - 1)},
            "b": {"$int": str(-(2**63))},
            "c": {"$int": str(2**53 + 1)},
            "d": {"$int": str(-(2**200) - 1)},
            "e": {"$int": str(2**1024)},
        },
    ),
    (
        "booleans, dates and instants",
        {
            "t": True,
            "f": False,
            "d": {"$date": 20000},
            "before": {"$date": -1},
            "i": {"$instant": "1700000000123456789"},
            "long ago": {"$instant": "-1"},
        },
    ),
    ("binary and empty things", {"b": {"$binary": "00ff10"}, "e": {"$binary": ""}, "s": "", "l": [], "o": {}}),
    ("lists and structs", {"l": [1, None, "x", [True, []]], "o": {"b": {"c": None, "d": "e"}, "a": [{"x": 1}, {}]}}),
    (
        "Unicode as given",
        {"composed": "\u00e9", "decomposed": "e\u0301", "astral": "\U0001f71a", "bom": "\ufeffx", "\U00010000": 1, "\uffff": 2},
    ),
]

vectors = []
for name, row in ROWS:
    encoding = b"assay.sample.v1\0" + value(row)
    vectors.append({"name": name, "row": row, "encoding": encoding.hex(), "digest": hashlib.sha256(encoding).hexdigest()})
pathlib.Path(__file__).with_name("encoding.json").write_text(json.dumps(vectors, indent=2) + "\n")
