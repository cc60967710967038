"""Column mapping by name and by id, with columns renamed, dropped and added again, as Spark does it."""

from tables import table

COLUMNS = "id INT, a STRING, s STRUCT<x: INT, y: STRUCT<z: STRING, w: INT>>, l ARRAY<STRUCT<k: INT, v: STRING>>, m MAP<STRING, STRUCT<q: INT, r: INT>>, p STRING"
ROW = "({i}, 'a{i}', named_struct('x', {i}, 'y', named_struct('z', 'z{i}', 'w', {i})), array(named_struct('k', {i}, 'v', 'v{i}')), map('k{i}', named_struct('q', {i}, 'r', -{i})), 'p {i}')"


def created(t, mode, rows=3, partition="p", more=""):
    t.sql(f"CREATE TABLE {{t}} ({COLUMNS}) USING delta PARTITIONED BY ({partition}) TBLPROPERTIES ('delta.columnMapping.mode' = '{mode}'{more})")
    insert(t, range(rows))


def insert(t, ids):
    t.sql("INSERT INTO {t} VALUES " + ", ".join(ROW.format(i=i) for i in ids))


def changed(t):
    t.sql(
        "ALTER TABLE {t} RENAME COLUMN a TO renamed",
        "ALTER TABLE {t} RENAME COLUMN s.y.z TO `z.new`",
        "ALTER TABLE {t} RENAME COLUMN l.element.v TO vv",
        "ALTER TABLE {t} RENAME COLUMN m.value.q TO qq",
        "ALTER TABLE {t} DROP COLUMN s.x",
        "ALTER TABLE {t} DROP COLUMN m.value.r",
        "ALTER TABLE {t} ADD COLUMN (a INT, s.x STRING)",
        "ALTER TABLE {t} ADD COLUMN (m.value.r STRING)",
        "ALTER TABLE {t} RENAME COLUMN p TO `part, ;{{}}()=`".replace("{{", "{").replace("}}", "}"),
    )
    row = "(9, 'nine', named_struct('y', named_struct('z.new', 'z9', 'w', 9), 'x', 'x9'), array(named_struct('k', 9, 'vv', 'v9')), map('k9', named_struct('qq', 9, 'r', 'r9')), 'p 9', 99)"
    t.sql(f"INSERT INTO {{t}} VALUES {row}")


@table("spark")
def mapping_name(t):
    created(t, "name")


@table("spark")
def mapping_id(t):
    created(t, "id")


@table("spark")
def mapping_name_changed(t):
    created(t, "name")
    changed(t)


@table("spark")
def mapping_id_changed(t):
    created(t, "id")
    changed(t)


@table("spark")
def mapping_name_changed_checkpoint(t):
    mapping_name_changed(t)
    t.checkpoint()


@table("spark")
def mapping_id_changed_checkpoint_v2(t):
    created(t, "id", more=", 'delta.checkpointPolicy' = 'v2', 'delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false'")
    changed(t)
    t.checkpoint()


@table("spark")
def mapping_upgraded(t):
    t.sql(f"CREATE TABLE {{t}} ({COLUMNS}) USING delta PARTITIONED BY (p)")
    insert(t, range(3))
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')")
    insert(t, range(3, 5))
    changed(t)


@table("spark")
def mapping_names_swapped(t):
    t.sql("CREATE TABLE {t} (a INT, b INT) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", "INSERT INTO {t} VALUES (1, 2)")
    t.sql("ALTER TABLE {t} RENAME COLUMN a TO c", "ALTER TABLE {t} RENAME COLUMN b TO a", "ALTER TABLE {t} RENAME COLUMN c TO b")
    t.sql("INSERT INTO {t} VALUES (3, 4)")


@table("spark")
def mapping_upgraded_names_swapped(t):
    t.sql("CREATE TABLE {t} (a INT, b INT) USING delta", "INSERT INTO {t} VALUES (1, 2)")
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')")
    t.sql("ALTER TABLE {t} RENAME COLUMN a TO c", "ALTER TABLE {t} RENAME COLUMN b TO a", "ALTER TABLE {t} RENAME COLUMN c TO b")
    t.sql("INSERT INTO {t} VALUES (3, 4)")


@table("spark")
def mapping_upgraded_struct_swapped(t):
    t.sql("CREATE TABLE {t} (id INT, s STRUCT<a: INT, b: INT>) USING delta", "INSERT INTO {t} VALUES (1, named_struct('a', 1, 'b', 2))")
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')")
    t.sql("ALTER TABLE {t} RENAME COLUMN s.a TO c", "ALTER TABLE {t} RENAME COLUMN s.b TO a", "ALTER TABLE {t} RENAME COLUMN s.c TO b")
    t.sql("INSERT INTO {t} VALUES (2, named_struct('b', 3, 'a', 4))", "INSERT INTO {t} VALUES (3, NULL)")


