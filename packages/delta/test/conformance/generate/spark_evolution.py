"""Schemas that changed: columns added and widened, tables replaced and restored."""

from tables import table

WIDENING = "TBLPROPERTIES ('delta.enableTypeWidening' = 'true'{more})"
LOCAL_TIMES = ", 'delta.feature.timestampNtz' = 'supported'"


@table("spark")
def evolution_columns_added(t):
    t.write(t.spark.sql("SELECT 1 AS id"))
    t.write(t.spark.sql("SELECT 2 AS id, 'x' AS s, array(1) AS l, named_struct('a', 1) AS st, map('k', 1) AS m, DATE'2020-01-01' AS d, TIMESTAMP'2020-01-01 00:00:00Z' AS ts"), mergeSchema="true")
    t.write(t.spark.sql("SELECT 3 AS id, 1.5BD AS n"), mergeSchema="true")


@table("spark")
def evolution_nested_added(t):
    t.write(t.spark.sql("SELECT 1 AS id, named_struct('a', 1) AS s, array(named_struct('a', 1), NULL) AS l, map('k', named_struct('a', 1)) AS m, array(array(named_struct('a', 1))) AS ll"))
    t.write(t.spark.sql("SELECT 2 AS id, NULL AS s, NULL AS l, NULL AS m, NULL AS ll").selectExpr("id", "CAST(s AS STRUCT<a: INT>) AS s"))
    t.write(t.spark.sql("""SELECT 3 AS id, named_struct('a', 1, 'b', named_struct('c', 'x', 'd', array(1L))) AS s, array(named_struct('a', 1, 'b', 2)) AS l,
      map('k', named_struct('a', 1, 'b', 'y')) AS m, array(array(named_struct('a', 1, 'b', 0.5BD))) AS ll"""), mergeSchema="true")
    t.write(t.spark.sql("SELECT 4 AS id, named_struct('b', named_struct('e', 1, 'c', 'z')) AS s"), mergeSchema="true")


@table("spark")
def evolution_only_old_files(t):
    t.write(t.spark.sql("SELECT 1 AS id, named_struct('a', 1) AS s"))
    t.sql("ALTER TABLE {t} ADD COLUMNS (x INT, s.b STRING)")


@table("spark")
def evolution_old_files_lack_every_column(t):
    t.sql("CREATE TABLE {t} (a INT, p INT) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", "INSERT INTO {t} VALUES (1, 1), (2, 2)")
    t.sql("ALTER TABLE {t} ADD COLUMN (b STRING)", "ALTER TABLE {t} DROP COLUMN a", "INSERT INTO {t} VALUES (3, 'x')")


@table("spark")
def evolution_old_files_lack_every_column_unpartitioned(t):
    t.sql("CREATE TABLE {t} (a INT) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true')", "INSERT INTO {t} SELECT /*+ COALESCE(1) */ CAST(id AS INT) FROM range(10)")
    t.sql("DELETE FROM {t} WHERE a = 3", "ALTER TABLE {t} ADD COLUMN (b STRING)", "ALTER TABLE {t} DROP COLUMN a", "INSERT INTO {t} VALUES ('x')")


@table("spark")
def evolution_reordered(t):
    t.sql("CREATE TABLE {t} (a INT, b STRING, s STRUCT<x: INT, y: INT>) USING delta", "INSERT INTO {t} VALUES (1, 'b', named_struct('x', 1, 'y', 2))")
    t.sql("ALTER TABLE {t} ALTER COLUMN b FIRST", "ALTER TABLE {t} ALTER COLUMN s.y FIRST", "ALTER TABLE {t} ADD COLUMN (c INT AFTER b)", "INSERT INTO {t} VALUES ('bb', 3, 2, named_struct('y', 20, 'x', 10))")


@table("spark")
def evolution_case_differs(t):
    t.write(t.spark.sql("SELECT 1 AS Id, 'x' AS NAME, named_struct('Ab', 1) AS S"))
    t.write(t.spark.sql("SELECT 2 AS iD, 'y' AS name, named_struct('aB', 2) AS s"))


