"""Tables of a folder of the same layout whose logs were cleaned up, compacted or damaged; the rows stay the same."""

import json
import os
import shutil
import tarfile

import spark_checkpoints as log
from tables import table


class DamagedTable:
    def __init__(self, source, home):
        self.source, self.home, self.entry = source, home, {}

    def take(self, name):
        """Unpacks a table of the source folder, and what is expected of it."""
        with open(os.path.join(self.source, "index.json")) as file:
            self.entry = next(entry for entry in json.load(file) if entry["name"] == name)
        with tarfile.open(os.path.join(self.source, self.entry["archive"])) as tar:
            tar.extractall(self.home)
        for part in os.listdir(os.path.join(self.home, name)):
            shutil.move(os.path.join(self.home, name, part), os.path.join(self.home, part))
        os.rmdir(os.path.join(self.home, name))
        self.path = os.path.join(self.home, "delta")
        self.log = os.path.join(self.path, "_delta_log")

    def remove(self, *names):
        for name in names:
            os.remove(os.path.join(self.log, name))


def engine(source):
    def run(make, home):
        one = DamagedTable(source, home)
        if make(one) == "refused":
            shutil.rmtree(os.path.join(home, "expected"), ignore_errors=True)
            return {}
        return {key: one.entry[key] for key in ("expected", "expected_rows", "deltalake_python") if key in one.entry}

    return run


CLASSIC = ["basic-with-inserts-deletes-checkpoint", "125-iterator-bug"]
V2 = ["v2-checkpoints-json-with-sidecars", "v2-checkpoints-parquet-with-sidecars", "v2-classic-checkpoint-parquet", "v2-json-sidecars-struct-stats-only", "v2-parquet-sidecars-struct-stats-only"]
VECTORS = ["dv-with-columnmapping", "log-replay-dv-key-cases", "table_with_partitioning_mapping", "cdf-table-with-cdc-and-dvs"]
ALL = CLASSIC + V2 + VECTORS + ["multi-part-checkpoint", "v1-multi-part-partitioned-struct-stats-only", "snapshot-data3", "with-short-dv"]


def each(names, kind, must_read=True):
    """Registers the damage for each of the tables."""

    def register(damage):
        for name in names:
            def make(t, name=name):
                t.take(name)
                damage(t)
                return None if must_read else "refused"

            make.__name__ = f"damaged-{kind}-{name}"
            table("damaged")(make)
        return damage

    return register


def commits(t):
    return [log.version_of(path) for path in log.log_files(t, "*.json") if os.path.basename(path)[20:] == ".json"]


def checkpoints(t):
    return [log.version_of(path) for path in log.log_files(t, "*.checkpoint*")]


each(CLASSIC + V2 + ["multi-part-checkpoint"], "cleaned")(log.without_log_before_checkpoint)


@each(ALL, "no-hint")
def no_hint(t):
    if os.path.exists(os.path.join(t.log, "_last_checkpoint")):
        t.remove("_last_checkpoint")


@each(ALL, "torn-hint")
def torn_hint(t):
    log.last_checkpoint(t, '{"version":1,"si')


@each(ALL, "wrong-hint")
def wrong_hint(t):
    log.last_checkpoint(t, '{"version":1000000,"size":3}')


@each(ALL, "hint-without-checkpoint")
def hint_without_checkpoint(t):
    log.last_checkpoint(t, json.dumps({"version": commits(t)[-1], "size": 3}))


@each(CLASSIC + V2, "checkpoint-torn-log-whole")
def checkpoint_torn(t):
    for path in log.log_files(t, "*.checkpoint*"):
        os.truncate(path, os.path.getsize(path) // 2)


@each(CLASSIC + V2, "checkpoint-empty-log-whole")
def checkpoint_empty(t):
    for path in log.log_files(t, "*.checkpoint*"):
        os.truncate(path, 0)


@each(V2[:2] + V2[3:], "sidecar-gone-log-whole")
def sidecar_gone(t):
    shutil.rmtree(os.path.join(t.log, "_sidecars"))


@each(V2[:2] + V2[3:], "sidecar-gone-log-cleaned", must_read=False)
def sidecar_gone_cleaned(t):
    sidecar_gone(t)
    log.without_log_before_checkpoint(t)


@each(CLASSIC + V2, "checkpoint-torn-log-cleaned", must_read=False)
def checkpoint_torn_cleaned(t):
    checkpoint_torn(t)
    log.without_log_before_checkpoint(t)


@each(ALL, "compacted")
def compacted(t):
    there = commits(t)
    if there[0] == 0 and len(there) > 2:
        log.compacted(t, 0, there[-1])
        log.compacted(t, 1, there[-2])


@each(ALL, "compacted-in-pieces")
def compacted_in_pieces(t):
    there = commits(t)
    for first in range(there[0], there[-1], 3):
        if first + 1 <= there[-1]:
            log.compacted(t, first, min(first + 2, there[-1]))


@each(ALL, "without-checkpoints")
def without_checkpoints(t):
    no_hint(t)
    if commits(t)[0] == 0:
        for path in log.log_files(t, "*.checkpoint*"):
            os.remove(path)


@each(["multi-part-checkpoint", "v1-multi-part-partitioned-struct-stats-only"], "part-gone")
def part_gone(t):
    no_hint(t)
    os.remove(log.log_files(t, "*.checkpoint.*.parquet")[-1])


@each(ALL, "newest-commit-empty", must_read=False)
def newest_commit_empty(t):
    os.truncate(log.log_files(t, "*.json")[-1], 0)


@each(ALL, "newest-commit-torn", must_read=False)
def newest_commit_torn(t):
    path = os.path.join(t.log, f"{commits(t)[-1]:020}.json")
    os.truncate(path, os.path.getsize(path) * 2 // 3)


@each(ALL, "extra-files")
def extra_files(t):
    for name in [".tmp", "junk.json", "00000000000000000099.crc", "_last_vacuum_info", "00000000000000000000.checkpoint.0000000001.0000000003.parquet", f"{commits(t)[-1] + 1:020}.json.tmp"]:
        with open(os.path.join(t.log, name), "w") as file:
            file.write("junk")
    os.makedirs(os.path.join(t.log, "_staged_commits"), exist_ok=True)


@each(ALL, "data-files-gone", must_read=False)
def data_files_gone(t):
    for folder, _, names in os.walk(t.path):
        for name in names:
            if name.endswith(".parquet") and "_delta_log" not in folder:
                os.remove(os.path.join(folder, name))


@each(ALL, "data-files-torn", must_read=False)
def data_files_torn(t):
    for folder, _, names in os.walk(t.path):
        for name in names:
            if name.endswith(".parquet") and "_delta_log" not in folder:
                os.truncate(os.path.join(folder, name), os.path.getsize(os.path.join(folder, name)) // 2)


@each(VECTORS + ["with-short-dv"], "vector-files-gone", must_read=False)
def vector_files_gone(t):
    for folder, _, names in os.walk(t.path):
        for name in names:
            if name.endswith(".bin"):
                os.remove(os.path.join(folder, name))
