"""Writer features and operations that readers must live with, as Spark writes them."""

import os

from tables import table


def properties(**values):
    return "TBLPROPERTIES (" + ", ".join(f"'delta.{name.replace('__', '.')}' = '{value}'" for name, value in values.items()) + ")"


def filled(t, clause, columns="id LONG, s STRING", rows="SELECT id, 's' || id FROM range(20)"):
    t.sql(f"CREATE TABLE {{t}} ({columns}) USING delta {clause}", f"INSERT INTO {{t}} {rows}")


@table("spark")
def feature_change_data_feed(t):
    filled(t, properties(enableChangeDataFeed="true"))
    t.sql("UPDATE {t} SET s = 'u' WHERE id < 3", "DELETE FROM {t} WHERE id = 5", "DELETE FROM {t} WHERE id > 10")


@table("spark")
def feature_change_data_feed_partitioned(t):
    filled(t, "PARTITIONED BY (s) " + properties(enableChangeDataFeed="true"))
    t.sql("UPDATE {t} SET s = 'u x' WHERE id < 3", "DELETE FROM {t} WHERE s = 's5'")


@table("spark")
def feature_in_commit_timestamps(t):
    filled(t, properties(enableInCommitTimestamps="true"))
    t.sql("DELETE FROM {t} WHERE id = 5")


@table("spark")
def feature_in_commit_timestamps_later(t):
    filled(t, "")
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')", "INSERT INTO {t} VALUES (100, 'x')")


@table("spark")
def feature_row_tracking(t):
    filled(t, properties(enableRowTracking="true", enableDeletionVectors="true"))
    t.sql("UPDATE {t} SET s = 'u' WHERE id < 3", "OPTIMIZE {t}")


@table("spark")
def feature_row_tracking_copy_on_write(t):
    filled(t, properties(enableRowTracking="true", enableDeletionVectors="false"))
    t.sql("UPDATE {t} SET s = 'u' WHERE id < 3", "OPTIMIZE {t}")


@table("spark")
def feature_row_tracking_backfilled(t):
    filled(t, "")
    t.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")


@table("spark")
def feature_clustered(t):
    filled(t, "CLUSTER BY (id)")
    t.sql("OPTIMIZE {t}", "ALTER TABLE {t} CLUSTER BY (s)", "INSERT INTO {t} VALUES (100, 'x')", "ALTER TABLE {t} CLUSTER BY NONE")
    t.checkpoint()


@table("spark")
def feature_generated_columns(t):
    t.spark.sql("DROP TABLE IF EXISTS generated")
    t.spark.sql(f"CREATE TABLE generated (id LONG, ts TIMESTAMP, d DATE GENERATED ALWAYS AS (CAST(ts AS DATE)), y INT GENERATED ALWAYS AS (YEAR(ts))) USING delta PARTITIONED BY (d) LOCATION '{t.path}'")
    t.spark.sql("INSERT INTO generated (id, ts) VALUES (1, TIMESTAMP'2020-01-01 23:59:59.5Z'), (2, NULL)")
    t.spark.sql("DROP TABLE generated")


@table("spark")
def feature_identity_columns(t):
    t.spark.sql("DROP TABLE IF EXISTS ident")
    t.spark.sql(f"CREATE TABLE ident (id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 3), s STRING) USING delta LOCATION '{t.path}'")
    t.spark.sql("INSERT INTO ident (s) VALUES ('a'), ('b')")
    t.spark.sql("DROP TABLE ident")


@table("spark")
def feature_column_defaults(t):
    filled(t, properties(feature__allowColumnDefaults="supported"), columns="id LONG, s STRING DEFAULT 'none'", rows="(id) VALUES (1)")
    t.sql("INSERT INTO {t} VALUES (2, DEFAULT), (3, NULL)")


@table("spark")
def feature_column_default_added_later(t):
    filled(t, properties(feature__allowColumnDefaults="supported"))
    t.sql("ALTER TABLE {t} ADD COLUMN (n INT)", "ALTER TABLE {t} ALTER COLUMN n SET DEFAULT 7", "INSERT INTO {t} (id) VALUES (1000)")


@table("spark")
def feature_check_constraints(t):
    filled(t, "")
    t.sql("ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id >= 0)", "INSERT INTO {t} VALUES (100, 'x')")


@table("spark")
def feature_append_only(t):
    filled(t, properties(appendOnly="true"))


@table("spark")
def feature_collations(t):
    with t.conf(spark__databricks__delta__schema__typeCheck__enabled="false"):
        filled(t, "", columns="id LONG, s STRING COLLATE UTF8_LCASE", rows="VALUES (1, 'A'), (2, 'a')")


@table("spark")
def feature_collations_nested(t):
    with t.conf(spark__databricks__delta__schema__typeCheck__enabled="false"):
        filled(t, "", columns="id LONG, a ARRAY<STRING COLLATE UTF8_LCASE>, s STRUCT<c: STRING COLLATE UNICODE_CI>, p STRING COLLATE UNICODE", rows="VALUES (1, array('A'), named_struct('c', 'x'), 'p')")


