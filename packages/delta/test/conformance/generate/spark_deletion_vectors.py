"""Deletion vectors of every shape, as Spark writes them; inline ones and absolute paths are put into the log by hand."""

import glob
import json
import os
import struct

from tables import table

PROPERTIES = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true'{more})"
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def created(t, rows, files=1, more=""):
    t.sql("CREATE TABLE {t} (id LONG, s STRING, p INT) USING delta " + PROPERTIES.format(more=more))
    append(t, 0, rows, files)


def append(t, first, until, files=1):
    t.write(t.spark.sql(f"SELECT id, 's' || id AS s, CAST(id % 3 AS INT) AS p FROM range({first}, {until})").repartition(files, "id") if files > 1
            else t.spark.sql(f"SELECT id, 's' || id AS s, CAST(id % 3 AS INT) AS p FROM range({first}, {until}, 1, 1)"))


@table("spark")
def dv_few(t):
    created(t, 1000)
    t.sql("DELETE FROM {t} WHERE id IN (0, 500, 999)")


@table("spark")
def dv_most(t):
    created(t, 1000)
    t.sql("DELETE FROM {t} WHERE id NOT IN (0, 500, 999)")


@table("spark")
def dv_repeated(t):
    created(t, 1000, files=3)
    for i in range(8):
        t.sql(f"DELETE FROM {{t}} WHERE id % 11 = {i}")


@table("spark")
def dv_repeated_checkpoints(t):
    created(t, 1000, files=3, more=", 'delta.checkpointInterval' = '2'")
    for i in range(9):
        t.sql(f"DELETE FROM {{t}} WHERE id % 11 = {i}")


@table("spark")
def dv_all_rows(t):
    created(t, 100)
    append(t, 100, 200)
    t.sql("DELETE FROM {t} WHERE id < 50", "DELETE FROM {t} WHERE id < 100")


@table("spark")
def dv_every_row_of_the_table(t):
    created(t, 100)
    t.sql("DELETE FROM {t} WHERE id < 50", "DELETE FROM {t} WHERE id >= 50")


@table("spark")
def dv_large(t):
    """Arrays, bitmaps and runs in several containers of one vector."""
    created(t, 600_000)
    t.sql("DELETE FROM {t} WHERE id % 5000 = 17 OR (id BETWEEN 70000 AND 131071 AND id % 2 = 0) OR id BETWEEN 200000 AND 400000 OR id = 599999")


@table("spark")
def dv_large_full_containers(t):
    created(t, 400_000)
    t.sql("DELETE FROM {t} WHERE id < 131072 OR (id >= 196608 AND id < 262144 AND id != 200000)")


@table("spark")
def dv_large_random(t):
    created(t, 300_000)
    t.sql("DELETE FROM {t} WHERE pmod(hash(id), 3) = 0", "DELETE FROM {t} WHERE pmod(hash(s), 1000) = 0")


@table("spark")
def dv_row_groups(t):
    """A file of many row groups."""
    hadoop = t.spark.sparkContext._jsc.hadoopConfiguration()
    hadoop.set("parquet.block.size", "65536")
    hadoop.set("parquet.page.size", "4096")
    try:
        created(t, 200_000)
    finally:
        hadoop.unset("parquet.block.size")
        hadoop.unset("parquet.page.size")
    t.sql("DELETE FROM {t} WHERE id % 1000 = 999 OR id BETWEEN 50000 AND 60000")


@table("spark")
def dv_update_and_merge(t):
    created(t, 100, files=2)
    t.sql("UPDATE {t} SET s = 'updated' WHERE id % 10 = 0")
    t.spark.sql("SELECT id * 7 AS id, 'merged' AS s, 0 AS p FROM range(30)").createOrReplaceTempView("source")
    t.sql("MERGE INTO {t} USING source ON {t}.id = source.id WHEN MATCHED AND source.id % 2 = 0 THEN UPDATE SET s = source.s WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *".replace("{t}.id", "t.id").replace("INTO {t}", "INTO {t} t"))