@table("spark")
def evolution_files_in_other_case(t):
    """Files of a converted folder whose columns differ in case from the schema."""
    t.spark.sql("SELECT 1 AS id, 'x' AS name").write.parquet(t.path)
    t.spark.sql(f"CONVERT TO DELTA parquet.`{t.path}`")
    t.sql("INSERT INTO {t} VALUES (2, 'y')")


@table("spark")
def evolution_overwritten_schema(t):
    t.write(t.spark.sql("SELECT 1 AS id, 'x' AS s"))
    t.write(t.spark.sql("SELECT 'one' AS id, 2 AS s, 3 AS more"), mode="overwrite", overwriteSchema="true")
    t.write(t.spark.sql("SELECT 'two' AS id, 3 AS s, NULL AS more").selectExpr("id", "s"))


@table("spark")
def evolution_restored_schema(t):
    t.write(t.spark.sql("SELECT 1 AS id"))
    t.write(t.spark.sql("SELECT 2 AS id, 'x' AS s"), mergeSchema="true")
    t.sql("RESTORE TABLE {t} TO VERSION AS OF 0")


@table("spark")
def evolution_nullable_dropped(t):
    t.sql("CREATE TABLE {t} (id INT NOT NULL, s STRING) USING delta", "INSERT INTO {t} VALUES (1, 'x')", "ALTER TABLE {t} ALTER COLUMN id DROP NOT NULL", "INSERT INTO {t} VALUES (NULL, NULL)")


def widened(t, before, after, first, second, more="", partition=""):
    t.sql(f"CREATE TABLE {{t}} (id INT, x {before}) USING delta {partition} " + WIDENING.format(more=more))
    for i, value in enumerate(first):
        t.sql(f"INSERT INTO {{t}} VALUES ({i}, CAST({value} AS {before}))")
    for type in after.split(" -> "):
        t.sql(f"ALTER TABLE {{t}} ALTER COLUMN x TYPE {type}")
    for i, value in enumerate(second):
        t.sql(f"INSERT INTO {{t}} VALUES ({100 + i}, CAST({value} AS {type}))")


@table("spark")
def widening_byte_to_long(t):
    widened(t, "BYTE", "SHORT -> INT -> BIGINT", [-128, 127, "NULL"], [9223372036854775807])


@table("spark")
def widening_short_to_int(t):
    widened(t, "SHORT", "INT", [-32768, "NULL"], [2147483647])


@table("spark")
def widening_float_to_double(t):
    widened(t, "FLOAT", "DOUBLE", [0.1, "'NaN'", "'-0.0'", "NULL", "'Infinity'"], [0.1])


@table("spark")
def widening_int_to_double(t):
    widened(t, "INT", "DOUBLE", [2147483647, -1, "NULL"], [0.5])


@table("spark")
def widening_byte_to_double(t):
    widened(t, "BYTE", "DOUBLE", [-128, "NULL"], [0.5])


@table("spark")
def widening_int_to_decimal(t):
    widened(t, "INT", "DECIMAL(12,2)", [2147483647, -1, "NULL"], ["0.25"])


@table("spark")
def widening_long_to_decimal(t):
    widened(t, "BIGINT", "DECIMAL(38,18)", [9223372036854775807, -1, "NULL"], ["0.000000000000000001BD"])


@table("spark")
def widening_byte_to_decimal(t):
    widened(t, "BYTE", "DECIMAL(10,0)", [-128, "NULL"], ["9999999999"])


@table("spark")
def widening_decimal(t):
    widened(t, "DECIMAL(4,2)", "DECIMAL(10,4) -> DECIMAL(30,10)", ["12.34", "-0.01", "NULL"], ["12345678901234567890.0000000001BD"])


@table("spark")
def widening_decimal_precision(t):
    widened(t, "DECIMAL(9,2)", "DECIMAL(10,2) -> DECIMAL(19,2)", ["1234567.89", "NULL"], ["12345678901234567.89"])


