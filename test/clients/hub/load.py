"""`datasets`: load_dataset with nothing but HF_ENDPOINT."""

import datasets
from datasets import load_dataset

from features import FACTS, feature, main, rows

datasets.disable_progress_bars()
MESSAGES = FACTS["messages"]


@feature("load whole")
def load_whole():
    loaded = load_dataset(MESSAGES["name"])
    assert set(loaded) == {"train", "test"}, loaded
    return rows([*loaded["train"], *loaded["test"]], of="messages: train, test")


@feature("load one split")
def load_split():
    return rows(load_dataset(MESSAGES["name"], split="test"), of="messages: test")


@feature("stream")
def stream():
    return rows(load_dataset(MESSAGES["name"], split="train", streaming=True), of="messages: train")


@feature("stream Parquet")
def stream_parquet():
    return rows(load_dataset(FACTS["tables"]["name"], split="train", streaming=True), of="tables: train")


@feature("load Parquet")
def load_parquet():
    return rows(load_dataset(FACTS["tables"]["name"], split="train"), of="tables: train")


@feature("load by version number")
def load_number():
    return rows(load_dataset(MESSAGES["name"], split="test", revision="1"), of="messages@1: test")


@feature("load by manifest CID")
def load_manifest():
    return rows(load_dataset(MESSAGES["name"], split="test", revision=FACTS["messages@1"]["manifest"]), of="messages@1: test")


@feature("load by commit id")
def load_commit():
    return rows(load_dataset(MESSAGES["name"], split="test", revision=FACTS["messages@1"]["commit"]), of="messages@1: test")


@feature("the config verified")
def load_verified():
    loaded = load_dataset(MESSAGES["name"], "verified")
    return rows([*loaded["train"], *loaded["test"]], of="messages: train, test; verified")


@feature("stream the config verified")
def stream_verified():
    loaded = load_dataset(MESSAGES["name"], "verified", split="train", streaming=True)
    return rows(loaded, of="messages: train; verified")


@feature("the config verified beside a publisher's README")
def load_verified_readme():
    assert datasets.get_dataset_config_names(FACTS["tables"]["name"]) == ["default", "verified"]
    return rows(load_dataset(FACTS["tables"]["name"], "verified", split="train"), of="tables: train; verified")


@feature("a selection as revision")
def load_selection():
    return rows(load_dataset(MESSAGES["name"], split="train", revision=FACTS["selection"]), of="messages: train; verified")


@feature("name with capitals")
def load_capitals():
    return rows(load_dataset(FACTS["capitals"]["name"], split="train"), of="capitals: train")


@feature("a name that the client refuses, by CID")
def load_by_cid():
    return rows(load_dataset(f"cid/{FACTS['unicode']['manifest']}", split="train"), of="unicode: train")


@feature("name in other case")
def load_other_case():
    return rows(load_dataset(MESSAGES["name"].upper(), split="test"), of="messages: test")


@feature("not yet verified: loads, and warns")
def load_unverified():
    import logging
    import io

    log = io.StringIO()
    logging.getLogger("huggingface_hub").addHandler(logging.StreamHandler(log))
    loaded = load_dataset(FACTS["unverified"]["name"], split="train")
    assert "still being verified" in log.getvalue(), log.getvalue()
    return rows(loaded, of="unverified: train")


main()
