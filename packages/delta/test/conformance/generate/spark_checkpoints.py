"""Checkpoints of every kind, logs that were cleaned up or damaged, and compacted logs."""

import glob
import json
import os
import shutil
import tempfile

from tables import table

SETTINGS = {
    "classic": "'delta.checkpointPolicy' = 'classic'",
    "v2": "'delta.checkpointPolicy' = 'v2'",
    "struct": "'delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false'",
    "nostats": "'delta.checkpoint.writeStatsAsStruct' = 'false', 'delta.checkpoint.writeStatsAsJson' = 'false'",
}


MADE = {}


def history(t, *settings, commits=7, more="", interval=3):
    """Appends and deletes of a partitioned table of many types, with a checkpoint every few commits. Made once, then copied."""
    key = (settings, commits, more, interval, *(t.spark.conf.get(name, None) for name in (TOP_LEVEL, PART_SIZE)))
    t.same_rows_as = (commits,)
    if key in MADE:
        shutil.copytree(MADE[key], t.path)
        return
    make_history(t, settings, commits, more, interval)
    MADE[key] = os.path.join(tempfile.mkdtemp(), "table")
    shutil.copytree(t.path, MADE[key])


TOP_LEVEL = "spark.databricks.delta.checkpointV2.topLevelFileFormat"
PART_SIZE = "spark.databricks.delta.checkpoint.partSize"


def make_history(t, settings, commits, more, interval):
    properties = ", ".join([f"'delta.checkpointInterval' = '{interval}'", *(SETTINGS[one] for one in settings)]) + more
    t.sql(f"CREATE TABLE {{t}} (id LONG, s STRUCT<a: INT, d: DATE>, n DECIMAL(20,3), ts TIMESTAMP, p STRING, q TIMESTAMP) USING delta PARTITIONED BY (p, q) TBLPROPERTIES ({properties})")
    for i in range(commits):
        if i == 4:
            t.sql("DELETE FROM {t} WHERE id % 10 = 4")
        else:
            t.sql(f"""INSERT INTO {{t}} SELECT id, named_struct('a', CAST(id AS INT), 'd', date_add(DATE'2020-01-01', CAST(id AS INT))), id / 7, TIMESTAMP'2020-01-01 00:00:00.000001Z' + make_interval(0, 0, 0, 0, 0, 0, id),
                CASE WHEN id % 3 = 0 THEN NULL ELSE 'p %/ü' || id % 3 END, TIMESTAMP'2020-01-01 00:00:00.123456Z' FROM range({i * 10}, {i * 10 + 10})""")


@table("spark")
def checkpoint_classic(t):
    history(t, "classic")


@table("spark")
def checkpoint_struct_stats(t):
    history(t, "classic", "struct")


@table("spark")
def checkpoint_no_stats(t):
    history(t, "classic", "nostats")


@table("spark")
def checkpoint_v2_parquet(t):
    history(t, "v2")


@table("spark")
def checkpoint_v2_json(t):
    with t.conf(spark__databricks__delta__checkpointV2__topLevelFileFormat="json"):
        history(t, "v2")


@table("spark")
def checkpoint_v2_struct_stats(t):
    with t.conf(spark__databricks__delta__checkpointV2__topLevelFileFormat="json"):
        history(t, "v2", "struct")


@table("spark")
def checkpoint_v2_many_sidecars(t):
    with t.conf(spark__databricks__delta__checkpoint__partSize="3"):
        history(t, "v2")


@table("spark")
def checkpoint_multipart(t):
    with t.conf(spark__databricks__delta__checkpoint__partSize="3"):
        history(t, "classic")


@table("spark")
def checkpoint_multipart_struct_stats(t):
    with t.conf(spark__databricks__delta__checkpoint__partSize="2"):
        history(t, "classic", "struct")


@table("spark")
def checkpoint_policy_changed(t):
    history(t, "v2")
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.checkpointPolicy' = 'classic')")
    t.checkpoint()
    t.same_rows_as = None
    t.sql("INSERT INTO {t} SELECT 1000, NULL, NULL, NULL, 'x', NULL")


