"""Every type, at its edges, as Spark writes it."""

from tables import table

EDGES = """
SELECT * FROM VALUES
 (1, CAST(-128 AS BYTE), CAST(-32768 AS SHORT), -2147483648, -9223372036854775808L, CAST('-Infinity' AS FLOAT), CAST('-Infinity' AS DOUBLE), false,
  DATE'0001-01-01', TIMESTAMP'0001-01-01 00:00:00Z', TIMESTAMP_NTZ'0001-01-01 00:00:00', '', X'', -9.9BD, -99999999999999999999.999999999999999999BD),
 (2, CAST(127 AS BYTE), CAST(32767 AS SHORT), 2147483647, 9223372036854775807L, CAST('Infinity' AS FLOAT), CAST('Infinity' AS DOUBLE), true,
  DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999Z', TIMESTAMP_NTZ'9999-12-31 23:59:59.999999', 'ünï😀\\n''"', X'00FF', 9.9BD, 99999999999999999999.999999999999999999BD),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, CAST(0 AS BYTE), CAST(0 AS SHORT), 0, 0L, CAST('NaN' AS FLOAT), CAST('NaN' AS DOUBLE), true,
  DATE'1582-10-15', TIMESTAMP'1969-12-31 23:59:59.999999Z', TIMESTAMP_NTZ'1969-12-31 23:59:59.999999', 'a\\u0000b', X'00', 0.0BD, 0.000000000000000001BD),
 (5, CAST(-1 AS BYTE), CAST(-1 AS SHORT), -1, -1L, CAST('-0.0' AS FLOAT), CAST('-0.0' AS DOUBLE), false,
  DATE'1969-12-31', TIMESTAMP'1582-10-15 00:00:00.000001Z', TIMESTAMP_NTZ'2400-02-29 12:00:00.5', ' trailing ', X'DEADBEEF', -0.1BD, -0.000000000000000001BD)
 AS t(id, b, s, i, l, f, d, bo, da, ts, tn, st, bi, d2, d38)
"""

NESTED = """
SELECT 1 AS id, array(1, NULL, 3) AS a, map('x', 1, 'y', NULL) AS m, named_struct('p', 1, 'q', named_struct('r', 'deep')) AS s,
  array(named_struct('k', 1L, 'v', array('a', NULL))) AS ls, map('k', array(named_struct('z', CAST(1.5 AS FLOAT)))) AS mls, map(named_struct('a', 1), 'v') AS ms,
  array(map(1, DATE'2020-01-01')) AS am, array(array(1), array(), NULL) AS aa
UNION ALL SELECT 2, array(), map(), named_struct('p', NULL, 'q', NULL), array(), map(), map(), array(), array()
UNION ALL SELECT 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL SELECT 4, array(NULL), map('', 0), named_struct('p', 1, 'q', named_struct('r', NULL)), array(NULL, named_struct('k', NULL, 'v', NULL)),
  map('n', NULL, 'e', array(), 'f', array(NULL)), map(named_struct('a', NULL), NULL), array(NULL, map()), array(array(NULL))
"""


@table("spark")
def types_edges(t):
    t.write(t.spark.sql(EDGES).coalesce(1))
    t.checkpoint()


@table("spark")
def types_edges_one_row_each_file(t):
    t.write(t.spark.sql(EDGES).repartition(5, "id"), maxRecordsPerFile=1)


@table("spark")
def types_int96(t):
    with t.conf(spark__sql__parquet__outputTimestampType="INT96", spark__sql__parquet__int96RebaseModeInWrite="CORRECTED"):
        t.write(t.spark.sql(EDGES).coalesce(1))


@table("spark")
def types_timestamp_millis(t):
    with t.conf(spark__sql__parquet__outputTimestampType="TIMESTAMP_MILLIS"):
        t.write(t.spark.sql("SELECT 1 AS id, TIMESTAMP'2020-01-01 00:00:00.123Z' AS ts UNION ALL SELECT 2, TIMESTAMP'1960-01-01 00:00:00.001Z'"))


@table("spark")
def types_legacy_parquet(t):
    with t.conf(spark__sql__parquet__writeLegacyFormat="true"):
        t.write(t.spark.sql(EDGES).coalesce(1))
        t.write(t.spark.sql("SELECT 9 AS id, CAST(1.5 AS DECIMAL(2,1)) AS d2"), mergeSchema="true")


@table("spark")
def types_nested(t):
    t.write(t.spark.sql(NESTED).coalesce(1))


@table("spark")
def types_nested_legacy_parquet(t):
    with t.conf(spark__sql__parquet__writeLegacyFormat="true"):
        t.write(t.spark.sql(NESTED).coalesce(1))


@table("spark")
def types_codecs(t):
    for i, codec in enumerate(["uncompressed", "gzip", "zstd", "lz4_raw", "snappy"]):
        with t.conf(spark__sql__parquet__compression__codec=codec):
            t.write(t.spark.sql(f"SELECT CAST(id + {i}000 AS INT) AS id, '{codec}' AS codec FROM range(100)"))


