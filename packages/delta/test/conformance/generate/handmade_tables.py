"""Tables no engine here writes but the protocol allows: logs by hand, files by pyarrow, expected rows by construction."""

import datetime as dt
import decimal
import json
import os
import struct
import urllib.parse
import zlib

import pyarrow as pa
import pyarrow.parquet as parquet

from tables import table




class HandmadeTable:
    def __init__(self, path):
        self.path = path
        self.expected = []
        self.version = 0
        os.makedirs(os.path.join(path, "_delta_log"))

    def commit(self, *actions):
        path = os.path.join(self.path, "_delta_log", f"{self.version:020}.json")
        with open(path, "w") as file:
            file.write("".join(json.dumps(action) + "\n" for action in actions))
        self.version += 1

    def create(self, fields, partitions=(), configuration=None, features=()):
        schema = json.dumps({"type": "struct", "fields": fields})
        protocol = {"minReaderVersion": 1, "minWriterVersion": 2}
        if "columnMapping" in features and len(features) == 1:
            protocol = {"minReaderVersion": 2, "minWriterVersion": 5}
        elif features:
            protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": list(features), "writerFeatures": list(features)}
        metadata = {"id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
                    "partitionColumns": list(partitions), "configuration": configuration or {}, "createdTime": 1}
        self.commit({"protocol": protocol}, {"metaData": metadata})

    def file(self, name, rows, expect=True, **options):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        parquet.write_table(rows, path, **options)
        if expect:
            self.expected.append(rows)
        return os.path.getsize(path)

    def add(self, path, size=1, values=None, vector=None, encode=True, stats=None):
        action = {"path": urllib.parse.quote(path, safe="/=") if encode else path, "partitionValues": values or {}, "size": size, "modificationTime": 1, "dataChange": True}
        if vector:
            action["deletionVector"] = vector
        if stats:
            action["stats"] = json.dumps(stats)
        return {"add": action}


def field(name, type, nullable=True, **metadata):
    return {"name": name, "type": type, "nullable": nullable, "metadata": {key.replace("__", "."): value for key, value in metadata.items()}}


def mapped(name, type, id, physical):
    return field(name, type, delta__columnMapping__id=id, delta__columnMapping__physicalName=physical)


def engine(make, home):
    one = HandmadeTable(os.path.join(home, "delta"))
    if make(one) == "refused":
        return {}
    rows = pa.concat_tables(one.expected)
    os.makedirs(os.path.join(home, "expected"))
    parquet.write_table(rows, os.path.join(home, "expected", "part-0.parquet"))
    return {"expected": "expected/", "expected_rows": rows.num_rows}


def ids(first, count):
    return pa.table({"id": pa.array(range(first, first + count), pa.int64())})


@table("handmade")
def hand_paths(t):
    """Names on disk, percent-encoded in the log."""
    t.create([field("id", "long")])
    names = ["a b.parquet", "a%20b.parquet", "ü😀.parquet", "q?#&+.parquet", "it's.parquet", "sub dir/x=1/[y]*{z}.parquet", "back\\slash.parquet", 'q"q.parquet', "a%.parquet", "semi;colon,comma.parquet"]
    t.commit(*[t.add(name, t.file(name, ids(i, 1))) for i, name in enumerate(names)])


@table("handmade")
def hand_paths_unencoded(t):
    """Spaces and letters that a writer should have encoded."""
    t.create([field("id", "long")])
    names = ["a b.parquet", "ü.parquet"]
    t.commit(*[t.add(name, t.file(name, ids(i, 1)), encode=False) for i, name in enumerate(names)])


@table("handmade")
def hand_paths_removed_in_another_spelling(t):
    t.create([field("id", "long")])
    t.commit(t.add("a b=c.parquet", t.file("a b=c.parquet", ids(0, 1), expect=False)), t.add("d.parquet", t.file("d.parquet", ids(1, 1))))
    t.commit({"remove": {"path": "a%20b%3Dc.parquet", "dataChange": True, "deletionTimestamp": 1}})


@table("handmade")
def hand_added_twice(t):
    t.create([field("id", "long")])
    size = t.file("a.parquet", ids(0, 3))
    t.commit(t.add("a.parquet", size))
    t.commit(t.add("a.parquet", size, stats={"numRecords": 3}))


@table("handmade")
def hand_removed_and_added_again(t):
    t.create([field("id", "long")])
    size = t.file("a.parquet", ids(0, 3))
    t.commit(t.add("a.parquet", size))
    t.commit({"remove": {"path": "a.parquet", "dataChange": True, "deletionTimestamp": 1}})
    t.commit(t.add("a.parquet", size))