@table("spark")
def widening_date_to_timestamp_ntz(t):
    widened(t, "DATE", "TIMESTAMP_NTZ", ["'2020-01-01'", "'0001-01-01'", "'9999-12-31'", "NULL"], ["'2020-01-01 00:00:00.000001'"], more=LOCAL_TIMES)


@table("spark")
def widening_partition(t):
    widened(t, "INT", "BIGINT", [1, "NULL"], [9223372036854775807], partition="PARTITIONED BY (x)")


@table("spark")
def widening_partition_date(t):
    widened(t, "DATE", "TIMESTAMP_NTZ", ["'2020-01-01'", "NULL"], ["'2020-01-01 00:00:00.000001'"], more=LOCAL_TIMES, partition="PARTITIONED BY (x)")


@table("spark")
def widening_partition_decimal(t):
    widened(t, "DECIMAL(4,2)", "DECIMAL(10,4)", ["1.5", "NULL"], ["1.5001"], partition="PARTITIONED BY (x)")


@table("spark")
def widening_partition_int_to_double(t):
    widened(t, "INT", "DOUBLE", ["1", "NULL"], ["1.5"], partition="PARTITIONED BY (x)")


@table("spark")
def widening_checkpoint(t):
    widened(t, "INT", "BIGINT", range(5), range(3), more=", 'delta.checkpointInterval' = '3', 'delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false'")


@table("spark")
def widening_nested(t):
    t.sql("CREATE TABLE {t} (id INT, s STRUCT<a: BYTE, b: STRUCT<c: FLOAT>>, l ARRAY<SHORT>, m MAP<INT, DECIMAL(4,2)>, ls ARRAY<STRUCT<d: DATE>>) USING delta " + WIDENING.format(more=LOCAL_TIMES))
    t.sql("INSERT INTO {t} VALUES (1, named_struct('a', 1Y, 'b', named_struct('c', CAST(0.1 AS FLOAT))), array(1S, NULL), map(1, 1.25), array(named_struct('d', DATE'2020-01-01'), NULL)), (2, NULL, NULL, NULL, NULL)")
    t.sql("ALTER TABLE {t} ALTER COLUMN s.a TYPE INT", "ALTER TABLE {t} ALTER COLUMN s.b.c TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN l.element TYPE INT", "ALTER TABLE {t} ALTER COLUMN m.key TYPE BIGINT",
          "ALTER TABLE {t} ALTER COLUMN m.value TYPE DECIMAL(12,4)", "ALTER TABLE {t} ALTER COLUMN ls.element.d TYPE TIMESTAMP_NTZ")
    t.sql("INSERT INTO {t} VALUES (3, named_struct('a', 2147483647, 'b', named_struct('c', 0.1D)), array(2147483647), map(9223372036854775807L, 1.2345), array(named_struct('d', TIMESTAMP_NTZ'2020-01-01 00:00:01')))")


@table("spark")
def widening_mapping_deletion_vectors(t):
    t.sql("CREATE TABLE {t} (id INT, x INT) USING delta " + WIDENING.format(more=", 'delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true'"))
    t.sql("INSERT INTO {t} SELECT /*+ COALESCE(1) */ CAST(id AS INT), CAST(id AS INT) FROM range(100)", "ALTER TABLE {t} RENAME COLUMN x TO y", "ALTER TABLE {t} ALTER COLUMN y TYPE BIGINT", "DELETE FROM {t} WHERE y % 3 = 0", "INSERT INTO {t} VALUES (1000, 10000000000)")


@table("spark")
def widening_merged(t):
    t.sql("CREATE TABLE {t} (id INT, x SHORT) USING delta " + WIDENING.format(more=""), "INSERT INTO {t} VALUES (1, 1S)")
    t.write(t.spark.sql("SELECT 2 AS id, 100000 AS x"), mergeSchema="true")