@table("spark")
def types_parquet_v2_pages(t):
    t.spark.sparkContext._jsc.hadoopConfiguration().set("parquet.writer.version", "v2")
    try:
        t.write(t.spark.sql("SELECT id, id % 7 AS m, CAST(id AS STRING) AS s, CAST(id AS DECIMAL(20,2)) AS d, id % 2 = 0 AS b, array(id, id + 1) AS a FROM range(10000)").coalesce(1))
        t.write(t.spark.sql(EDGES.replace("(1,", "(100001L,").replace("id, b, s", "id, x, y")).selectExpr("CAST(id AS LONG) AS id", "ts").coalesce(1), mergeSchema="true")
    finally:
        t.spark.sparkContext._jsc.hadoopConfiguration().set("parquet.writer.version", "v1")


@table("spark")
def types_char_varchar(t):
    t.sql(
        "CREATE TABLE {t} (id INT, c CHAR(5), v VARCHAR(5), n STRUCT<c: CHAR(3)>) USING delta",
        "INSERT INTO {t} VALUES (1, 'ab', 'ab', named_struct('c', 'x')), (2, NULL, '', NULL)",
    )


@table("spark")
def types_char_partition(t):
    t.sql("CREATE TABLE {t} (id INT, c CHAR(5)) USING delta PARTITIONED BY (c)", "INSERT INTO {t} VALUES (1, 'ab'), (2, NULL)")


@table("spark")
def types_void(t):
    t.sql("CREATE TABLE {t} (id INT, v VOID) USING delta", "INSERT INTO {t} (id) VALUES (1), (2)")
    return "count"


@table("spark")
def types_void_nested(t):
    t.sql("CREATE TABLE {t} (id INT, s STRUCT<a: INT, v: VOID>) USING delta")
    return "count"


@table("spark")
def types_interval(t):
    with t.conf(spark__databricks__delta__schema__typeCheck__enabled="false"):
        t.sql("CREATE TABLE {t} (id INT, y INTERVAL YEAR TO MONTH, d INTERVAL DAY TO SECOND) USING delta")
    t.sql("INSERT INTO {t} VALUES (1, INTERVAL '1-2' YEAR TO MONTH, INTERVAL '1 2:3:4.5' DAY TO SECOND)")


@table("spark")
def types_time(t):
    t.sql("CREATE TABLE {t} (id INT, x TIME) USING delta", "INSERT INTO {t} VALUES (1, TIME'12:34:56.123456')")


@table("spark")
def types_variant(t):
    t.sql(
        "CREATE TABLE {t} (id INT, v VARIANT, a ARRAY<VARIANT>, s STRUCT<v: VARIANT>, m MAP<STRING, VARIANT>) USING delta",
        """INSERT INTO {t} SELECT 1, parse_json('{"a": [1, 2.5, "x", null, true], "b": {"c": "d"}}'), array(parse_json('1'), NULL), named_struct('v', parse_json('"s"')), map('k', parse_json('{}'))
           UNION ALL SELECT 2, NULL, NULL, NULL, NULL UNION ALL SELECT 3, parse_json('null'), array(), named_struct('v', NULL), map()
           UNION ALL SELECT 4, to_variant_object(named_struct('d', DATE'2020-01-01', 't', TIMESTAMP'2020-01-01 00:00:00.5Z', 'n', 1.25BD, 'b', X'00')), NULL, NULL, NULL""",
    )


@table("spark")
def types_variant_count_only(t):
    types_variant(t)
    return "count"


SHREDDED = {"spark__sql__variant__writeShredding__enabled": "true", "spark__sql__variant__inferShreddingSchema": "true", "spark__sql__variant__shredding__enabled": "true"}
SHREDDING = "TBLPROPERTIES ('delta.enableVariantShredding' = 'true')"


@table("spark")
def types_variant_shredded(t):
    with t.conf(**SHREDDED):
        t.sql("CREATE TABLE {t} (id LONG, v VARIANT) USING delta " + SHREDDING)
        t.sql("""INSERT INTO {t} SELECT id, parse_json('{"a": ' || id || ', "b": "x' || id || '"}') FROM range(100)""")


def shredded_as(schema, *values):
    """Every value is written into columns of the same schema, whether it fits them or not."""

    def make(t):
        with t.conf(**SHREDDED, spark__sql__variant__forceShreddingSchemaForTest=schema):
            t.sql("CREATE TABLE {t} (id INT, v VARIANT) USING delta " + SHREDDING)
            t.sql("INSERT INTO {t} " + " UNION ALL ".join(f"SELECT {i}, {value}" for i, value in enumerate(values)))

    return make