@table("handmade")
def hand_removed_and_added_in_one_commit(t):
    t.create([field("id", "long")])
    size = t.file("a.parquet", ids(0, 3))
    t.commit(t.add("a.parquet", size))
    t.commit(t.add("a.parquet", size, stats={"numRecords": 3}), {"remove": {"path": "a.parquet", "dataChange": True, "deletionTimestamp": 1}})


@table("handmade")
def hand_partition_values_absent(t):
    t.create([field("id", "long"), field("p", "string"), field("q", "integer")], ["p", "q"])
    t.file("a.parquet", ids(0, 1), expect=False)
    t.commit(t.add("a.parquet"))
    t.file("b.parquet", ids(1, 1), expect=False)
    t.commit(t.add("b.parquet", values={"p": "", "q": ""}))
    t.file("c.parquet", ids(2, 1), expect=False)
    t.commit(t.add("c.parquet", values={"p": "x", "q": "7"}))
    t.expected.append(pa.table({"id": pa.array([0, 1, 2], pa.int64()), "p": [None, None, "x"], "q": pa.array([None, None, 7], pa.int32())}))


@table("handmade")
def hand_partition_value_beats_folder_and_file(t):
    """Only the log says what a partition's value is."""
    t.create([field("id", "long"), field("p", "string")], ["p"])
    rows = pa.table({"id": pa.array([1], pa.int64()), "p": ["in the file"]})
    t.file("p=folder/a.parquet", rows, expect=False)
    t.commit(t.add("p=folder/a.parquet", values={"p": "log"}))
    t.expected.append(pa.table({"id": pa.array([1], pa.int64()), "p": ["log"]}))


@table("handmade")
def hand_partition_timestamp_formats(t):
    t.create([field("id", "long"), field("p", "timestamp")], ["p"])
    texts = ["2020-01-01T00:00:00.123456Z", "2020-01-01 00:00:00.123456", "2020-01-01 00:00:00", "2020-01-01T00:00:00Z", "1969-12-31 23:59:59.9", "2020-01-01T02:00:00.000000+02:00"]
    utc = dt.timezone.utc
    values = [dt.datetime(2020, 1, 1, 0, 0, 0, 123456, utc)] * 2 + [dt.datetime(2020, 1, 1, tzinfo=utc)] * 2 + [dt.datetime(1969, 12, 31, 23, 59, 59, 900000, utc), dt.datetime(2020, 1, 1, tzinfo=utc)]
    for i, text in enumerate(texts):
        t.file(f"{i}.parquet", ids(i, 1), expect=False)
    t.commit(*[t.add(f"{i}.parquet", values={"p": text}) for i, text in enumerate(texts)])
    t.expected.append(pa.table({"id": pa.array(range(len(texts)), pa.int64()), "p": pa.array(values, pa.timestamp("us", "UTC"))}))


@table("handmade")
def hand_partition_value_invalid(t):
    t.create([field("id", "long"), field("p", "integer")], ["p"])
    t.file("a.parquet", ids(0, 1))
    t.commit(t.add("a.parquet", values={"p": "not a number"}))
    return "refused"


def with_id(name, type, id):
    return pa.field(name, type, metadata={"PARQUET:field_id": str(id)})


