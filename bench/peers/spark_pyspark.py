"""PySpark's Connect client, asked line by line: {"path", "form"} → {"rows", "wall_seconds", "cpu_seconds"}.

Argument: the connection string. `form` is arrow (toArrow), rows (collect) or pandas (toPandas).
"""

import json
import sys
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
FORMS = {
    "arrow": lambda frame: frame.toArrow().num_rows,
    "rows": lambda frame: len(frame.collect()),
    "pandas": lambda frame: len(frame.toPandas()),
}

for line in sys.stdin:
    request = json.loads(line)
    frame = spark.read.parquet(request["path"])
    wall, cpu = time.perf_counter(), time.process_time()
    rows = FORMS[request["form"]](frame)
    answer = {"rows": rows, "wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps(answer), flush=True)
