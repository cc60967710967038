"""Partition values of every type and their encodings, as Spark writes them."""

from tables import table

STRINGS = ["plain", "a b", "a%b", "a%20b", "a/b", "ü/😀", "it's", 'q"q', "", None, "a=b", "x:y", "#?&+", "back\\slash", " lead", "trail ", "new\nline",
           "__HIVE_DEFAULT_PARTITION__", "null", "NULL", "[x]", "{y}", "*.parquet", "~", "a,b", "%", "true", "01", "1e3", "2020-01-01", "tab\t"]


def partitioned(t, values, type):
    cast = lambda value: "NULL" if value is None else f"CAST({value} AS {type})"
    selects = [f"SELECT {i} AS id, {cast(value)} AS p" for i, value in enumerate(values)]
    t.write(t.spark.sql(" UNION ALL ".join(selects)), partitionBy="p")


@table("spark")
def partition_string(t):
    frame = t.spark.createDataFrame([(i, value) for i, value in enumerate(STRINGS)], "id INT, p STRING")
    t.write(frame, partitionBy="p")


@table("spark")
def partition_string_checkpoint(t):
    partition_string(t)
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false')")
    t.checkpoint()


@table("spark")
def partition_string_mapped(t):
    t.sql("CREATE TABLE {t} (id INT, `p ü%/=` STRING) USING delta PARTITIONED BY (`p ü%/=`) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    frame = t.spark.createDataFrame([(i, value) for i, value in enumerate(STRINGS)], "id INT, `p ü%/=` STRING")
    frame.write.format("delta").mode("append").save(t.path)


@table("spark")
def partition_integers(t):
    rows = "SELECT * FROM VALUES (1, CAST(-128 AS BYTE), CAST(-32768 AS SHORT), -2147483648, -9223372036854775808L), (2, CAST(127 AS BYTE), CAST(32767 AS SHORT), 2147483647, 9223372036854775807L), (3, NULL, NULL, NULL, NULL), (4, CAST(0 AS BYTE), CAST(0 AS SHORT), 0, 0L) AS t(id, b, s, i, l)"
    t.write(t.spark.sql(rows), partitionBy="b,s,i,l")


@table("spark")
def partition_boolean(t):
    partitioned(t, ["true", "false", None], "BOOLEAN")


@table("spark")
def partition_float(t):
    partitioned(t, ["1.5", "-0.1", "'NaN'", "'Infinity'", "'-Infinity'", "1e30", "1e-30", None, "3.4028235e38", "16777217"], "FLOAT")


@table("spark")
def partition_double(t):
    partitioned(t, ["1.5", "-0.1", "'NaN'", "'Infinity'", "'-Infinity'", "1e300", "1e-300", None, "1.7976931348623157e308", "4.9e-324", "0.1"], "DOUBLE")


@table("spark")
def partition_decimal(t):
    partitioned(t, ["-1.50", "0.00", "12345678.99", None, "-0.01"], "DECIMAL(10,2)")


@table("spark")
def partition_decimal_large(t):
    partitioned(t, ["-99999999999999999999.999999999999999999BD", "0.000000000000000001BD", None], "DECIMAL(38,18)")


@table("spark")
def partition_date(t):
    partitioned(t, ["'0001-01-01'", "'1582-10-15'", "'1969-12-31'", "'9999-12-31'", None], "DATE")


TIMES = ["'0001-01-01 00:00:00Z'", "'1969-12-31 23:59:59.999999Z'", "'2020-01-01 00:00:00Z'", "'2020-01-01 12:34:56.1Z'", "'2020-01-01 12:34:56.123456Z'", "'9999-12-31 23:59:59.999999Z'", None]


@table("spark")
def partition_timestamp(t):
    partitioned(t, TIMES, "TIMESTAMP")


@table("spark")
def partition_timestamp_local(t):
    with t.conf(spark__databricks__delta__write__utcTimestampPartitionValues="false"):
        partitioned(t, TIMES, "TIMESTAMP")


@table("spark")
def partition_timestamp_other_zone(t):
    with t.conf(spark__sql__session__timeZone="America/New_York"):
        partitioned(t, TIMES, "TIMESTAMP")


@table("spark")
def partition_timestamp_ntz(t):
    partitioned(t, [value and value.replace("Z", "") for value in TIMES], "TIMESTAMP_NTZ")


@table("spark")
def partition_binary(t):
    partitioned(t, ["X'61'", "X'C3BC'", "X''", None], "BINARY")


@table("spark")
def partition_binary_raw(t):
    partitioned(t, ["X'00FF'", "X'DEADBEEF'"], "BINARY")


@table("spark")
def partition_many_files_mixed(t):
    t.write(t.spark.sql("SELECT id, CAST(id % 50 AS INT) AS p, CASE WHEN id % 7 = 0 THEN NULL ELSE concat('v ', id % 3) END AS q FROM range(5000)"), partitionBy="p,q")


@table("spark")
def partition_in_the_middle(t):
    t.sql("CREATE TABLE {t} (a INT, p INT, b STRING, q STRING, c DOUBLE) USING delta PARTITIONED BY (q, p)")
    t.sql("INSERT INTO {t} VALUES (1, 2, 'b', 'q', 1.5), (NULL, NULL, NULL, NULL, NULL)")


@table("spark")
def partition_all_but_one(t):
    t.sql("CREATE TABLE {t} (p INT, q INT, a INT) USING delta PARTITIONED BY (p, q)", "INSERT INTO {t} VALUES (1, 2, 3), (1, 3, 4)")


@table("spark")
def partition_case(t):
    t.sql("CREATE TABLE {t} (Id INT, PartCol STRING) USING delta PARTITIONED BY (PartCol)", "INSERT INTO {t} (id, partcol) VALUES (1, 'A'), (2, 'a')")
    t.write(t.spark.sql("SELECT 3 AS ID, 'b' AS PARTCOL"))


@table("spark")
def partition_column_also_in_files(t):
    t.spark.sql("SELECT id, CAST(id % 3 AS INT) AS p FROM range(9)").write.partitionBy("p").parquet(t.path)
    t.spark.sql(f"CONVERT TO DELTA parquet.`{t.path}` PARTITIONED BY (p INT)")


@table("spark")
def partition_materialized(t):
    t.sql("CREATE TABLE {t} (id INT, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.feature.materializePartitionColumns' = 'supported')")
    t.sql("INSERT INTO {t} VALUES (1, 'x y'), (2, NULL)")


@table("spark")
def partition_replaced(t):
    t.write(t.spark.sql("SELECT id, CAST(id % 3 AS INT) AS p FROM range(9)"), partitionBy="p")
    t.write(t.spark.sql("SELECT CAST(id AS STRING) AS id, CAST(id % 3 AS STRING) AS p, 'x' AS q FROM range(4)"), mode="overwrite", overwriteSchema="true", partitionBy="q")


@table("spark")
def partition_random_prefixes(t):
    t.sql("CREATE TABLE {t} (id INT, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.randomizeFilePrefixes' = 'true')")
    t.sql("INSERT INTO {t} VALUES (1, 'x y'), (2, NULL)")