def log_files(t, pattern):
    return sorted(glob.glob(os.path.join(t.log, pattern)))


def version_of(path):
    return int(os.path.basename(path).split(".")[0])


def without_log_before_checkpoint(t):
    last = max(version_of(path) for path in log_files(t, "*.checkpoint*"))
    for path in log_files(t, "0*"):
        if version_of(path) < last:
            os.remove(path)
    for path in log_files(t, f"{last:020}.json"):
        os.remove(path)


@table("spark")
def log_cleaned(t):
    history(t, "classic")
    without_log_before_checkpoint(t)


@table("spark")
def log_cleaned_v2(t):
    history(t, "v2")
    without_log_before_checkpoint(t)


@table("spark")
def log_cleaned_only_checkpoint(t):
    history(t, "classic", commits=6)
    without_log_before_checkpoint(t)
    for path in log_files(t, "*.json") + log_files(t, "*.crc"):
        os.remove(path)


@table("spark")
def log_cleaned_multipart(t):
    checkpoint_multipart(t)
    without_log_before_checkpoint(t)


@table("spark")
def log_last_checkpoint_missing(t):
    history(t, "classic")
    os.remove(os.path.join(t.log, "_last_checkpoint"))


@table("spark")
def log_last_checkpoint_missing_v2_cleaned(t):
    history(t, "v2")
    without_log_before_checkpoint(t)
    os.remove(os.path.join(t.log, "_last_checkpoint"))


def last_checkpoint(t, text):
    with open(os.path.join(t.log, "_last_checkpoint"), "w") as file:
        file.write(text)


@table("spark")
def log_last_checkpoint_torn(t):
    history(t, "classic")
    last_checkpoint(t, '{"version":3,"si')


@table("spark")
def log_last_checkpoint_empty(t):
    history(t, "classic")
    last_checkpoint(t, "")


@table("spark")
def log_last_checkpoint_older(t):
    history(t, "classic")
    last_checkpoint(t, '{"version":3,"size":20}')


@table("spark")
def log_last_checkpoint_of_nothing(t):
    history(t, "classic")
    last_checkpoint(t, '{"version":5,"size":20}')


@table("spark")
def log_multipart_part_missing(t):
    checkpoint_multipart(t)
    newest = max(version_of(path) for path in log_files(t, "*.checkpoint.*.parquet"))
    os.remove(log_files(t, f"{newest:020}.checkpoint.0000000002.*.parquet")[0])
    os.remove(os.path.join(t.log, "_last_checkpoint"))


