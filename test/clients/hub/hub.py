"""`huggingface_hub`: files, snapshots, checksums, listings, revisions, errors."""

import hashlib
import os
import pathlib

from huggingface_hub import DatasetCard, HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

from features import FACTS, SCRATCH, feature, main, rows

api = HfApi()
NAME = FACTS["messages"]["name"]
TABLES = FACTS["tables"]["name"]


def sha256(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def raises(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


@feature("snapshot_download")
def snapshot():
    folder = snapshot_download(TABLES, repo_type="dataset")
    for path, digest in FACTS["tables"]["sha256"].items():
        assert sha256(os.path.join(folder, path)) == digest, path


@feature("verify_repo_checksums")
def checksums():
    folder = os.path.join(SCRATCH, "copy")
    for name in (NAME, TABLES):
        snapshot_download(name, repo_type="dataset", local_dir=os.path.join(folder, name))
        verified = api.verify_repo_checksums(name, repo_type="dataset", local_dir=os.path.join(folder, name))
        assert not verified.mismatches and not verified.missing_paths, verified
        assert verified.checked_count > 0


@feature("resume of a broken download")
def resume():
    path = FACTS["tables"]["large"]
    digest = FACTS["tables"]["sha256"][path]
    folder = os.path.join(SCRATCH, "resumed")
    whole = hf_hub_download(TABLES, path, repo_type="dataset")
    # As a killed client leaves it: the part that it had, named by file and ETag (huggingface_hub/_local_folder.py).
    from huggingface_hub._local_folder import get_local_download_paths

    paths = get_local_download_paths(local_dir=pathlib.Path(folder), filename=path)
    incomplete = paths.incomplete_path(digest)
    incomplete.parent.mkdir(parents=True, exist_ok=True)
    incomplete.write_bytes(open(whole, "rb").read()[:100_000])
    resumed = hf_hub_download(TABLES, path, repo_type="dataset", local_dir=folder)
    assert sha256(resumed) == digest


@feature("list_datasets, filters, paging")
def list_datasets():
    names = [info.id for info in api.list_datasets(author=NAME.split("/")[0])]
    assert NAME in names and TABLES in names, names
    assert [info.id for info in api.list_datasets(search=NAME.split("/")[1])] == [NAME]
    assert NAME in [info.id for info in api.list_datasets(language="en")]
    assert NAME not in [info.id for info in api.list_datasets(language="fr")]
    assert len(list(api.list_datasets(limit=2))) == 2
    from huggingface_hub.utils import paginate, build_hf_headers

    paged = list(paginate(f"{api.endpoint}/api/datasets", params={"limit": 1}, headers=build_hf_headers()))
    assert [item["id"] for item in paged] == [info.id for info in api.list_datasets()]


@feature("dataset_info")
def dataset_info():
    info = api.dataset_info(NAME, files_metadata=True)
    assert len(info.sha) == 40 and info.id == NAME and info.private is False
    assert info.card_data.license == ["cc0-1.0"], info.card_data
    assert any(file.lfs for file in info.siblings) and all(file.blob_id for file in info.siblings)
    assert api.dataset_info(NAME, revision="1").assay["manifest"] == FACTS["messages@1"]["manifest"]
    assert api.repo_exists(NAME, repo_type="dataset") and not api.repo_exists("acme/nothing", repo_type="dataset")


@feature("the generated card")
def card():
    loaded = DatasetCard.load(NAME)
    assert loaded.data.license == ["cc0-1.0"], loaded.data
    assert [config["config_name"] for config in loaded.data.configs] == ["default", "verified"]
    assert "## Verdict" in loaded.text and "would" in loaded.text, loaded.text


@feature("refs and commits")
def refs():
    found = api.list_repo_refs(NAME, repo_type="dataset")
    assert [branch.name for branch in found.branches] == ["main"]
    assert [tag.name for tag in found.tags] == ["2", "1"]
    commits = api.list_repo_commits(NAME, repo_type="dataset")
    assert [commit.commit_id for commit in commits] == [tag.target_commit for tag in found.tags]


@feature("tree, paths-info, file_exists")
def tree():
    listed = {entry.path: entry for entry in api.list_repo_tree(NAME, repo_type="dataset", recursive=True, expand=True)}
    assert "data" in listed and "data/train.jsonl" in listed
    below = [entry.path for entry in api.list_repo_tree(NAME, "data", repo_type="dataset")]
    assert below == ["data/test.jsonl", "data/train.jsonl"], below
    published = api.list_repo_tree(NAME, "data", repo_type="dataset", revision=FACTS["messages"]["manifest"])
    assert [entry.path for entry in published] == ["data/test.jsonl", "data/train.jsonl"]
    infos = api.get_paths_info(NAME, ["data", "data/test.jsonl", "nothing"], repo_type="dataset")
    assert [info.path for info in infos] == ["data", "data/test.jsonl"]
    assert infos[1].blob_id == listed["data/test.jsonl"].blob_id
    assert api.file_exists(NAME, "data/test.jsonl", repo_type="dataset")
    assert not api.file_exists(NAME, "data/nothing", repo_type="dataset")


@feature("errors by their kind")
def errors():
    raises(RepositoryNotFoundError, lambda: api.dataset_info("acme/nothing"))
    raises(RevisionNotFoundError, lambda: api.dataset_info(NAME, revision="99"))
    raises(EntryNotFoundError, lambda: hf_hub_download(NAME, "nothing", repo_type="dataset"))


@feature("hf:// file system: ls, glob, ranges")
def file_system():
    fs = HfFileSystem()
    assert f"datasets/{NAME}/data/test.jsonl" in fs.glob(f"datasets/{NAME}/**/*.jsonl")
    with fs.open(f"datasets/{TABLES}/{FACTS['tables']['large']}") as file:
        file.seek(-4, 2)
        assert file.read() == b"PAR1"


@feature("whoami with a token of ours")
def whoami():
    me = api.whoami(token=FACTS["token"])
    assert me["name"] == NAME.split("/")[0] and me["auth"]["accessToken"]["role"] == "write", me


main()
