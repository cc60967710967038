"""Tables as the Python package deltalake (delta-rs) writes them, with the rows it reads."""

import datetime as dt
import decimal
import os

import pyarrow as pa
import pyarrow.parquet as parquet
from deltalake import DeltaTable, write_deltalake

from tables import table


def engine(make, home):
    path = os.path.join(home, "delta")
    if make(path) == "refused":
        return {}
    rows = DeltaTable(path).to_pyarrow_table()
    os.makedirs(os.path.join(home, "expected"))
    parquet.write_table(rows, os.path.join(home, "expected", "part-0.parquet"))
    return {"expected": "expected/", "expected_rows": rows.num_rows}


def edges():
    utc = dt.timezone.utc
    return pa.table({
        "id": pa.array([1, 2, 3], pa.int64()),
        "b": pa.array([-128, 127, None], pa.int8()),
        "s": pa.array([-32768, 32767, None], pa.int16()),
        "i": pa.array([-(2**31), 2**31 - 1, None], pa.int32()),
        "f": pa.array([float("nan"), -0.0, None], pa.float32()),
        "d": pa.array([float("-inf"), 5e-324, None], pa.float64()),
        "bo": pa.array([True, False, None]),
        "st": pa.array(["", "ü😀\n\"'", None]),
        "bi": pa.array([b"", b"\x00\xff", None]),
        "da": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
        "ts": pa.array([dt.datetime(1, 1, 1, tzinfo=utc), dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=utc), None], pa.timestamp("us", "UTC")),
        "tn": pa.array([dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(2020, 1, 1), None], pa.timestamp("us")),
        "n": pa.array([decimal.Decimal("-99999999999999999999.999999999999999999"), decimal.Decimal("0.000000000000000001"), None], pa.decimal128(38, 18)),
        "l": pa.array([[1, None], [], None], pa.list_(pa.int32())),
        "st2": pa.array([{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}, None], pa.struct([("a", pa.int32()), ("b", pa.struct([("c", pa.string())]))])),
        "m": pa.array([[("k", 1), ("j", None)], [], None], pa.map_(pa.string(), pa.int64())),
        "ls": pa.array([[{"x": 1.5}, None], [], None], pa.list_(pa.struct([("x", pa.float64())]))),
    })


@table("deltalake")
def rs_edges(path):
    write_deltalake(path, edges())


@table("deltalake")
def rs_edges_checkpoint(path):
    write_deltalake(path, edges())
    write_deltalake(path, edges(), mode="append")
    DeltaTable(path).create_checkpoint()


@table("deltalake")
def rs_partition_strings(path):
    values = ["plain", "a b", "a%b", "a%20b", "a/b", "ü/😀", "it's", 'q"q', "", None, "a=b", "x:y", "#?&+", "back\\slash", " lead", "trail ", "new\nline", "__HIVE_DEFAULT_PARTITION__", "null", "*", "[x]"]
    write_deltalake(path, pa.table({"id": list(range(len(values))), "p": values}), partition_by=["p"])
    DeltaTable(path).create_checkpoint()


@table("deltalake")
def rs_partition_types(path):
    utc = dt.timezone.utc
    rows = pa.table({
        "id": [1, 2, 3],
        "i": pa.array([-1, 2**31 - 1, None], pa.int32()),
        "bo": pa.array([True, False, None]),
        "da": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
        "ts": pa.array([dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=utc), dt.datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=utc), None], pa.timestamp("us", "UTC")),
        "tn": pa.array([dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(2020, 1, 1), None], pa.timestamp("us")),
        "n": pa.array([decimal.Decimal("1.50"), decimal.Decimal("0.01"), None], pa.decimal128(10, 2)),
        "d": pa.array([1.5, 1e30, None]),
    })
    write_deltalake(path, rows, partition_by=["i", "bo", "da", "ts", "tn", "n", "d"])


@table("deltalake")
def rs_schema_merged(path):
    write_deltalake(path, pa.table({"id": [1], "s": pa.array([{"a": 1}], pa.struct([("a", pa.int64())]))}))
    write_deltalake(path, pa.table({"id": [2], "x": ["new"]}), mode="append", schema_mode="merge")
    write_deltalake(path, pa.table({"id": [3], "s": pa.array([{"a": 1, "b": "n"}], pa.struct([("a", pa.int64()), ("b", pa.string())]))}), mode="append", schema_mode="merge")


@table("deltalake")
def rs_deleted_updated_merged(path):
    write_deltalake(path, pa.table({"id": list(range(100)), "s": [f"s{i}" for i in range(100)]}))
    one = DeltaTable(path)
    one.delete("id % 7 = 0")
    one.update(predicate="id > 90", updates={"s": "'u'"})
    source = pa.table({"id": [1, 2, 1000], "s": ["m", "m", "m"]})
    one.merge(source, "t.id = s.id", source_alias="s", target_alias="t").when_matched_update_all().when_not_matched_insert_all().execute()


@table("deltalake")
def rs_optimized_vacuumed(path):
    for i in range(5):
        write_deltalake(path, pa.table({"id": list(range(i * 10, i * 10 + 10)), "p": ["a b", None] * 5}), mode="append", partition_by=["p"])
    one = DeltaTable(path)
    one.optimize.z_order(["id"])
    one.vacuum(0, dry_run=False, enforce_retention_duration=False)


@table("deltalake")
def rs_log_cleaned(path):
    for i in range(12):
        write_deltalake(path, pa.table({"id": [i]}), mode="append", configuration={"delta.logRetentionDuration": "interval 0 days"} if i == 0 else None)
    one = DeltaTable(path)
    one.create_checkpoint()
    one.cleanup_metadata()
    write_deltalake(path, pa.table({"id": [100]}), mode="append")


@table("deltalake")
def rs_large_and_dictionary(path):
    rows = pa.table({
        "id": list(range(1000)),
        "large": pa.array([f"l{i % 3}" for i in range(1000)], pa.large_string()),
        "dictionary": pa.array([f"d{i % 3}" for i in range(1000)]).dictionary_encode(),
        "fixed": pa.array([b"abcd"] * 1000, pa.binary(4)),
        "ms": pa.array([dt.datetime(2020, 1, 1)] * 1000, pa.timestamp("ms")),
        "unsigned": pa.array(range(1000), pa.uint16()),
        "list": pa.array([[i, i] for i in range(1000)], pa.list_(pa.int32(), 2)),
    })
    write_deltalake(path, rows)


@table("deltalake")
def rs_change_data_feed(path):
    write_deltalake(path, pa.table({"id": list(range(10)), "s": ["x"] * 10}), configuration={"delta.enableChangeDataFeed": "true"})
    one = DeltaTable(path)
    one.update(predicate="id = 3", updates={"s": "'u'"})
    one.delete("id = 4")


@table("deltalake")
def rs_constraint(path):
    write_deltalake(path, pa.table({"id": [1, 2]}))
    DeltaTable(path).alter.add_constraint({"positive": "id > 0"})
    write_deltalake(path, pa.table({"id": [3]}), mode="append")


@table("deltalake")
def rs_empty(path):
    DeltaTable.create(path, pa.schema([("id", pa.int32()), ("p", pa.string())]), partition_by=["p"])


@table("deltalake")
def rs_restored(path):
    for i in range(3):
        write_deltalake(path, pa.table({"id": [i]}), mode="append")
    one = DeltaTable(path)
    one.delete()
    one.restore(1)
