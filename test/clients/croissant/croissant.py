"""`mlcroissant`: validates the description of a data set and loads its rows."""

import logging
import os
import re

import mlcroissant
import pandas
import requests

from features import FACTS, SCRATCH, feature, main, rows

SERVER = os.environ["HF_ENDPOINT"]


class Warnings(logging.Handler):
    """What the client says at the level of a warning or above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def url(key):
    return f"{SERVER}/api/datasets/cid/{FACTS[key]['manifest']}/croissant"


def plain(value):
    """A value of a record as the row has it: text is bytes there, and a struct's fields have ids."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, dict):
        return {name_of(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def name_of(field_id):
    return re.sub(r"((?:~[0-9A-F]{2})+)", lambda found: bytes.fromhex(found[1].replace("~", "")).decode("utf-8"), field_id.split("/")[-1])


def load(dataset, *record_sets, constants=("split", "verdict")):
    for record_set in record_sets:
        for record in dataset.records(record_set):
            row = {name_of(key): plain(value) for key, value in record.items()}
            yield {name: value for name, value in row.items() if name not in constants}


def validated(key):
    heard = Warnings()
    loggers = [logging.getLogger(), logging.getLogger("absl")]
    for logger in loggers:
        logger.addHandler(heard)
    dataset = mlcroissant.Dataset(url(key))
    for logger in loggers:
        logger.removeHandler(heard)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and not issues.warnings and not heard.messages, (issues.errors, issues.warnings, heard.messages)
    return dataset


def ids(dataset):
    return {record_set.id for record_set in dataset.metadata.record_sets}


@feature("validate without a warning: JSONL, CSV and Parquet, verified and not yet")
def validate():
    for key in ("messages", "messages@1", "tables", "unicode", "capitals", "kinds", "unverified", "new tables"):
        validated(key)


@feature("the name of the data set, in any case")
def by_name():
    dataset = mlcroissant.Dataset(f"{SERVER}/api/datasets/{FACTS['messages']['name'].upper()}/croissant")
    assert dataset.metadata.name == FACTS["messages"]["name"] and dataset.metadata.version == "2.0.0", dataset.metadata
    assert dataset.metadata.license == ["https://spdx.org/licenses/CC0-1.0"], dataset.metadata.license


@feature("load rows that came as JSONL")
def load_jsonl():
    dataset = validated("messages")
    assert ids(dataset) == {"splits", "default/train", "default/test", "verified/train", "verified/test"}, ids(dataset)
    return rows(load(dataset, "default/train", "default/test"), of="messages: train, test")


@feature("load the rows that pass")
def load_verified():
    return rows(load(validated("messages"), "verified/train", "verified/test"), of="messages: train, test; verified")


@feature("each row that passes says so, and names its split")
def verdict():
    dataset = validated("messages")
    record = next(iter(dataset.records("verified/test")))
    assert record["verified/test/verdict"] == b"passes" and record["verified/test/split"] == b"test", record
    splits = {record["splits/name"]: record["splits/url"] for record in dataset.records("splits")}
    assert splits == {"train": "cr:TrainingSplit", "test": "cr:TestSplit"}, splits


@feature("load Parquet as published")
def load_parquet():
    return rows(load(validated("tables"), "default"), of="tables: train")


@feature("load rows that came as CSV, of a data set whose name is not ASCII")
def load_csv():
    return rows(load(validated("unicode"), "default"), of="unicode: train")


@feature("a version that is not verified yet: Parquet loads, and of JSONL there is no record set")
def load_unverified():
    dataset = validated("unverified")
    assert not ids(dataset) and "not verified yet" in dataset.metadata.description, dataset.metadata
    return rows(load(validated("new tables"), "default"), of="new tables: train")


def kind(id, at="default"):
    """The row of `test/clients/hub/dataSets.ts` as records have it."""
    has = id % 7 != 6
    return {
        f"{at}/id": id,
        f"{at}/text": has,
        f"{at}/day": pandas.Timestamp("1970-01-01") + pandas.Timedelta(days=id) if has else None,
        f"{at}/at": pandas.Timestamp("1970-01-01", tz="UTC") + pandas.Timedelta(microseconds=id * 1_000_001) if has else None,
        f"{at}/flag": id % 2 == 0 if has else None,
        f"{at}/points": [{f"{at}/points/x": x / 3, f"{at}/points/label": f"p{x}".encode()} for x in range(id % 3)] if has else None,
        f"{at}/grid": [[id], [1, 2]] if has else None,
        f"{at}/about": {f"{at}/about/n": id if has else None},
        f"{at}/about/deep": {f"{at}/about/deep/s": f"s{id}".encode() if has else None},
        f"{at}/odd~20name~2F~C3~BC": f"ü{id}".encode() if has else None,
    }


@feature("dates, times, arrays, structs and odd names keep their values; bytes are left out and named")
def kinds():
    dataset = validated("kinds")
    assert "left out: raw (binary)" in dataset.metadata.description, dataset.metadata.description
    records = list(dataset.records("default"))
    assert len(records) == 200
    for id, record in enumerate(records):
        record["default/text"] = record["default/text"] is not None
        # An array of structs that is null is an array of one without values there.
        if id % 7 == 6:
            assert record["default/points"] in (None, [{"default/points/x": None, "default/points/label": None}]), record
            record["default/points"] = None
        assert record == kind(id), (record, kind(id))


@feature("an older version")
def load_older():
    return rows(load(validated("messages@1"), "default/test"), of="messages@1: test")


@feature("a file with one byte changed is refused")
def changed_byte():
    dataset = validated("tables")
    file = next(node for node in dataset.metadata.distribution if node.name == FACTS["tables"]["large"])
    content = bytearray(requests.get(file.content_url, timeout=60).content)
    content[len(content) // 2] ^= 1
    path = os.path.join(SCRATCH, "changed.parquet")
    with open(path, "wb") as copy:
        copy.write(content)
    changed = mlcroissant.Dataset(url("tables"), mapping={file.id: path})
    try:
        next(iter(changed.records("default")))
    except Exception as error:
        reasons = []
        while error is not None:
            reasons.append(str(error))
            error = error.__cause__ or error.__context__
        assert any("Hash of downloaded file" in reason for reason in reasons), reasons
    else:
        raise AssertionError("the changed file was loaded")


main()
