"""The work of `bench/delta-worker.ts` done by deltalake (delta-rs): requests and answers are JSON lines, see there."""
import json
import resource
import sys
import time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder, WriterProperties, write_deltalake

rows: pa.Table | None = None
tables: dict[str, DeltaTable] = {}


def load(request):
    """The rows that are appended, in memory."""
    global rows
    rows = pq.read_table(request["file"])
    if request["rowCount"] < rows.num_rows:
        rows = rows.slice(0, request["rowCount"]).combine_chunks()
    return rows.num_rows


def create(request):
    tables[request["folder"]] = DeltaTable.create(
        request["folder"],
        schema=rows.schema,
        partition_by=["date"],
        configuration={"delta.checkpointInterval": "100"},
    )
    return 0


def append(request):
    properties = WriterProperties(compression=request["compression"].upper())
    write_deltalake(tables[request["folder"]], rows, mode="append", writer_properties=properties)
    return "committed"


def open_table(request):
    """A new table object, and every statistic in typed columns."""
    actions = pa.table(DeltaTable(request["folder"]).get_add_actions(flatten=True))
    return pc.sum(actions["num_records"]).as_py()


def checkpoint(request):
    DeltaTable(request["folder"]).create_checkpoint()
    return 0


def scan_arrow(request):
    """By pyarrow's dataset, whose fragments delta-rs gives with their statistics."""
    table = tables.setdefault(request["folder"], DeltaTable(request["folder"]))
    table.update_incremental()
    test = None
    for column, op, value in request["where"]:
        value = pa.scalar(value).cast(pa.date32()) if column == "date" else value
        one = {"=": pc.field(column) == value, ">=": pc.field(column) >= value, "<=": pc.field(column) <= value}[op]
        test = one if test is None else test & one
    found = table.to_pyarrow_dataset().to_table(columns=["quantity"], filter=test)
    return [found.num_rows, pc.sum(found["quantity"]).as_py()]


def scan_datafusion(request):
    """By delta-rs's own engine."""
    table = tables.setdefault(request["folder"], DeltaTable(request["folder"]))
    table.update_incremental()
    test = " AND ".join(f"{column} {op} {literal(column, value)}" for column, op, value in request["where"])
    query = QueryBuilder().register("events", table)
    found = pa.table(query.execute(f"SELECT count(*) AS n, sum(quantity) AS q FROM events WHERE {test}")).to_pylist()[0]
    return [found["n"], found["q"]]


def literal(column, value):
    return f"DATE '{value}'" if column == "date" else str(value)


OPERATIONS = {
    "load": load,
    "create": create,
    "append": append,
    "open": open_table,
    "checkpoint": checkpoint,
    "scan": scan_arrow,
    "scan-datafusion": scan_datafusion,
}


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def answer(request):
    cpu, started = cpu_seconds(), time.perf_counter()
    result = OPERATIONS[request["operation"]](request)
    cost = {"wallSeconds": time.perf_counter() - started, "cpuSeconds": cpu_seconds() - cpu}
    print(json.dumps({"result": result, **cost}), flush=True)


if len(sys.argv) > 1:
    answer(json.loads(sys.argv[1]))
else:
    for line in sys.stdin:
        answer(json.loads(line))