@table("handmade")
def hand_mapping_id_other_names(t):
    """By id a file's names mean nothing, nested ones neither."""
    t.create([mapped("id", "long", 1, "col-1"), mapped("s", {"type": "struct", "fields": [mapped("a", "integer", 3, "col-3"), mapped("b", "string", 4, "col-4")]}, 2, "col-2")],
             configuration={"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "4"}, features=["columnMapping"])
    schema = pa.schema([with_id("s", pa.int64(), 1), with_id("id", pa.struct([with_id("b", pa.int32(), 3), with_id("a", pa.string(), 4)]), 2)])
    t.file("a.parquet", pa.table({"s": [1, 2], "id": [{"b": 10, "a": "x"}, None]}, schema=schema), expect=False)
    t.commit(t.add("a.parquet"))
    t.expected.append(pa.table({"id": pa.array([1, 2], pa.int64()), "s": pa.array([{"a": 10, "b": "x"}, None], pa.struct([("a", pa.int32()), ("b", pa.string())]))}))


@table("handmade")
def hand_mapping_id_nested_names_swapped(t):
    fields = [mapped("a", "integer", 2, "a"), mapped("b", "integer", 3, "b")]
    t.create([mapped("s", {"type": "struct", "fields": fields}, 1, "s"), mapped("l", {"type": "array", "elementType": {"type": "struct", "fields": [mapped("a", "integer", 5, "a"), mapped("b", "integer", 6, "b")]}, "containsNull": True}, 4, "l")],
             configuration={"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "6"}, features=["columnMapping"])
    swapped = lambda a, b: pa.struct([with_id("b", pa.int32(), a), with_id("a", pa.int32(), b)])
    schema = pa.schema([with_id("s", swapped(2, 3), 1), with_id("l", pa.list_(swapped(5, 6)), 4)])
    t.file("a.parquet", pa.table({"s": [{"b": 2, "a": 3}], "l": [[{"b": 5, "a": 6}]]}, schema=schema), expect=False)
    t.commit(t.add("a.parquet"))
    kind = pa.struct([("a", pa.int32()), ("b", pa.int32())])
    t.expected.append(pa.table({"s": pa.array([{"a": 2, "b": 3}], kind), "l": pa.array([[{"a": 5, "b": 6}]], pa.list_(kind))}))


@table("handmade")
def hand_mapping_id_nested_absent(t):
    """A field of a struct that was dropped and added again: the file has its name, under another id."""
    fields = [mapped("a", "integer", 2, "a"), mapped("b", "integer", 9, "b")]
    t.create([mapped("s", {"type": "struct", "fields": fields}, 1, "s")], configuration={"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "9"}, features=["columnMapping"])
    schema = pa.schema([with_id("s", pa.struct([with_id("a", pa.int32(), 2), with_id("b", pa.int32(), 3)]), 1)])
    t.file("a.parquet", pa.table({"s": [{"a": 2, "b": 3}]}, schema=schema), expect=False)
    t.commit(t.add("a.parquet"))
    t.expected.append(pa.table({"s": pa.array([{"a": 2, "b": None}], pa.struct([("a", pa.int32()), ("b", pa.int32())]))}))


@table("handmade")
def hand_mapping_id_absent_column(t):
    t.create([mapped("id", "long", 1, "id"), mapped("x", "string", 2, "x")], configuration={"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "3"}, features=["columnMapping"])
    schema = pa.schema([with_id("id", pa.int64(), 1), with_id("x", pa.string(), 3)])
    t.file("a.parquet", pa.table({"id": [1], "x": ["another column"]}, schema=schema), expect=False)
    t.commit(t.add("a.parquet"))
    t.expected.append(pa.table({"id": pa.array([1], pa.int64()), "x": pa.array([None], pa.string())}))


@table("handmade")
def hand_mapping_id_files_without_ids(t):
    t.create([mapped("id", "long", 1, "id")], configuration={"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "1"}, features=["columnMapping"])
    t.file("a.parquet", ids(0, 3))
    t.commit(t.add("a.parquet"))
    return "refused"


@table("handmade")
def hand_mapping_name_misleading_ids(t):
    t.create([mapped("a", "long", 1, "x"), mapped("b", "long", 2, "y")], configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"}, features=["columnMapping"])
    schema = pa.schema([with_id("y", pa.int64(), 1), with_id("x", pa.int64(), 2)])
    t.file("a.parquet", pa.table({"y": [1], "x": [2]}, schema=schema), expect=False)
    t.commit(t.add("a.parquet"))
    t.expected.append(pa.table({"a": pa.array([2], pa.int64()), "b": pa.array([1], pa.int64())}))


@table("handmade")
def hand_files_with_more_columns_in_another_order(t):
    t.create([field("id", "long"), field("s", {"type": "struct", "fields": [field("a", "integer"), field("b", "string")]})])
    kind = pa.struct([("b", pa.string()), ("extra", pa.int32()), ("a", pa.int32())])
    t.file("a.parquet", pa.table({"more": [1.5], "s": pa.array([{"a": 1, "b": "x", "extra": 5}], kind), "id": pa.array([1], pa.int64())}), expect=False)
    t.commit(t.add("a.parquet"))
    t.expected.append(pa.table({"id": pa.array([1], pa.int64()), "s": pa.array([{"a": 1, "b": "x"}], pa.struct([("a", pa.int32()), ("b", pa.string())]))}))


@table("handmade")
def hand_timestamp_units(t):
    t.create([field("ts", "timestamp"), field("tn", "timestamp_ntz")], features=["timestampNtz"])
    moment = dt.datetime(2020, 1, 1, 0, 0, 0, 123000)
    for unit in ["ms", "us", "ns"]:
        rows = pa.table({"ts": pa.array([moment, None], pa.timestamp(unit, "UTC")), "tn": pa.array([moment, None], pa.timestamp(unit))})
        t.file(f"{unit}.parquet", rows, expect=False)
        t.commit(t.add(f"{unit}.parquet"))
        t.expected.append(pa.table({"ts": pa.array([moment, None], pa.timestamp("us", "UTC")), "tn": pa.array([moment, None], pa.timestamp("us"))}))


@table("handmade")
def hand_list_encodings(t):
    t.create([field("l", {"type": "array", "elementType": {"type": "struct", "fields": [field("x", "integer")]}, "containsNull": True})])
    rows = pa.table({"l": pa.array([[{"x": 1}, None], [], None], pa.list_(pa.struct([("x", pa.int32())])))})
    t.file("a.parquet", rows, use_compliant_nested_type=True)
    t.file("b.parquet", rows, use_compliant_nested_type=False)
    t.commit(t.add("a.parquet"), t.add("b.parquet"))


@table("handmade")
def hand_decimal_encodings(t):
    t.create([field("a", "decimal(5,2)"), field("b", "decimal(15,3)"), field("c", "decimal(38,10)")])
    rows = pa.table({"a": pa.array([decimal.Decimal("-999.99"), None], pa.decimal128(5, 2)), "b": pa.array([decimal.Decimal("123456789012.345"), None], pa.decimal128(15, 3)), "c": pa.array([decimal.Decimal("-1234567890123456789012345678.0123456789"), None], pa.decimal128(38, 10))})
    t.file("a.parquet", rows)
    t.file("b.parquet", rows, store_decimal_as_integer=True)
    t.commit(t.add("a.parquet"), t.add("b.parquet"))


@table("handmade")
def hand_files_without_rows(t):
    t.create([field("id", "long")])
    t.commit(t.add("none.parquet", t.file("none.parquet", ids(0, 0))), t.add("some.parquet", t.file("some.parquet", ids(0, 2))))


@table("handmade")
def hand_schema_spellings(t):
    t.create([field("id", "long"), field("c", "varchar(10)"), field("n", "decimal(10, 2)"), field("f", "string", nullable=False, comment="ü \"q\"")])
    t.file("a.parquet", pa.table({"id": pa.array([1], pa.int64()), "c": ["x"], "n": pa.array([decimal.Decimal("1.50")], pa.decimal128(10, 2)), "f": ["f"]}))
    t.commit(t.add("a.parquet"))


@table("handmade")
def hand_first_metadata_without_schema(t):
    with open(os.path.join(t.path, "_delta_log", f"{0:020}.json"), "w") as file:
        file.write('{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}\n{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"partitionColumns":[],"configuration":{}}}\n')
    t.version = 1
    t.create([field("id", "long")])
    t.file("a.parquet", ids(0, 1))
    t.commit(t.add("a.parquet"))


@table("handmade")
def hand_deep(t):
    type, kind, value = "integer", pa.int32(), 1
    for i in range(30):
        if i % 2:
            type, kind, value = {"type": "array", "elementType": type, "containsNull": True}, pa.list_(kind), [value]
        else:
            type, kind, value = {"type": "struct", "fields": [field("f", type)]}, pa.struct([("f", kind)]), {"f": value}
    t.create([field("d", type)])
    t.file("a.parquet", pa.table({"d": pa.array([value, None], kind)}))
    t.commit(t.add("a.parquet"))


@table("handmade")
def hand_wide(t):
    t.create([field(f"c{i}", "long") for i in range(1500)])
    t.file("a.parquet", pa.table({f"c{i}": pa.array([i, None], pa.int64()) for i in range(1500)}))
    t.commit(t.add("a.parquet"))


@table("handmade")
def hand_many_partitions(t):
    """As many values as files, in characters that folders encode."""
    t.create([field("id", "long"), field("p", "string")], ["p"])
    count = 2000
    names = [f"p=v%20{i}/a.parquet" for i in range(count)]
    for i, name in enumerate(names):
        t.file(name, ids(i, 1), expect=False)
    t.commit(*[t.add(name, values={"p": f"v {i}"}) for i, name in enumerate(names)])
    t.expected.append(pa.table({"id": pa.array(range(count), pa.int64()), "p": [f"v {i}" for i in range(count)]}))


# Types that were widened

D = decimal.Decimal
WIDENINGS = [
    # Delta type, Arrow type, types of older files, a value of those, a value of the new
    ("short", pa.int16(), [pa.int8()], -7, -32768),
    ("integer", pa.int32(), [pa.int8(), pa.int16()], -7, -(2**31)),
    ("long", pa.int64(), [pa.int8(), pa.int16(), pa.int32()], -7, -(2**63)),
    ("double", pa.float64(), [pa.int8(), pa.int16(), pa.int32(), pa.float32()], -7, 0.1),
    ("decimal(10,0)", pa.decimal128(10, 0), [pa.int8(), pa.int16(), pa.int32()], -7, D("9999999999")),
    ("decimal(20,0)", pa.decimal128(20, 0), [pa.int64(), pa.decimal128(9, 0), pa.decimal128(18, 0)], -7, D("99999999999999999999")),
    ("decimal(38,10)", pa.decimal128(38, 10), [pa.int64(), pa.decimal128(5, 2), pa.decimal128(28, 10), pa.decimal128(20, 0)], -7, D("-1234567890123456789012345678.0123456789")),
    ("timestamp_ntz", pa.timestamp("us"), [pa.date32()], dt.date(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)),
]


def value_as(value, type):
    if pa.types.is_decimal(type):
        return D(value)
    if pa.types.is_floating(type):
        return float(value)
    if pa.types.is_timestamp(type) and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    return value


def shapes(kind, value):
    """A row with the value at each level of nesting."""
    struct = pa.struct([("x", kind)])
    return {
        "v": pa.array([value, None], kind),
        "s": pa.array([{"x": value}, None], struct),
        "l": pa.array([[value, None], []], pa.list_(kind)),
        "m": pa.array([[("k", {"x": value})], None], pa.map_(pa.string(), struct)),
        "ls": pa.array([[{"x": value}, None], None], pa.list_(struct)),
    }


def shape_fields(type):
    struct = {"type": "struct", "fields": [field("x", type)]}
    array = lambda element: {"type": "array", "elementType": element, "containsNull": True}
    return [field("v", type), field("s", struct), field("l", array(type)), field("m", {"type": "map", "keyType": "string", "valueType": struct, "valueContainsNull": True}), field("ls", array(struct))]


def widening(type, kind, older, value, newest):
    def make(t):
        t.create(shape_fields(type), features=["typeWidening", "timestampNtz"])
        for i, old in enumerate(older):
            t.file(f"{i}.parquet", pa.table(shapes(old, value_as(value, old))), expect=False)
            t.commit(t.add(f"{i}.parquet"))
            t.expected.append(pa.table(shapes(kind, value_as(value, kind))))
        t.file("new.parquet", pa.table(shapes(kind, newest)))
        t.commit(t.add("new.parquet"))

    make.__name__ = "hand_widened_to_" + type.replace("(", "_").replace(",", "_").replace(")", "")
    table("handmade")(make)


for one in WIDENINGS:
    widening(*one)


@table("handmade")
def hand_widened_partition(t):
    """Values of partitions keep the spelling of the type they were written with."""
    t.create([field("id", "long"), field("a", "long"), field("b", "double"), field("c", "decimal(10,4)"), field("d", "timestamp_ntz")], ["a", "b", "c", "d"], features=["typeWidening", "timestampNtz"])
    t.file("a.parquet", ids(0, 1), expect=False)
    t.file("b.parquet", ids(1, 1), expect=False)
    t.commit(t.add("a.parquet", values={"a": "1", "b": "1", "c": "1.5", "d": "2020-01-01"}), t.add("b.parquet", values={"a": "9223372036854775807", "b": "1.5", "c": "1.5001", "d": "2020-01-01 00:00:00.000001"}))
    t.expected.append(pa.table({"id": pa.array([0, 1], pa.int64()), "a": pa.array([1, 2**63 - 1], pa.int64()), "b": [1.0, 1.5], "c": pa.array([D("1.5"), D("1.5001")], pa.decimal128(10, 4)),
                                "d": pa.array([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 0, 0, 0, 1)], pa.timestamp("us"))}))


# Schemas that grew


def nested_kinds(struct):
    return {
        "s": struct,
        "l": pa.list_(struct),
        "m": pa.map_(pa.string(), struct),
        "km": pa.map_(struct, pa.int32()),
        "ll": pa.list_(pa.list_(struct)),
        "ss": pa.struct([("in", struct)]),
    }


def nested_values(row):
    return {"s": row, "l": [row, None], "m": [("k", row), ("n", None)], "km": [(row, 1)], "ll": [[row], [], None], "ss": {"in": row}}


@table("handmade")
def hand_nested_fields_added(t):
    """Old files lack fields of structs at every depth; a null struct stays null."""
    new = {"type": "struct", "fields": [field("z", "string"), field("a", "integer"), field("b", {"type": "struct", "fields": [field("c", "long"), field("d", {"type": "array", "elementType": "string", "containsNull": True})]})]}
    array = lambda element: {"type": "array", "elementType": element, "containsNull": True}
    map_of = lambda key, value: {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    t.create([field("s", new), field("l", array(new)), field("m", map_of("string", new)), field("km", map_of(new, "integer")), field("ll", array(array(new))), field("ss", {"type": "struct", "fields": [field("in", new)]})])
    old_kind = pa.struct([("a", pa.int32())])
    new_kind = pa.struct([("z", pa.string()), ("a", pa.int32()), ("b", pa.struct([("c", pa.int64()), ("d", pa.list_(pa.string()))]))])
    rows = lambda struct, row: pa.table({name: pa.array([nested_values(row)[name], None], kind) for name, kind in nested_kinds(struct).items()})
    t.file("old.parquet", rows(old_kind, {"a": 1}), expect=False)
    t.expected.append(rows(new_kind, {"z": None, "a": 1, "b": None}))
    t.file("new.parquet", rows(new_kind, {"z": "z", "a": 2, "b": {"c": 3, "d": ["e", None]}}))
    t.commit(t.add("old.parquet"), t.add("new.parquet"))


@table("handmade")
def hand_nested_fields_all_new(t):
    """The struct of an old file has none of the fields the table declares now (dropped and others added)."""
    fields = [mapped("id", "long", 1, "id"), mapped("s", {"type": "struct", "fields": [mapped("n", "integer", 4, "col-new")]}, 2, "s")]
    t.create(fields, configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "4"}, features=["columnMapping"])
    t.file("a.parquet", pa.table({"id": pa.array([1, 2], pa.int64()), "s": pa.array([{"old": "x"}, None], pa.struct([("old", pa.string())]))}), expect=False)
    t.commit(t.add("a.parquet"))
    t.expected.append(pa.table({"id": pa.array([1, 2], pa.int64()), "s": pa.array([{"n": None}, None], pa.struct([("n", pa.int32())]))}))


# Deletion vectors


def roaring(rows):
    """The portable serialisation: containers as arrays or bitmaps."""
    by_key = {}
    for row in rows:
        by_key.setdefault(row >> 16, []).append(row & 0xFFFF)
    header, offsets, bodies = b"", [], []
    for key, values in sorted(by_key.items()):
        header += struct.pack("<HH", key, len(values) - 1)
        if len(values) <= 4096:
            bodies.append(struct.pack(f"<{len(values)}H", *values))
        else:
            bits = bytearray(8192)
            for value in values:
                bits[value >> 3] |= 1 << (value & 7)
            bodies.append(bytes(bits))
    start = 8 + 8 * len(by_key)
    for body in bodies:
        offsets.append(start)
        start += len(body)
    bitmap = struct.pack("<II", 12346, len(by_key)) + header + struct.pack(f"<{len(offsets)}I", *offsets) + b"".join(bodies)
    count = 1 if by_key else 0
    return struct.pack("<iq", 1681511377, count) + (struct.pack("<I", 0) + bitmap if count else b"")


Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(content):
    content += b"\0" * (-len(content) % 4)
    words = struct.unpack(f">{len(content) // 4}I", content)
    return "".join("".join(Z85[word // 85**power % 85] for power in (4, 3, 2, 1, 0)) for word in words)


def inline(rows):
    content = roaring(rows)
    return {"storageType": "i", "pathOrInlineDv": z85(content), "sizeInBytes": len(content), "cardinality": len(rows)}


def vectors(t):
    t.create([field("id", "long")], features=["deletionVectors"])


@table("handmade")
def hand_dv_inline(t):
    vectors(t)
    size = t.file("a.parquet", ids(0, 10), expect=False)
    t.commit(t.add("a.parquet", size, vector=inline([0, 3, 9])))
    t.expected.append(pa.table({"id": pa.array([1, 2, 4, 5, 6, 7, 8], pa.int64())}))


@table("handmade")
def hand_dv_columns_named_like_an_engine_s_own(t):
    names = ["file_row_number", "filename", "file_index", "rowid", "__delta_file", "__delta_row", "x0", "t"]
    t.create([field(name, "long") for name in names], features=["deletionVectors"])
    rows = pa.table({name: pa.array([10 * i, 10 * i + 1, 10 * i + 2], pa.int64()) for i, name in enumerate(names)})
    t.commit(t.add("a.parquet", t.file("a.parquet", rows, expect=False), vector=inline([1])))
    t.expected.append(rows.take([0, 2]))


@table("handmade")
def hand_columns_named_like_an_engine_s_own(t):
    names = ["file_row_number", "filename", "file_index", "rowid", "__delta_file", "__delta_row", "x0", "t"]
    t.create([field(name, "long") for name in names])
    t.commit(t.add("a.parquet", t.file("a.parquet", pa.table({name: pa.array([i], pa.int64()) for i, name in enumerate(names)}))))


@table("handmade")
def hand_partition_named_like_an_engine_s_own(t):
    t.create([field("id", "long"), field("filename", "string"), field("file_row_number", "integer")], ["filename", "file_row_number"])
    t.file("filename=x/file_row_number=7/a.parquet", ids(0, 1), expect=False)
    t.commit(t.add("filename=x/file_row_number=7/a.parquet", values={"filename": "x", "file_row_number": "7"}))
    t.expected.append(pa.table({"id": pa.array([0], pa.int64()), "filename": ["x"], "file_row_number": pa.array([7], pa.int32())}))


@table("handmade")
def hand_dv_empty(t):
    vectors(t)
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 10)), vector=inline([])))


@table("handmade")
def hand_dv_beyond_the_file(t):
    """A row that is not there cannot be deleted: refused or read."""
    vectors(t)
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 10)), vector=inline([3, 100])))
    return "refused"


@table("handmade")
def hand_dv_same_file_two_vectors(t):
    """The file with its old vector is removed, with its new one added, in one commit."""
    vectors(t)
    size = t.file("a.parquet", ids(0, 10), expect=False)
    t.commit(t.add("a.parquet", size))
    t.commit(t.add("a.parquet", size, vector=inline([1])), {"remove": {"path": "a.parquet", "dataChange": True, "deletionTimestamp": 1}})
    t.commit({"remove": {"path": "a.parquet", "dataChange": True, "deletionTimestamp": 1, "deletionVector": inline([1])}}, t.add("a.parquet", size, vector=inline([1, 2])))
    t.expected.append(pa.table({"id": pa.array([0, *range(3, 10)], pa.int64())}))


@table("handmade")
def hand_dv_one_file_for_many(t):
    """Three vectors in one file, at offsets, behind a folder prefix."""
    vectors(t)
    uuid = bytes(range(16))
    name = "deletion_vector_00010203-0405-0607-0809-0a0b0c0d0e0f.bin"
    os.makedirs(os.path.join(t.path, "ab"))
    actions, content = [], b"\x01"
    for i, rows in enumerate([[0], [1, 2], list(range(5000, 10000))]):
        size = t.file(f"{i}.parquet", ids(i * 10000, 10000), expect=False)
        data = roaring(rows)
        vector = {"storageType": "u", "pathOrInlineDv": "ab" + z85(uuid), "offset": len(content), "sizeInBytes": len(data), "cardinality": len(rows)}
        content += struct.pack(">i", len(data)) + data + struct.pack(">I", zlib.crc32(data))
        actions.append(t.add(f"{i}.parquet", size, vector=vector))
        t.expected.append(pa.table({"id": pa.array([i * 10000 + row for row in range(10000) if row not in set(rows)], pa.int64())}))
    with open(os.path.join(t.path, "ab", name), "wb") as file:
        file.write(content)
    t.commit(*actions)


@table("handmade")
def hand_dv_many_row_groups(t):
    vectors(t)
    rows = [row for row in range(300_000) if row % 7 == 0 or 131_000 <= row < 197_000]
    size = t.file("a.parquet", ids(0, 300_000), expect=False, row_group_size=1000)
    t.commit(t.add("a.parquet", size, vector=inline(rows)))
    gone = set(rows)
    t.expected.append(pa.table({"id": pa.array([row for row in range(300_000) if row not in gone], pa.int64())}))


@table("handmade")
def hand_dv_five_million_rows(t):
    vectors(t)
    count = 5_000_000
    size = t.file("a.parquet", ids(0, count), expect=False)
    rows = range(0, count, 2)
    t.commit(t.add("a.parquet", size, vector=inline(rows)))
    t.expected.append(pa.table({"id": pa.array(range(1, count, 2), pa.int64())}))


@table("handmade")
def hand_dv_many_files(t):
    vectors(t)
    actions = []
    for i in range(1500):
        size = t.file(f"{i}.parquet", ids(i * 10, 10), expect=False)
        actions.append(t.add(f"{i}.parquet", size, vector=inline([i % 10])))
    t.commit(*actions)
    t.expected.append(pa.table({"id": pa.array([i * 10 + row for i in range(1500) for row in range(10) if row != i % 10], pa.int64())}))


@table("handmade")
def hand_dv_wrong_cardinality(t):
    vectors(t)
    vector = inline([1, 2])
    vector["cardinality"] = 3
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 10)), vector=vector))
    return "refused"


@table("handmade")
def hand_dv_garbage(t):
    vectors(t)
    vector = {"storageType": "i", "pathOrInlineDv": z85(b"not a bitmap at all!"), "sizeInBytes": 20, "cardinality": 3}
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 10)), vector=vector))
    return "refused"


