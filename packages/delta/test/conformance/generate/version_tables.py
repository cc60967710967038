"""Every version of the tables of a folder of the same layout, as deltalake reads it: expected/v0/table_content, …"""

import json
import os

import pyarrow as pa
import pyarrow.parquet as parquet
from deltalake import DeltaTable, QueryBuilder

from damaged_tables import DamagedTable
from tables import table

VERSIONS_MAX = 40


def register(source):
    """One table for each that deltalake can count."""
    with open(os.path.join(source, "index.json")) as file:
        entries = json.load(file)
    for entry in entries:
        if (entry.get("deltalake_python") or {}).get("rows", 10**9) > 100_000:
            continue

        def make(t, name=entry["name"]):
            t.take(name)

        make.__name__ = "versions-" + entry["name"]
        table("versions")(make)


def engine(source):
    def run(make, home):
        one = DamagedTable(source, home)
        make(one)
        expected = os.path.join(home, "expected")
        if os.path.exists(expected):
            os.rename(expected, os.path.join(home, "rows"))
        newest = DeltaTable(one.path).version()
        found = [version for version in range(max(0, newest - VERSIONS_MAX), newest + 1) if write_version(one.path, version, expected)]
        if newest not in found:
            raise ValueError("deltalake does not read the newest version")
        return {"expected": "expected/"}

    return run


def write_version(path, version, expected):
    """False for a version deltalake cannot read."""
    try:
        one = DeltaTable(path, version=version)
        rows = pa.table(QueryBuilder().register("t", one).execute("SELECT * FROM t"))
    except BaseException:
        return False
    folder = os.path.join(expected, f"v{version}", "table_content")
    os.makedirs(folder)
    parquet.write_table(rows, os.path.join(folder, "part-0.parquet"))
    return True
