"""Data frames and query engines over `hf://` paths."""

import os

from features import FACTS, Skip, feature, main, rows

PATH = f"hf://datasets/{FACTS['tables']['name']}/{FACTS['tables']['large']}"

URL = f"{os.environ['HF_ENDPOINT']}/datasets/{FACTS['tables']['name']}/resolve/main/{FACTS['tables']['large']}"


@feature("pandas read_parquet")
def pandas_parquet():
    import pandas

    frame = pandas.read_parquet(PATH)
    # pandas shows a null as NaN.
    return rows(frame.astype(object).where(frame.notna(), None).to_dict("records"), of="tables: train")


@feature("pandas read_json")
def pandas_json():
    import pandas

    path = f"hf://datasets/{FACTS['messages']['name']}/data/test.jsonl"
    return rows(pandas.read_json(path, lines=True).to_dict("records"), of="messages: test")


@feature("pandas read_parquet of rows that came as JSON")
def pandas_converted():
    import pandas

    frame = pandas.read_parquet(f"hf://datasets/{FACTS['messages']['name']}/parquet/test-00000-of-00001.parquet")
    return rows(frame.to_dict("records"), of="messages: test")


@feature("duckdb: the verified rows, through fsspec")
def duckdb_verified():
    import duckdb
    from huggingface_hub import HfFileSystem

    connection = duckdb.connect()
    connection.register_filesystem(HfFileSystem())
    path = f"hf://datasets/{FACTS['messages']['name']}/verified/train-*.parquet"
    return rows(connection.sql(f"select * from read_parquet('{path}') order by id").to_arrow_table().to_pylist(), of="messages: train; verified")


@feature("pyarrow dataset")
def pyarrow_dataset():
    import pyarrow.dataset
    from huggingface_hub import HfFileSystem

    table = pyarrow.dataset.dataset(PATH.removeprefix("hf://"), filesystem=HfFileSystem()).to_table()
    return rows(table.to_pylist(), of="tables: train")


@feature("polars scan_parquet by HTTP")
def polars_http():
    import polars

    return rows(polars.scan_parquet(URL).collect().to_dicts(), of="tables: train")


@feature("polars through fsspec")
def polars_fsspec():
    import polars
    from huggingface_hub import HfFileSystem

    with HfFileSystem().open(PATH) as file:
        return rows(polars.read_parquet(file).to_dicts(), of="tables: train")


@feature("polars' own hf://")
def polars_native():
    import polars

    try:
        return rows(polars.read_parquet(PATH).to_dicts(), of="tables: train")
    except Exception as error:
        if "https://huggingface.co/" in str(error):
            raise Skip("this version asks huggingface.co whatever HF_ENDPOINT says") from None
        raise


@feature("duckdb read_parquet through fsspec")
def duckdb_fsspec():
    import duckdb
    from huggingface_hub import HfFileSystem

    connection = duckdb.connect()
    connection.register_filesystem(HfFileSystem())
    return rows(connection.sql(f"select * from read_parquet('{PATH}') order by id").to_arrow_table().to_pylist(), of="tables: train")


@feature("duckdb's own hf://")
def duckdb_native():
    import duckdb

    connection = duckdb.connect()
    try:
        connection.sql("install httpfs")
        connection.sql("load httpfs")
    except Exception as error:
        raise Skip(f"the extension httpfs cannot be installed here: {str(error).splitlines()[0]}") from None
    return rows(connection.sql(f"select * from read_parquet('{PATH}') order by id").to_arrow_table().to_pylist(), of="tables: train")


main()
