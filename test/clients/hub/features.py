"""How a client's features report: one line of JSON each, on the standard output."""

import json
import os
import sys
import traceback

FACTS = json.load(open(os.environ["ASSAY_FACTS"]))
SCRATCH = os.environ["ASSAY_SCRATCH"]
_features = []


def feature(name):
    """Marks a function that tries a feature. It may return a note, or `rows(...)`, which are then compared by digest."""

    def mark(function):
        _features.append((name, function))
        return function

    return mark


def rows(values, of):
    """Rows that a client got, and the list of rows that they should be."""
    path = os.path.join(SCRATCH, f"rows-{os.getpid()}-{len(os.listdir(SCRATCH))}.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        for row in values:
            file.write(json.dumps(row, default=_plain, ensure_ascii=False) + "\n")
    return {"rows": path, "of": of}


def _plain(value):
    return value.tolist() if hasattr(value, "tolist") else value.isoformat()


class Skip(Exception):
    """This cannot be tried here; the reason is the message."""


def main():
    for name, function in _features:
        result = {"feature": name, "state": "ok"}
        try:
            value = function()
            if isinstance(value, dict):
                result.update(value)
            elif value is not None:
                result["note"] = str(value)
        except Skip as reason:
            result.update(state="skipped", note=str(reason))
        except BaseException as error:
            traceback.print_exc()
            result.update(state="failed", note=f"{type(error).__name__}: {error}"[:400])
        print(json.dumps(result), flush=True)
    sys.exit(0)