@table("spark")
def dv_partitioned(t):
    t.sql("CREATE TABLE {t} (id LONG, p STRING) USING delta PARTITIONED BY (p) " + PROPERTIES.format(more=""))
    t.sql("INSERT INTO {t} SELECT id, CASE WHEN id % 4 = 0 THEN NULL ELSE 'p ' || id % 4 END FROM range(400)", "DELETE FROM {t} WHERE id % 10 = 3", "DELETE FROM {t} WHERE p IS NULL AND id < 100", "DELETE FROM {t} WHERE p = 'p 1'")


@table("spark")
def dv_random_prefixes(t):
    created(t, 100, more=", 'delta.randomizeFilePrefixes' = 'true'")
    t.sql("DELETE FROM {t} WHERE id = 3")


@table("spark")
def dv_restored(t):
    created(t, 100, files=2)
    t.sql("DELETE FROM {t} WHERE id < 10", "DELETE FROM {t} WHERE id < 20", "RESTORE TABLE {t} TO VERSION AS OF 2")


@table("spark")
def dv_restored_to_none(t):
    created(t, 100, files=2)
    t.sql("DELETE FROM {t} WHERE id < 10", "RESTORE TABLE {t} TO VERSION AS OF 1", "DELETE FROM {t} WHERE id = 50")


@table("spark")
def dv_purged(t):
    created(t, 100, files=2)
    t.sql("DELETE FROM {t} WHERE id < 10", "REORG TABLE {t} APPLY (PURGE)", "DELETE FROM {t} WHERE id = 50")


@table("spark")
def dv_optimized_and_vacuumed(t):
    created(t, 100, files=4)
    t.sql("DELETE FROM {t} WHERE id % 9 = 0", "OPTIMIZE {t}", "DELETE FROM {t} WHERE id = 50", "VACUUM {t} RETAIN 0 HOURS")


@table("spark")
def dv_v2_checkpoint(t):
    created(t, 300, files=3, more=", 'delta.checkpointPolicy' = 'v2'")
    t.sql("DELETE FROM {t} WHERE id % 9 = 0")
    t.checkpoint()
    t.sql("DELETE FROM {t} WHERE id % 9 = 1")