@table("spark")
def log_checkpoint_torn(t):
    """A complete log from version 0 beside a checkpoint that cannot be read: refused or read."""
    history(t, "classic")
    newest = log_files(t, "*.checkpoint.parquet")[-1]
    os.truncate(newest, os.path.getsize(newest) // 2)
    return "refused"


@table("spark")
def log_sidecar_missing(t):
    history(t, "v2")
    os.remove(sorted(glob.glob(os.path.join(t.log, "_sidecars", "*.parquet")), key=os.path.getmtime)[-1])
    return "refused"


@table("spark")
def log_sidecars_unreferenced(t):
    history(t, "v2")
    with open(os.path.join(t.log, "_sidecars", "junk.parquet"), "w") as file:
        file.write("junk")


@table("spark")
def log_other_files(t):
    history(t, "classic")
    for name in [".tmp", "00000000000000000009.json.tmp", "_last_vacuum_info", "foo.json", "0000000000000000000a.json", "00000000000000000001.checkpoint.tmp.parquet", "00000000000000000099.crc"]:
        with open(os.path.join(t.log, name), "w") as file:
            file.write("junk")
    os.makedirs(os.path.join(t.log, "_staged_commits"), exist_ok=True)
    with open(os.path.join(t.log, "_staged_commits", "00000000000000000009.00000000-0000-0000-0000-000000000000.json"), "w") as file:
        file.write('{"commitInfo":{}}')


@table("spark")
def log_commit_torn(t):
    history(t, "classic", commits=4, interval=100)
    newest = log_files(t, "*.json")[-1]
    os.truncate(newest, os.path.getsize(newest) - 40)
    return "refused"


@table("spark")
def log_commit_empty(t):
    history(t, "classic", commits=4, interval=100)
    with open(log_files(t, "*.json")[-1], "w"):
        pass
    return "refused"


@table("spark")
def log_gap(t):
    history(t, "classic", commits=4, interval=100)
    os.remove(log_files(t, "*.json")[2])
    return "refused"


@table("spark")
def log_unknown_actions(t):
    history(t, "classic", commits=2, interval=100)
    with open(os.path.join(t.log, f"{3:020}.json"), "w") as file:
        file.write('{"commitInfo":{"timestamp":1,"futureField":[1]}}\n\n{"futureAction":{"x":1}}\n{"add":null,"txn":{"appId":"a","version":1,"futureField":{}}}\n')


@table("spark")
def log_crlf_and_spaces(t):
    history(t, "classic", commits=3, interval=100)
    newest = log_files(t, "*.json")[-1]
    os.remove(os.path.join(t.log, f".{os.path.basename(newest)}.crc"))
    with open(newest) as file:
        lines = file.read().split("\n")
    with open(newest, "w", newline="") as file:
        file.write("\r\n".join("  " + line if line else line for line in lines))


@table("spark")
def log_data_file_missing(t):
    history(t, "classic", commits=3, interval=100)
    os.remove(glob.glob(os.path.join(t.path, "p=*", "*", "*.parquet"))[0])
    return "refused"


@table("spark")
def log_data_file_corrupt(t):
    history(t, "classic", commits=3, interval=100)
    path = glob.glob(os.path.join(t.path, "p=*", "*", "*.parquet"))[0]
    os.truncate(path, os.path.getsize(path) // 2)
    return "refused"


def compacted(t, first, last):
    """Writes first.last.compacted.json from the commits, reconciled."""
    newest = {}
    for version in range(first, last + 1):
        with open(os.path.join(t.log, f"{version:020}.json")) as file:
            for action in map(json.loads, filter(str.strip, file)):
                kind, content = next(iter(action.items()))
                key = {
                    "add": lambda: ("file", content["path"], (content.get("deletionVector") or {}).get("pathOrInlineDv")),
                    "remove": lambda: ("file", content["path"], (content.get("deletionVector") or {}).get("pathOrInlineDv")),
                    "txn": lambda: ("txn", content["appId"]),
                    "domainMetadata": lambda: ("domain", content["domain"]),
                }.get(kind, lambda: (kind,))()
                if kind not in ("commitInfo", "cdc"):
                    newest[key] = action
    with open(os.path.join(t.log, f"{first:020}.{last:020}.compacted.json"), "w") as file:
        file.write("".join(json.dumps(action) + "\n" for action in newest.values()))


@table("spark")
def log_compacted(t):
    history(t, "classic", commits=9, interval=100)
    compacted(t, 1, 4)
    compacted(t, 5, 8)


@table("spark")
def log_compacted_overlapping(t):
    history(t, "classic", commits=9, interval=100)
    compacted(t, 0, 3)
    compacted(t, 2, 6)
    compacted(t, 6, 7)


@table("spark")
def log_compacted_after_checkpoint(t):
    history(t, "classic", commits=9, interval=4)
    compacted(t, 1, 6)
    compacted(t, 9, 9)


@table("spark")
def log_compacted_commits_gone(t):
    """Commits before the checkpoint are gone, a compaction reaches across it."""
    history(t, "classic", commits=9, interval=4)
    compacted(t, 2, 9)
    without_log_before_checkpoint(t)


@table("spark")
def log_compacted_deletion_vectors(t):
    history(t, "classic", commits=9, interval=100, more=", 'delta.enableDeletionVectors' = 'true'")
    t.same_rows_as = None
    t.sql("DELETE FROM {t} WHERE id % 10 = 5", "DELETE FROM {t} WHERE id % 10 = 6")
    compacted(t, 1, 11)