# Logs that are wrong


def broken(name, *lines):
    def make(t):
        t.create([field("id", "long")])
        t.file("a.parquet", ids(0, 1))
        with open(os.path.join(t.path, "_delta_log", f"{1:020}.json"), "w") as file:
            file.write("\n".join(lines))
        return "refused"

    make.__name__ = f"hand_broken_{name}"
    table("handmade")(make)


broken("not_json", "{")
broken("array", "[1]")
broken("number", "7")
broken("add_is_text", '{"add":"a.parquet"}')
broken("add_without_path", '{"add":{"partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')
broken("path_of_parent", '{"add":{"path":"../../../../etc/passwd","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')
broken("path_badly_encoded", '{"add":{"path":"a%zz.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')
broken("path_of_s3", '{"add":{"path":"s3://bucket/a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')
broken("path_with_nul", '{"add":{"path":"a%00.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')
broken("partition_values_missing", '{"add":{"path":"a.parquet","size":1,"modificationTime":1,"dataChange":true}}')
broken("schema_not_json", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{","partitionColumns":[],"configuration":{}}}')
broken("schema_type_unknown", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[{\\"name\\":\\"id\\",\\"type\\":\\"hyperlong\\",\\"nullable\\":true,\\"metadata\\":{}}]}","partitionColumns":[],"configuration":{}}}')
broken("schema_type_missing", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[{\\"name\\":\\"id\\"}]}","partitionColumns":[],"configuration":{}}}')
broken("schema_same_name_twice", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[{\\"name\\":\\"id\\",\\"type\\":\\"long\\",\\"nullable\\":true,\\"metadata\\":{}},{\\"name\\":\\"ID\\",\\"type\\":\\"long\\",\\"nullable\\":true,\\"metadata\\":{}}]}","partitionColumns":[],"configuration":{}}}', '{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')
broken("partition_column_not_in_schema", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[{\\"name\\":\\"id\\",\\"type\\":\\"long\\",\\"nullable\\":true,\\"metadata\\":{}}]}","partitionColumns":["nope"],"configuration":{}}}', '{"add":{"path":"a.parquet","partitionValues":{"nope":"1"},"size":1,"modificationTime":1,"dataChange":true}}')
broken("partition_columns_null", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[{\\"name\\":\\"id\\",\\"type\\":\\"long\\",\\"nullable\\":true,\\"metadata\\":{}}]}","partitionColumns":null,"configuration":null}}', '{"add":{"path":"a.parquet","partitionValues":null,"size":1,"modificationTime":1,"dataChange":true}}')
broken("format_orc", '{"metaData":{"id":"x","format":{"provider":"orc","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[]}","partitionColumns":[],"configuration":{}}}')
broken("mapping_mode_unknown", '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[]}","partitionColumns":[],"configuration":{"delta.columnMapping.mode":"telepathy"}}}')
broken("protocol_text", '{"protocol":{"minReaderVersion":"3","minWriterVersion":"7"}}')
broken("protocol_huge", '{"protocol":{"minReaderVersion":99,"minWriterVersion":99}}')
broken("vector_storage_unknown", '{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"deletionVector":{"storageType":"z","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}}')
broken("vector_without_cardinality", '{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"0rJua","sizeInBytes":4}}}')
broken("stats_not_json", '{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"stats":"{"}}')
broken("stats_wrong_types", '{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\\"numRecords\\":\\"x\\",\\"minValues\\":3}"}}')
broken("binary", "\x00\x01\x02\xff")


@table("handmade")
def hand_data_type_differs(t):
    """A file whose column cannot be what the table declares."""
    t.create([field("id", "long")])
    t.file("a.parquet", pa.table({"id": ["text"]}), expect=False)
    t.commit(t.add("a.parquet"))
    return "refused"


@table("handmade")
def hand_data_file_is_no_parquet(t):
    t.create([field("id", "long")])
    for name, content in [("empty.parquet", b""), ("text.parquet", b"PAR1 this is no Parquet file PAR1")]:
        with open(os.path.join(t.path, name), "wb") as file:
            file.write(content)
    t.commit(t.add("empty.parquet"), t.add("text.parquet"))
    return "refused"


@table("handmade")
def hand_no_log(t):
    os.rmdir(os.path.join(t.path, "_delta_log"))
    t.file("a.parquet", ids(0, 1))
    return "refused"


@table("handmade")
def hand_no_columns(t):
    t.create([])
    return "refused"
