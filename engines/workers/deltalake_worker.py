"""PyPI's deltalake (delta-rs), asked through json_lines_server. Argument: the socket's path.

Tables are named by path or s3:// address; S3_ENDPOINT and the AWS key variables tell where S3 is.
"""

import json
import os
import sys

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, QueryBuilder, Schema, Transaction, write_deltalake
from json_lines_server import serve
from typed_values import decode_row, encode


def storage_options():
    if "S3_ENDPOINT" not in os.environ:
        return {}
    return {"AWS_ENDPOINT_URL": os.environ["S3_ENDPOINT"], "AWS_ALLOW_HTTP": "true"}


def open_table(path, version=None):
    return DeltaTable(path, version=version, storage_options=storage_options())


def arrow_of(schema, rows):
    arrow = pa.schema(Schema.from_json(json.dumps(schema)).to_arrow())
    return pa.Table.from_pylist([decode_row(row, schema) for row in rows], arrow)


def create(path, schema, partition_columns, properties):
    DeltaTable.create(
        path,
        schema=Schema.from_json(json.dumps(schema)),
        partition_by=partition_columns,
        configuration=properties,
        storage_options=storage_options(),
    )


def write(path, schema, rows, mode, predicate=None, transaction=None):
    """Appends or overwrites; `predicate` limits what is overwritten, `transaction` is {"app_id", "version"}."""
    applied = [Transaction(**transaction)] if transaction else None
    write_deltalake(
        path,
        arrow_of(schema, rows),
        mode=mode,
        predicate=predicate,
        commit_properties=CommitProperties(app_transactions=applied),
        storage_options=storage_options(),
    )


def read(path, version=None, sql="SELECT * FROM t"):
    """Schema and rows of a query that names the table t and gives its columns; through DataFusion, as delta-rs itself reads."""
    table = open_table(path, version)
    schema = json.loads(table.schema().to_json())
    found = QueryBuilder().register("t", table).execute(sql).read_all()
    return {"schema": schema, "rows": [encode(row, schema) for row in pa.table(found).to_pylist()]}


FEED_FIELDS = [
    {"name": "_change_type", "type": "string"},
    {"name": "_commit_version", "type": "long"},
]


def changes(path, first, last):
    """The change data feed of versions `first` to `last`, without the times of their commits."""
    table = open_table(path)
    schema = json.loads(table.schema().to_json())
    schema["fields"] = schema["fields"] + FEED_FIELDS
    found = pa.table(table.load_cdf(starting_version=first, ending_version=last).read_all())
    return {"schema": schema, "rows": [encode(row, schema) for row in found.to_pylist()]}


def merge(path, schema, rows, predicate):
    """Upserts: `target` and `source` name the two sides in the predicate."""
    source = arrow_of(schema, rows)
    merger = open_table(path).merge(source, predicate, source_alias="source", target_alias="target")
    return merger.when_matched_update_all().when_not_matched_insert_all().execute()


def add_columns(path, schema):
    """Adds nullable columns, given as a Delta schema of them alone."""
    open_table(path).alter.add_columns([Field.from_json(json.dumps(field)) for field in schema["fields"]])


def vacuum(path, retention_hours, is_dry_run):
    return open_table(path).vacuum(
        retention_hours=retention_hours, dry_run=is_dry_run, enforce_retention_duration=False
    )


serve(
    sys.argv[1],
    {
        "create": create,
        "write": write,
        "read": read,
        "changes": changes,
        "merge": merge,
        "delete": lambda path, predicate: open_table(path).delete(predicate),
        "update": lambda path, predicate, updates: open_table(path).update(updates=updates, predicate=predicate),
        "add_columns": add_columns,
        "add_constraint": lambda path, name, expression: open_table(path).alter.add_constraint({name: expression}),
        "optimize": lambda path: open_table(path).optimize.compact(),
        "vacuum": vacuum,
        "restore": lambda path, version: open_table(path).restore(version),
        "checkpoint": lambda path: open_table(path).create_checkpoint(),
        "version": lambda path: open_table(path).version(),
        "transaction_version": lambda path, app_id: open_table(path).transaction_version(app_id),
    },
)