@table("spark")
def feature_timestamp_ntz(t):
    filled(t, "", columns="id LONG, ts TIMESTAMP_NTZ, a ARRAY<TIMESTAMP_NTZ>", rows="VALUES (1, TIMESTAMP_NTZ'2020-01-01 00:00:00.000001', array(TIMESTAMP_NTZ'1900-01-01 00:00:00'))")


@table("spark")
def feature_vacuum_protocol_check(t):
    filled(t, properties(feature__vacuumProtocolCheck="supported"))
    t.sql("VACUUM {t} RETAIN 0 HOURS")


@table("spark")
def feature_dropped(t):
    filled(t, properties(enableDeletionVectors="true"))
    t.sql("DELETE FROM {t} WHERE id < 3", "ALTER TABLE {t} DROP FEATURE deletionVectors")


@table("spark")
def feature_domain_metadata(t):
    filled(t, properties(feature__domainMetadata="supported"))


@table("spark")
def feature_catalog_managed(t):
    filled(t, properties(feature__catalogManaged="supported"))
    return "refused"


@table("spark")
def feature_unknown_reader(t):
    filled(t, "")
    with open(os.path.join(t.log, f"{2:020}.json"), "w") as file:
        file.write('{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timeMachine"],"writerFeatures":["timeMachine"]}}\n')
    return "refused"


@table("spark")
def feature_unknown_writer(t):
    filled(t, "")
    with open(os.path.join(t.log, f"{2:020}.json"), "w") as file:
        file.write('{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["timeMachine"]}}\n')


@table("spark")
def feature_reader_version_4(t):
    filled(t, "")
    with open(os.path.join(t.log, f"{2:020}.json"), "w") as file:
        file.write('{"protocol":{"minReaderVersion":4,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":[]}}\n')
    return "refused"


@table("spark")
def operation_optimize_zorder_vacuum(t):
    for i in range(4):
        t.write(t.spark.sql(f"SELECT id, id % 7 AS z FROM range({i * 100}, {i * 100 + 100})"))
    t.sql("OPTIMIZE {t} ZORDER BY (z)", "VACUUM {t} RETAIN 0 HOURS")


@table("spark")
def operation_merge(t):
    filled(t, "")
    t.spark.sql("SELECT id * 3 AS id, 'm' AS s FROM range(20)").createOrReplaceTempView("source")
    t.sql("MERGE INTO {t} t USING source ON t.id = source.id WHEN MATCHED AND t.id > 10 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.id = 1 THEN DELETE")


@table("spark")
def operation_replace_where(t):
    filled(t, "PARTITIONED BY (p)", columns="id LONG, p STRING", rows="SELECT id, 'p ' || id % 3 FROM range(20)")
    t.write(t.spark.sql("SELECT 1000L AS id, 'p 1' AS p"), mode="overwrite", replaceWhere="p = 'p 1'")
    with t.conf(spark__sql__sources__partitionOverwriteMode="dynamic"):
        t.write(t.spark.sql("SELECT 2000L AS id, 'p 2' AS p"), mode="overwrite", partitionOverwriteMode="dynamic")


@table("spark")
def operation_truncated(t):
    filled(t, "")
    t.sql("DELETE FROM {t}")


@table("spark")
def operation_restored_after_delete(t):
    filled(t, "")
    t.sql("DELETE FROM {t} WHERE id < 10", "RESTORE TABLE {t} TO VERSION AS OF 1")
    t.checkpoint()


@table("spark")
def operation_streamed(t):
    source = t.path + "-source"
    t.spark.sql("SELECT id FROM range(100)").repartition(4).write.parquet(source)
    stream = t.spark.readStream.schema("id LONG").option("maxFilesPerTrigger", 1).parquet(source)
    stream.writeStream.format("delta").option("checkpointLocation", t.path + "-offsets").trigger(availableNow=True).start(t.path).awaitTermination()
    t.checkpoint()


@table("spark")
def operation_shallow_clone(t):
    source = os.path.join(os.path.dirname(t.path), "source table")
    t.write(t.spark.sql("SELECT id FROM range(10)"))
    os.rename(t.path, source)
    t.spark.sql(f"CREATE TABLE delta.`{t.path}` SHALLOW CLONE delta.`{source}`")
    t.sql("INSERT INTO {t} VALUES (100)")
    return "refused"


@table("spark")
def operation_converted_with_spaces(t):
    t.spark.sql("SELECT id, CASE WHEN id = 3 THEN NULL ELSE 'a b/%' || id % 2 END AS p FROM range(9)").write.partitionBy("p").parquet(t.path)
    t.spark.sql(f"CONVERT TO DELTA parquet.`{t.path}` PARTITIONED BY (p STRING)")


@table("spark")
def operation_many_commits(t):
    for i in range(25):
        t.write(t.spark.sql(f"SELECT CAST({i} AS INT) AS id, 's{i}' AS s"))
    t.sql("DELETE FROM {t} WHERE id % 4 = 0")
