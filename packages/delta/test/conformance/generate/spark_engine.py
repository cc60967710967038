"""Apache Spark with Delta as the writer, and as the reader whose rows are expected."""

import glob
import os
import shutil

from pyspark.sql import SparkSession

CONFIGURATION = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.databricks.delta.writeChecksumFile.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
    "spark.sql.readSideCharPadding": "false",
    "spark.ui.enabled": "false",
    "spark.driver.memory": "2g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:TieredStopAtLevel=1",
}


def start(jars, warehouse):
    """A session with the Delta jars of a folder."""
    builder = SparkSession.builder.master("local[2]").appName("conformance tables")
    for key, value in CONFIGURATION.items():
        builder = builder.config(key, value)
    builder = builder.config("spark.jars", ",".join(sorted(glob.glob(os.path.join(jars, "*.jar")))))
    builder = builder.config("spark.sql.warehouse.dir", warehouse)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


"""Expected rows by what they are the rows of: a folder, and how many."""
EXPECTED = {}


class SparkTable:
    """What a function that makes a table gets: its folder, the session, and SQL in which {t} is the table."""

    def __init__(self, spark, path):
        self.spark = spark
        self.path = path
        self.log = os.path.join(path, "_delta_log")
        self.same_rows_as = None

    def sql(self, *statements):
        for statement in statements:
            result = self.spark.sql(statement.replace("{t}", f"delta.`{self.path}`"))
        return result

    def conf(self, **settings):
        """Settings for as long as the `with` lasts; `__` in a name is a dot."""
        return Settings(self.spark, {name.replace("__", "."): value for name, value in settings.items()})

    def write(self, frame, mode="append", **options):
        writer = frame.write.format("delta").mode(mode).options(**options)
        partitions = options.get("partitionBy")
        (writer.partitionBy(*partitions.split(",")) if partitions else writer).save(self.path)

    def read(self):
        return self.spark.read.format("delta").load(self.path)

    def checkpoint(self):
        log = self.spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.spark._jsparkSession, self.path)
        log.checkpoint()

    def forget(self):
        """Makes Spark read the log anew, after it was changed by hand."""
        self.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


class Settings:
    def __init__(self, spark, settings):
        self.spark, self.settings, self.before = spark, settings, {}

    def __enter__(self):
        for name, value in self.settings.items():
            self.before[name] = self.spark.conf.get(name, None)
            self.spark.conf.set(name, value)

    def __exit__(self, *_):
        for name, value in self.before.items():
            self.spark.conf.unset(name) if value is None else self.spark.conf.set(name, value)


def engine(spark):
    """Makes a table and writes the rows Spark reads from it, as Parquet."""

    def run(make, home):
        one = SparkTable(spark, os.path.join(home, "delta"))
        made = make(one)
        if made == "count":
            return {"deltalake_python": {"rows": one.read().count()}}
        if made == "refused":
            return {}
        expected = os.path.join(home, "expected")
        if one.same_rows_as is not None and one.same_rows_as in EXPECTED:
            folder, count = EXPECTED[one.same_rows_as]
            shutil.copytree(folder, expected)
            return {"expected": "expected/", "expected_rows": count}
        one.forget()
        rows = one.read()
        with one.conf(spark__sql__parquet__outputTimestampType="TIMESTAMP_MICROS"):
            rows.coalesce(1).write.parquet(expected)
        count = rows.count()
        if one.same_rows_as is not None:
            EXPECTED[one.same_rows_as] = (expected, count)
        return {"expected": "expected/", "expected_rows": count}

    return run
