"""The registry of tables to generate: a module of tables decorates functions with `@table(engine)`."""

import json
import os
import shutil
import tarfile
import traceback

TABLES = {}


def table(engine):
    """Registers a function that makes a table in the folder it is given; the function's name is the table's."""

    def register(make):
        TABLES[make.__name__.replace("_", "-")] = (engine, make)
        return make

    return register


def generate(out, engines, only=""):
    """Writes a folder of the layout of `delta-tables`: index.json, tables/*.tar.gz. A table that is there is made again only when
    `only`, parts of names between commas, asks for it; then in that order. Returns the names that failed."""
    os.makedirs(os.path.join(out, "tables"), exist_ok=True)
    entries, failed = [], []
    parts = [part for part in only.split(",") if part]
    wanted = [name for part in parts for name in TABLES if part in name] if parts else list(TABLES)
    for name in dict.fromkeys(wanted):
        engine, make = TABLES[name]
        is_there = os.path.exists(os.path.join(out, "tables", name + ".tar.gz"))
        if engine not in engines or (is_there and not parts):
            continue
        home = os.path.join(out, "work", name)
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        try:
            entries.append({"name": name, **engines[engine](make, home), **_packed(out, home, name)})
            print("made", name, flush=True)
        except Exception as error:
            failed.append(name)
            print("FAILED", name, str(error).split("\n")[0][:300], flush=True)
            if os.environ.get("TRACE"):
                traceback.print_exc()
        _write_index(out, entries)
    return failed


def _packed(out, home, name):
    archive = os.path.join("tables", name + ".tar.gz")
    with tarfile.open(os.path.join(out, archive), "w:gz") as tar:
        tar.add(home, arcname=name, filter=lambda info: None if _is_hadoop_checksum(info.name) else info)
    return {"archive": archive}


def _is_hadoop_checksum(path):
    name = os.path.basename(path)
    return name.startswith(".") and name.endswith(".crc")


def _write_index(out, entries):
    path = os.path.join(out, "index.json")
    known = {}
    if os.path.exists(path):
        with open(path) as file:
            known = {entry["name"]: entry for entry in json.load(file)}
    known.update({entry["name"]: entry for entry in entries})
    with open(path, "w") as file:
        json.dump(sorted(known.values(), key=lambda entry: entry["name"]), file, indent=1)