@table("spark")
def mapping_dropped_again_and_again(t):
    for mode in ["name"]:
        t.sql("CREATE TABLE {t} (id INT, x INT) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", "INSERT INTO {t} VALUES (1, 1)")
        t.sql("ALTER TABLE {t} DROP COLUMN x", "INSERT INTO {t} VALUES (2)", "ALTER TABLE {t} ADD COLUMN (x STRING)", "INSERT INTO {t} VALUES (3, 'x')")
        t.sql("ALTER TABLE {t} DROP COLUMN x", "ALTER TABLE {t} ADD COLUMN (x DOUBLE)", "INSERT INTO {t} VALUES (4, 0.5)")


@table("spark")
def mapping_removed(t):
    created(t, "name")
    t.sql("ALTER TABLE {t} RENAME COLUMN a TO b", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')")


@table("spark")
def mapping_special_names(t):
    names = ["a b", "c,d", "e;f", "{g}", "(h)", "i=j", "k\nl", "m\tn", "ö😀", "x.y", "it's", 'q"q', "per%20cent", "a/b", "*", "back\\slash"]
    columns = ", ".join(f"`{name}` INT" for name in names)
    fields = ", ".join(f"`{name}`: INT" for name in names)
    t.sql(f"CREATE TABLE {{t}} ({columns}, s STRUCT<{fields}>) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')".replace("{g}", "<g>"))
    numbers = ", ".join(str(i) for i in range(len(names)))
    t.sql(f"INSERT INTO {{t}} SELECT {numbers}, struct({numbers})", f"INSERT INTO {{t}} ({'`a b`'}) VALUES (7)")


@table("spark")
def mapping_deletion_vectors(t):
    created(t, "name", rows=20, more=", 'delta.enableDeletionVectors' = 'true'")
    t.sql("OPTIMIZE {t}", "DELETE FROM {t} WHERE id % 3 = 0")
    changed(t)
    t.sql("DELETE FROM {t} WHERE renamed = 'a4'", "UPDATE {t} SET renamed = 'updated' WHERE id = 5")


@table("spark")
def mapping_id_deletion_vectors(t):
    t.sql("CREATE TABLE {t} (id LONG, a STRING) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'id', 'delta.enableDeletionVectors' = 'true')")
    t.sql("INSERT INTO {t} SELECT /*+ COALESCE(1) */ id, 'a' || id FROM range(1000)", "DELETE FROM {t} WHERE id % 5 = 0")
    t.sql("ALTER TABLE {t} RENAME COLUMN a TO id2", "ALTER TABLE {t} RENAME COLUMN id TO a", "ALTER TABLE {t} RENAME COLUMN id2 TO id")


@table("spark")
def mapping_added_nested(t):
    t.sql("CREATE TABLE {t} (id INT, s STRUCT<a: INT>, l ARRAY<STRUCT<a: INT>>, m MAP<STRUCT<k: INT>, STRUCT<a: INT>>) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    t.sql("INSERT INTO {t} VALUES (1, named_struct('a', 1), array(named_struct('a', 1), NULL), map(named_struct('k', 1), named_struct('a', 1))), (2, NULL, NULL, NULL)")
    t.sql("ALTER TABLE {t} ADD COLUMN (s.b STRUCT<c: INT, d: ARRAY<INT>>)", "ALTER TABLE {t} ADD COLUMN (l.element.b STRING FIRST)", "ALTER TABLE {t} ADD COLUMN (m.value.b INT)")
    t.sql("INSERT INTO {t} VALUES (3, named_struct('a', 1, 'b', named_struct('c', 1, 'd', array(1))), array(named_struct('b', 'b', 'a', 1)), map(named_struct('k', 2), named_struct('a', 1, 'b', 2)))")


@table("spark")
def mapping_iceberg_compat(t):
    t.sql(f"CREATE TABLE {{t}} (id INT, l ARRAY<INT>, m MAP<STRING, INT>) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableIcebergCompatV2' = 'true')")
    t.sql("INSERT INTO {t} VALUES (1, array(1, 2), map('a', 1))", "ALTER TABLE {t} RENAME COLUMN l TO ll")


@table("spark")
def mapping_partition_renamed_away(t):
    t.sql("CREATE TABLE {t} (id INT, p INT, q INT) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'id')", "INSERT INTO {t} VALUES (1, 10, 100), (2, NULL, NULL)")
    t.sql("ALTER TABLE {t} RENAME COLUMN p TO x", "ALTER TABLE {t} RENAME COLUMN q TO p", "ALTER TABLE {t} RENAME COLUMN x TO q", "INSERT INTO {t} VALUES (3, 30, 300)")
