"""One local Spark session with Delta, asked through json_lines_server. Argument: the socket's path.

A Spark Connect server runs in the same JVM; the operation `remote` tells its address.

Reads ARUS_SPARK_CLASS_PATH (jars) and, to read tables on S3 as s3a://, S3_ENDPOINT with the AWS key variables.
"""

import datetime
import json
import os
import secrets
import sys

from json_lines_server import serve
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType, TimestampType
from typed_values import decode_row, encode

LOOPBACK = "127.0.0.1"
# Whoever reaches a Connect server runs code as its user, and other users of this machine reach the loopback address.
TOKEN = secrets.token_urlsafe(16)
# PySpark's own goes through the local time zone and fails for the first and last year of Python's calendar.
EPOCH = datetime.datetime(1970, 1, 1)
TimestampType.fromInternal = lambda _, micros: None if micros is None else EPOCH + datetime.timedelta(microseconds=micros)


def settings():
    yield "spark.driver.extraClassPath", os.environ["ARUS_SPARK_CLASS_PATH"]
    # Stack: tasks of MLlib's ALS are nested deeply, and one that overflows ends Spark.
    # Tests run each plan once, on a few rows: compiling it, by the JVM or by Spark, costs more than it saves.
    yield "spark.driver.extraJavaOptions", "-Duser.timezone=UTC -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss16m"
    yield "spark.sql.codegen.wholeStage", "false"
    yield "spark.sql.codegen.factoryMode", "NO_CODEGEN"
    yield "spark.driver.memory", "1200m"
    yield "spark.driver.host", LOOPBACK
    yield "spark.driver.bindAddress", LOOPBACK
    yield "spark.ui.enabled", "false"
    yield "spark.local.dir", os.getcwd()
    yield "spark.sql.warehouse.dir", os.path.join(os.getcwd(), "warehouse")
    yield "spark.sql.catalogImplementation", "in-memory"
    yield "spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension"
    yield "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    yield "spark.sql.session.timeZone", "UTC"
    yield "spark.sql.shuffle.partitions", "2"
    yield "spark.databricks.delta.snapshotPartitions", "2"
    # VACUUM lists folders in this many tasks; the default is 10,000.
    yield "spark.sql.sources.parallelPartitionDiscovery.parallelism", "2"
    yield "spark.plugins", "org.apache.spark.sql.connect.SparkConnectPlugin"
    yield "spark.connect.grpc.binding.address", LOOPBACK
    yield "spark.connect.grpc.binding.port", "0"
    yield "spark.connect.authenticate.token", TOKEN
    # Ends long answers early, as servers do with those of gigabytes or minutes: clients must attach again.
    yield "spark.connect.execute.reattachable.senderMaxStreamSize", "8m"
    if "S3_ENDPOINT" in os.environ:
        yield "spark.hadoop.fs.s3a.endpoint", os.environ["S3_ENDPOINT"]
        yield "spark.hadoop.fs.s3a.endpoint.region", os.environ["AWS_REGION"]
        yield "spark.hadoop.fs.s3a.access.key", os.environ["AWS_ACCESS_KEY_ID"]
        yield "spark.hadoop.fs.s3a.secret.key", os.environ["AWS_SECRET_ACCESS_KEY"]
        yield "spark.hadoop.fs.s3a.path.style.access", "true"


def start_session():
    builder = SparkSession.builder.master("local[2]").appName("arus-tests")
    for name, value in settings():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


spark = start_session()


def sql(statement, views=None, settings=None):
    """The schema and rows of a statement. `views` are {name: {"schema", "rows"}} and `settings` hold for it alone."""
    for name, view in (views or {}).items():
        frame_of(**view).createOrReplaceTempView(name)
    for name, value in (settings or {}).items():
        spark.conf.set(name, value)
    try:
        return rows_of(spark.sql(statement))
    finally:
        for name in settings or {}:
            spark.conf.unset(name)
        for name in views or {}:
            spark.catalog.dropTempView(name)


def frame_of(schema, rows):
    return spark.createDataFrame([decode_row(row, schema) for row in rows], StructType.fromJson(schema))


def rows_of(frame):
    schema = frame.schema.jsonValue()
    rows = [encode(row, schema) for row in frame.collect()]
    return {"schema": schema, "rows": rows}


def create(path, schema, partition_columns, properties):
    """Makes a table of a Delta schema."""
    ddl = spark._jvm.org.apache.spark.sql.types.DataType.fromJson(json.dumps(schema)).toDDL()
    partitioning = f"PARTITIONED BY ({', '.join(f'`{name}`' for name in partition_columns)})" if partition_columns else ""
    listed = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
    spark.sql(
        f"CREATE TABLE delta.`{path}` ({ddl}) USING delta {partitioning} {f'TBLPROPERTIES ({listed})' if listed else ''}"
    )


def checkpoint(path):
    """Writes a checkpoint of the newest version."""
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path).checkpoint()


def remote():
    """The connection string of the Connect server."""
    service = getattr(spark._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")
    port = getattr(service, "MODULE$").localPort()
    return f"sc://{LOOPBACK}:{port}/;token={TOKEN}"


serve(sys.argv[1], {"sql": sql, "create": create, "checkpoint": checkpoint, "remote": remote})