MIXED = ["NULL", "parse_json('null')", "parse_json('{}')", "parse_json('[]')", "parse_json('1')", "parse_json('\"text\"')", "parse_json('true')", "parse_json('1.25')", "parse_json('1e300')", "parse_json('123456789012345678901234567890')",
         """parse_json('{"a": 1, "b": "x", "c": {"d": [1, 2], "e": null}, "z": "more"}')""", """parse_json('{"a": "no number", "b": 7, "c": "no object"}')""", """parse_json('{"a": null, "c": {"d": [], "f": 1}}')""",
         """parse_json('{"c": {"d": ["x", null, 3, [4]]}}')""", """parse_json('{"a": 9999999999, "ü": "é", "": 1}')""", """parse_json('[1, "x", {"a": 1}, [2], null]')""",
         "to_variant_object(named_struct('a', 1, 'b', DATE'2020-01-01', 'c', TIMESTAMP'1900-01-01 00:00:00.000001Z'))", "to_variant_object(array(named_struct('d', 1.50BD), NULL))", "CAST(X'00FF' AS VARIANT)", "CAST(TIMESTAMP_NTZ'2020-01-01 00:00:00' AS VARIANT)", "CAST(1.5F AS VARIANT)", "CAST(-128Y AS VARIANT)"]


@table("spark")
def types_variant_shredded_mixed(t):
    shredded_as("a INT, b STRING, c STRUCT<d: ARRAY<INT>, e: STRING>", *MIXED)(t)


@table("spark")
def types_variant_shredded_types(t):
    kinds = {"l": "LONG", "d": "DECIMAL(18,4)", "f": "DOUBLE", "dt": "DATE", "ts": "TIMESTAMP", "tn": "TIMESTAMP_NTZ", "bi": "BINARY", "bo": "BOOLEAN", "s": "STRING", "y": "BYTE"}
    full = "to_variant_object(named_struct('l', 9007199254740993L, 'd', 12.5000BD, 'f', -0.5D, 'dt', DATE'0001-01-01', 'ts', TIMESTAMP'9999-12-31 23:59:59.999999Z', 'tn', TIMESTAMP_NTZ'1969-12-31 23:59:59.9', 'bi', X'00FF', 'bo', false, 's', 'ü', 'y', 1Y))"
    other = "to_variant_object(named_struct('l', 'x', 'd', 1.5D, 'f', 'NaN', 'dt', 1, 'ts', DATE'2020-01-01', 'tn', CAST(NULL AS INT), 'bi', 's', 'bo', 1, 's', array(1), 'y', 1000))"
    shredded_as(", ".join(f"{name} {kind}" for name, kind in kinds.items()), full, other, "NULL", "parse_json('{}')")(t)


@table("spark")
def types_variant_shredded_nested(t):
    """Inside structs, arrays and maps, beside columns that are not."""
    with t.conf(**SHREDDED):
        t.sql("CREATE TABLE {t} (id LONG, s STRUCT<v: VARIANT, n: INT>, a ARRAY<VARIANT>, m MAP<STRING, VARIANT>, p STRING) USING delta PARTITIONED BY (p) " + SHREDDING)
        t.sql("""INSERT INTO {t} SELECT id, named_struct('v', parse_json('{"k": ' || id || '}'), 'n', CAST(id AS INT)), array(parse_json('{"q": "' || id || '"}'), NULL), map('m', parse_json('[' || id || ']')), 'p' || id % 2 FROM range(50)""",
              "DELETE FROM {t} WHERE id = 7")


@table("spark")
def types_empty_table(t):
    t.sql("CREATE TABLE {t} (id INT, s STRUCT<a: ARRAY<STRING>>, p DATE) USING delta PARTITIONED BY (p)")


@table("spark")
def types_no_columns(t):
    with t.conf(spark__databricks__delta__allowArbitraryProperties__enabled="true"):
        t.sql("CREATE TABLE {t} USING delta")
    return "refused"


@table("spark")
def types_empty_files(t):
    t.write(t.spark.sql("SELECT CAST(1 AS INT) AS id, 'x' AS s WHERE false"))
    t.write(t.spark.sql("SELECT CAST(1 AS INT) AS id, 'x' AS s"))


@table("spark")
def types_not_null(t):
    t.sql("CREATE TABLE {t} (id INT NOT NULL, s STRUCT<a: INT NOT NULL, b: STRING> NOT NULL) USING delta")
    t.sql("INSERT INTO {t} VALUES (1, named_struct('a', 1, 'b', NULL))")


@table("spark")
def types_names(t):
    t.sql(
        "CREATE TABLE {t} (`sélect` INT, `a.b` STRUCT<`c.d`: INT, `x``y`: STRING>, `from` STRING, `Group` INT, `1st` INT, `file_row_number` INT, `filename` STRING, `rowid` INT) USING delta",
        "INSERT INTO {t} VALUES (1, named_struct('c.d', 2, 'x`y', 'z'), 'f', 3, 4, 5, 'n', 6)",
    )


@table("spark")
def types_quoted_names(t):
    t.sql(
        """CREATE TABLE {t} (`a"b` INT, `it's` STRING, `back\\slash` INT, `p"q'r` STRING) USING delta PARTITIONED BY (`p"q'r`)""",
        "INSERT INTO {t} VALUES (1, 'x', 2, 'p''\"')",
    )


@table("spark")
def types_wide(t):
    t.write(t.spark.sql("SELECT " + ", ".join(f"CAST(id + {i} AS INT) AS c{i}" for i in range(400)) + " FROM range(50)"))


@table("spark")
def types_large_strings(t):
    t.write(t.spark.sql("SELECT id, repeat('ä' || id, 200000) AS s FROM range(4)"))