@table("spark")
def dv_switched_off(t):
    created(t, 100)
    t.sql("DELETE FROM {t} WHERE id % 9 = 0", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')", "DELETE FROM {t} WHERE id = 50")


@table("spark")
def dv_schema_evolution(t):
    created(t, 100)
    t.sql("DELETE FROM {t} WHERE id % 9 = 0")
    t.write(t.spark.sql("SELECT 1000L AS id, 'n' AS s, 1 AS p, 'new' AS c"), mergeSchema="true")
    t.sql("DELETE FROM {t} WHERE id % 9 = 1")


@table("spark")
def dv_change_feed(t):
    created(t, 100, more=", 'delta.enableChangeDataFeed' = 'true'")
    t.sql("DELETE FROM {t} WHERE id % 9 = 0", "UPDATE {t} SET s = 'u' WHERE id = 50")


@table("spark")
def dv_names_like_row_numbers(t):
    t.sql("CREATE TABLE {t} (file_row_number LONG, filename STRING, file_index INT, row_index INT) USING delta " + PROPERTIES.format(more=""))
    t.sql("INSERT INTO {t} SELECT /*+ COALESCE(1) */ id * 2, 'f' || id, 1, CAST(-id AS INT) FROM range(100)", "DELETE FROM {t} WHERE file_row_number % 6 = 0")


@table("spark")
def dv_no_columns_but_partitions(t):
    t.sql("CREATE TABLE {t} (id INT, p STRING, q DATE) USING delta PARTITIONED BY (p, q) " + PROPERTIES.format(more=""))
    t.sql("INSERT INTO {t} SELECT /*+ COALESCE(1) */ CAST(id AS INT), 'a b', DATE'2020-01-01' FROM range(10)", "DELETE FROM {t} WHERE id IN (3, 4)")


def rewritten(t, change):
    """Changes each deletion vector's descriptor in the log; `change` gets it and the bytes of its bitmap."""
    for path in sorted(glob.glob(os.path.join(t.log, "*.json"))):
        with open(path) as file:
            actions = [json.loads(line) for line in file if line.strip()]
        for action in actions:
            for kind in ("add", "remove"):
                vector = action.get(kind, {}).get("deletionVector")
                if vector:
                    change(vector, bitmap_of(t, vector))
        with open(path, "w") as file:
            file.write("".join(json.dumps(action) + "\n" for action in actions))
    for checksum in glob.glob(os.path.join(t.log, "*.crc")) + glob.glob(os.path.join(t.log, ".*.crc")):
        os.remove(checksum)


def file_of(t, vector):
    encoded = vector["pathOrInlineDv"]
    prefix, digits = encoded[:-20], encoded[-20:]
    number = b"".join(
        struct.pack(">I", sum(Z85.index(digit) * 85 ** (4 - i) for i, digit in enumerate(digits[at:at + 5]))) for at in range(0, 20, 5)
    ).hex()
    uuid = "-".join([number[:8], number[8:12], number[12:16], number[16:20], number[20:]])
    return os.path.join(t.path, prefix, f"deletion_vector_{uuid}.bin")


def bitmap_of(t, vector):
    if vector["storageType"] != "u":
        return b""
    with open(file_of(t, vector), "rb") as file:
        file.seek(vector.get("offset", 0))
        size = struct.unpack(">I", file.read(4))[0]
        return file.read(size)


def z85(content):
    """Z85 of bytes, filled up with zeros to a multiple of four."""
    content += b"\0" * (-len(content) % 4)
    words = struct.unpack(f">{len(content) // 4}I", content)
    return "".join("".join(Z85[word // 85**power % 85] for power in (4, 3, 2, 1, 0)) for word in words)


@table("spark")
def dv_inline(t):
    created(t, 1000, files=2)
    t.sql("DELETE FROM {t} WHERE id IN (1, 5, 700)")

    def inline(vector, bitmap):
        vector.update(storageType="i", pathOrInlineDv=z85(bitmap))
        vector.pop("offset", None)

    rewritten(t, inline)
    t.forget()
    t.checkpoint()


@table("spark")
def dv_inline_large(t):
    created(t, 200_000)
    t.sql("DELETE FROM {t} WHERE id % 3 = 0")
    rewritten(t, lambda vector, bitmap: (vector.update(storageType="i", pathOrInlineDv=z85(bitmap)), vector.pop("offset", None)))


@table("spark")
def dv_absolute(t):
    """Refused or read: the path is of the machine that made it."""
    created(t, 1000)
    t.sql("DELETE FROM {t} WHERE id IN (1, 5, 700)")
    rewritten(t, lambda vector, _: vector.update(storageType="p", pathOrInlineDv="file://" + file_of(t, vector)))


@table("spark")
def dv_file_missing(t):
    created(t, 1000)
    t.sql("DELETE FROM {t} WHERE id IN (1, 5, 700)")
    for path in glob.glob(os.path.join(t.path, "*.bin")):
        os.remove(path)
    return "refused"


@table("spark")
def dv_file_corrupt(t):
    created(t, 1000)
    t.sql("DELETE FROM {t} WHERE id IN (1, 5, 700)")
    for path in glob.glob(os.path.join(t.path, "*.bin")):
        with open(path, "r+b") as file:
            file.seek(20)
            file.write(b"\xff\xff\xff\xff\xff\xff")
    return "refused"


@table("spark")
def dv_file_short(t):
    created(t, 1000)
    t.sql("DELETE FROM {t} WHERE id IN (1, 5, 700)")
    for path in glob.glob(os.path.join(t.path, "*.bin")):
        os.truncate(path, 12)
    return "refused"
