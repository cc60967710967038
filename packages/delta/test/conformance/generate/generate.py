"""Makes Delta tables as other engines write them, with the rows those engines read from them.

    python generate.py OUT [--jars FOLDER] [--from FOLDER] [--only PART-OF-NAME,…]

Needs PyPI `deltalake` and `pyarrow`; with --jars (delta-spark and what it depends on) also `pyspark` and a JVM.
With --from (a folder of the same layout) also its tables with their logs cleaned up, compacted or damaged, and with
the rows of every version.
Then: DELTA_TABLES=OUT npm run test:conformance -w packages/delta
"""

import argparse
import os

import tables

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--jars")
parser.add_argument("--from", dest="source")
parser.add_argument("--only", default="")
arguments = parser.parse_args()
out = os.path.abspath(arguments.out)
engines = {}

import deltalake_tables
import handmade_tables

engines["deltalake"] = deltalake_tables.engine
engines["handmade"] = handmade_tables.engine
if arguments.source:
    import damaged_tables

    import version_tables

    engines["damaged"] = damaged_tables.engine(arguments.source)
    version_tables.register(arguments.source)
    engines["versions"] = version_tables.engine(arguments.source)
if arguments.jars:
    import spark_engine
    import spark_types
    import spark_partitions
    import spark_mapping
    import spark_deletion_vectors
    import spark_evolution
    import spark_features
    import spark_checkpoints
    import unusual_tables

    session = spark_engine.start(arguments.jars, os.path.join(out, "warehouse"))
    engines["spark"] = spark_engine.engine(session)
    engines["unusual"] = unusual_tables.engine(session)

failed = tables.generate(out, engines, arguments.only)
print(f"{len(failed)} tables could not be made: {', '.join(failed)}" if failed else "all made")
