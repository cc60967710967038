"""Tables no engine here writes, logs and files by hand; expected is what Spark reads. Nothing is where Spark refuses, or where
what it does is not ours to copy ("either": read or refused, never a crash)."""

import datetime as dt
import decimal
import json
import os
import shutil
import struct

import pyarrow as pa

from handmade_tables import HandmadeTable, field, ids, inline, mapped
from spark_engine import SparkTable
from tables import table


class UnusualTable(HandmadeTable):
    def __init__(self, path, spark):
        super().__init__(path)
        self.spark = spark

    def groups(self, name, message, rows, **conf):
        """A Parquet file of any schema that Parquet's own language of messages can say; rows are dicts, lists repeat."""
        jvm = self.spark._jvm
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        schema = jvm.org.apache.parquet.schema.MessageTypeParser.parseMessageType(message)
        builder = jvm.org.apache.parquet.hadoop.example.ExampleParquetWriter.builder(jvm.org.apache.hadoop.fs.Path("file://" + path)).withType(schema)
        for key, value in conf.items():
            builder = builder.withExtraMetaData({key.replace("__", "."): value})
        writer = builder.build()
        try:
            for row in rows:
                group = jvm.org.apache.parquet.example.data.simple.SimpleGroup(schema)
                self._fill(group, row)
                writer.write(group)
        finally:
            writer.close()
        return os.path.getsize(path)

    def _fill(self, group, row):
        binary = self.spark._jvm.org.apache.parquet.io.api.Binary
        for name, values in row.items():
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, dict):
                    self._fill(group.addGroup(name), value)
                elif isinstance(value, bytes):
                    group.add(name, binary.fromConstantByteArray(bytearray(value)))
                elif value is not None:
                    group.add(name, value)

    def one(self, columns, name, rows, partitions=(), values=None, **options):
        """A table of one file."""
        self.create(columns, partitions)
        self.commit(self.add(name, self.file(name, rows, **options), values=values))

    def with_partitions(self, type, values, features=()):
        """A file for each spelling of a partition's value; null is None, absent is …"""
        self.create([field("id", "long"), field("p", type)], ["p"], features=features)
        actions = []
        for i, value in enumerate(values):
            size = self.file(f"{i}.parquet", ids(i, 1))
            actions.append(self.add(f"{i}.parquet", size, values={} if value is ... else {"p": value}))
        self.commit(*actions)


def engine(spark):
    def run(make, home):
        path = os.path.join(home, "delta")
        one = UnusualTable(path, spark)
        if make(one) == "either":
            return {}
        reader = SparkTable(spark, path)
        reader.forget()
        expected = os.path.join(home, "expected")
        try:
            with reader.conf(spark__sql__parquet__outputTimestampType="TIMESTAMP_MICROS", spark__sql__parquet__datetimeRebaseModeInWrite="CORRECTED"):
                reader.read().coalesce(1).write.parquet(expected)
            return {"expected": "expected/", "expected_rows": reader.read().count()}
        except Exception as error:
            print("  Spark refuses:", " ".join(str(error).split("\n")[:2])[:240], flush=True)
            shutil.rmtree(expected, ignore_errors=True)
            return {}

    return run


def array(element):
    return {"type": "array", "elementType": element, "containsNull": True}


def map_of(key, value):
    return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}


def struct_of(*fields):
    return {"type": "struct", "fields": list(fields)}


# Files whose types are not quite the table's


@table("unusual")
def odd_text_without_annotation(t):
    """Old writers (Impala, Hive) do not mark text as such."""
    kind = pa.struct([("s", pa.binary()), ("l", pa.list_(pa.binary())), ("m", pa.map_(pa.binary(), pa.binary()))])
    rows = pa.table({"id": pa.array([1, 2, 3, 4], pa.int64()), "s": pa.array(["é\\x41".encode(), b"", None, b"plain"], pa.binary()),
                     "n": pa.array([{"s": "ü".encode(), "l": ["😀".encode(), None], "m": [(b"k", "ö".encode())]}, None, {"s": None, "l": [], "m": []}, {"s": b"x", "l": None, "m": None}], kind)})
    t.one([field("id", "long"), field("s", "string"), field("n", struct_of(field("s", "string"), field("l", array("string")), field("m", map_of("string", "string"))))], "a.parquet", rows, store_schema=False)


@table("unusual")
def odd_text_that_is_no_utf8(t):
    rows = pa.table({"s": pa.array([b"\xff\xfe", b"ok", b"a\x00b"], pa.binary())})
    t.one([field("s", "string")], "a.parquet", rows, store_schema=False)
    return "either"


@table("unusual")
def odd_binary_annotated_as_text(t):
    rows = pa.table({"b": pa.array(["é\\x41", "", None, "\\", "it's"], pa.string()), "l": pa.array([["é\\x41"], None, [], [None], ["x"]], pa.list_(pa.string()))})
    t.one([field("b", "binary"), field("l", array("binary"))], "a.parquet", rows)


@table("unusual")
def odd_fixed_length_binary(t):
    t.create([field("b", "binary"), field("e", "string"), field("j", "string")])
    t.commit(t.add("a.parquet", t.groups("a.parquet", "message m { optional fixed_len_byte_array(3) b; optional binary e (ENUM); optional binary j (JSON); }", [{"b": b"\x00\xff\x01", "e": "ONE", "j": '{"a": "é"}'}, {"e": "TWO"}])))


def other_type(name, delta_type, array_, expectation=None):
    def make(t):
        rows = pa.table({"x": array_})
        t.one([field("x", delta_type)], "a.parquet", rows, store_schema=False)
        return expectation

    make.__name__ = f"odd_type_{name}"
    table("unusual")(make)


D = decimal.Decimal
other_type("int_in_long", "long", pa.array([1, None, -5], pa.int32()))
other_type("int_in_short", "short", pa.array([1, None, -5], pa.int32()))
other_type("int_too_large_in_byte", "byte", pa.array([1, 300], pa.int32()), "either")
other_type("long_in_int", "integer", pa.array([1, None, -5], pa.int64()))
other_type("long_too_large_in_int", "integer", pa.array([1, 2**40], pa.int64()))
other_type("uint8_in_short", "short", pa.array([1, 255], pa.uint8()))
other_type("uint16_in_int", "integer", pa.array([1, 65535], pa.uint16()))
other_type("uint32_in_long", "long", pa.array([1, 2**32 - 1], pa.uint32()))
other_type("uint64_in_decimal", "decimal(20,0)", pa.array([1, 2**64 - 1], pa.uint64()))
other_type("uint64_in_long", "long", pa.array([1, 7], pa.uint64()))
other_type("float_in_double", "double", pa.array([1.5, None, 0.1], pa.float32()))
other_type("double_in_float", "float", pa.array([1.5, None, 0.1], pa.float64()))
other_type("int_in_double", "double", pa.array([1, None], pa.int32()))
other_type("int_in_decimal", "decimal(12,2)", pa.array([1, None], pa.int32()))
other_type("long_in_decimal", "decimal(22,2)", pa.array([1, None], pa.int64()))
other_type("decimal_wider", "decimal(10,2)", pa.array([D("1.25"), None], pa.decimal128(5, 2)))
other_type("decimal_narrower", "decimal(5,2)", pa.array([D("1.25"), None], pa.decimal128(10, 2)))
other_type("decimal_other_scale", "decimal(10,1)", pa.array([D("1.25"), None], pa.decimal128(10, 2)))
other_type("decimal_more_scale", "decimal(12,4)", pa.array([D("1.25"), None], pa.decimal128(10, 2)))
other_type("decimal256", "decimal(38,0)", pa.array([D("12345678901234567890123456789012345678"), None], pa.decimal256(40, 0)))
other_type("date_in_timestamp_ntz", "timestamp_ntz", pa.array([dt.date(2020, 1, 1), None], pa.date32()))
other_type("date_in_timestamp", "timestamp", pa.array([dt.date(2020, 1, 1), None], pa.date32()))
other_type("timestamp_in_date", "date", pa.array([dt.datetime(2020, 1, 1, 5), None], pa.timestamp("us")))
other_type("local_in_timestamp", "timestamp", pa.array([dt.datetime(2020, 1, 1, 5), None], pa.timestamp("us")))
other_type("utc_in_local", "timestamp_ntz", pa.array([dt.datetime(2020, 1, 1, 5), None], pa.timestamp("us", "UTC")))
other_type("int_in_string", "string", pa.array([1, None], pa.int32()))
other_type("boolean_in_int", "integer", pa.array([True, None], pa.bool_()))
other_type("int_in_date", "date", pa.array([18262, None], pa.int32()), "either")
other_type("long_in_timestamp", "timestamp", pa.array([1577836800000000, None], pa.int64()))
other_type("string_in_int", "integer", pa.array(["1", "x"]))
other_type("half_in_float", "float", pa.array([1.5, None], pa.float16()))
other_type("time_in_long", "long", pa.array([1, None], pa.time64("us")), "either")
other_type("null_in_int", "integer", pa.array([None, None], pa.null()))
other_type("scalar_for_struct", struct_of(field("a", "integer")), pa.array([1], pa.int32()))
other_type("struct_for_scalar", "integer", pa.array([{"a": 1}]))
other_type("list_for_scalar", "integer", pa.array([[1]]))
other_type("map_for_list", array("integer"), pa.array([[(1, 2)]], pa.map_(pa.int32(), pa.int32())))
other_type("list_of_entries_for_map", map_of("integer", "integer"), pa.array([[{"key": 1, "value": 2}]], pa.list_(pa.struct([("key", pa.int32()), ("value", pa.int32())]))))


@table("unusual")
def odd_timestamps_far_away(t):
    far = [-62135596800000000, -30610224000000000, -2208988800000001, -1, 0, 9223372036854775 * 1000 // 1000, 253402300799999999]
    rows = pa.table({"ts": pa.array(far, pa.timestamp("us", "UTC")), "tn": pa.array(far, pa.timestamp("us")), "d": pa.array([-719162, -141428, -25567, -1, 0, 106751, 2932896], pa.date32())})
    t.create([field("ts", "timestamp"), field("tn", "timestamp_ntz"), field("d", "date")], features=["timestampNtz"])
    t.commit(t.add("a.parquet", t.file("a.parquet", rows)))


@table("unusual")
def odd_timestamps_int96(t):
    """Julian day and nanoseconds of it, far from what nanoseconds since 1970 can say."""
    days = [1721426, 2299161, 2415021, 2440588, 2547340, 5373484]
    rows = [{"ts": struct.pack("<qi", nanos, day)} for day in days for nanos in [0, 1000, 86399999999000]]
    t.create([field("ts", "timestamp")])
    t.commit(t.add("a.parquet", t.groups("a.parquet", "message m { optional int96 ts; }", rows)))


@table("unusual")
def odd_dates_of_spark_2(t):
    """Files of Spark before 3 count days before 1582-10-15 by the Julian calendar, and say by whom they were written."""
    t.create([field("d", "date"), field("ts", "timestamp")])
    message = "message m { optional int32 d (DATE); optional int64 ts (TIMESTAMP_MICROS); }"
    rows = [{"d": day, "ts": day * 86400000000} for day in [-719164, -354285, -141428, -141427, -200000]]
    t.commit(t.add("a.parquet", t.groups("a.parquet", message, rows, org__apache__spark__version="2.4.8")))


# Layouts of lists and maps


def layout(name, delta_type, message, rows, expectation=None):
    def make(t):
        t.create([field("x", delta_type)])
        t.commit(t.add("a.parquet", t.groups("a.parquet", f"message m {{ {message} }}", rows)))
        return expectation

    make.__name__ = f"odd_layout_{name}"
    table("unusual")(make)


element = struct_of(field("a", "integer"), field("b", "string"))
layout("two_levels", array("integer"), "optional group x (LIST) { repeated int32 array; }", [{"x": {"array": [1, 2]}}, {"x": {}}, {}])
layout("two_levels_other_name", array("integer"), "optional group x (LIST) { repeated int32 element; }", [{"x": {"element": [1, 2]}}, {"x": {}}, {}])
layout("two_levels_groups", array(element), "optional group x (LIST) { repeated group array { optional int32 a; optional binary b (UTF8); } }", [{"x": {"array": [{"a": 1, "b": "x"}, {"a": 2}]}}, {"x": {}}, {}])
layout("two_levels_groups_of_one_field", array(struct_of(field("a", "integer"))), "optional group x (LIST) { repeated group array { optional int32 a; } }", [{"x": {"array": [{"a": 1}, {}]}}, {}])
layout("two_levels_tuple", array(struct_of(field("a", "integer"))), "optional group x (LIST) { repeated group x_tuple { optional int32 a; } }", [{"x": {"x_tuple": [{"a": 1}, {}]}}, {}])
layout("two_levels_group_wider", array(struct_of(field("b", "long"), field("a", "string"))), "optional group x (LIST) { repeated group array { optional binary a (UTF8); } }", [{"x": {"array": [{"a": b"y"}, {}]}}, {"x": {}}, {}])
layout("two_levels_group_deep", struct_of(field("l", array(struct_of(field("inner", array(struct_of(field("a", "integer")))))))), "optional group x { optional group l (LIST) { repeated group l_tuple { optional group inner (LIST) { repeated group array { required int32 a; } } } } }", [{"x": {"l": {"l_tuple": [{"inner": {"array": [{"a": 1}, {"a": 2}]}}, {"inner": {}}, {}]}}}, {"x": {}}, {}])
layout("three_levels_named_array", array(struct_of(field("a", "integer"))), "optional group x (LIST) { repeated group array { optional group element { optional int32 a; } } }", [{"x": {"array": [{"element": {"a": 1}}, {}]}}, {}], "either")
layout("bag", array("integer"), "optional group x (LIST) { repeated group bag { optional int32 array_element; } }", [{"x": {"bag": [{"array_element": 1}, {}]}}, {"x": {}}, {}])
layout("list_item", array("integer"), "optional group x (LIST) { repeated group list { optional int32 item; } }", [{"x": {"list": [{"item": 1}, {}]}}, {"x": {}}, {}])
layout("repeated_bare", array("integer"), "repeated int32 x;", [{"x": [1, 2]}, {}])
layout("repeated_group_bare", array(element), "repeated group x { optional int32 a; optional binary b (UTF8); }", [{"x": [{"a": 1, "b": "x"}, {"a": 2}]}, {}])
layout("required_list", array("integer"), "required group x (LIST) { repeated group list { required int32 element; } }", [{"x": {"list": [{"element": 1}]}}, {"x": {}}])
layout("nested_two_levels", array(array("integer")), "optional group x (LIST) { repeated group array (LIST) { repeated int32 array; } }", [{"x": {"array": [{"array": [1, 2]}, {}]}}, {}])
layout("map_legacy", map_of("string", "integer"), "optional group x (MAP_KEY_VALUE) { repeated group map { required binary key (UTF8); optional int32 value; } }", [{"x": {"map": [{"key": "k", "value": 1}, {"key": "n"}]}}, {"x": {}}, {}], "either")
layout("map_named_otherwise", map_of("string", "integer"), "optional group x (MAP) { repeated group entries { required binary k (UTF8); optional int32 v; } }", [{"x": {"entries": [{"k": "k", "v": 1}]}}, {}])
layout("map_without_value_rows", map_of("string", "integer"), "optional group x (MAP) { repeated group key_value { required binary key (UTF8); optional int32 value; } }", [{"x": {}}, {}])
layout("map_optional_key", map_of("string", "integer"), "optional group x (MAP) { repeated group key_value { optional binary key (UTF8); optional int32 value; } }", [{"x": {"key_value": [{"key": "a", "value": 1}]}}, {}])
layout("map_same_key_twice", map_of("string", "integer"), "optional group x (MAP) { repeated group key_value { required binary key (UTF8); optional int32 value; } }", [{"x": {"key_value": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}}, {}])
layout("map_null_key", map_of("string", "integer"), "optional group x (MAP) { repeated group key_value { optional binary key (UTF8); optional int32 value; } }", [{"x": {"key_value": [{"value": 1}]}}, {}])
layout("struct_other_case_and_order", struct_of(field("a", "integer"), field("Bb", "string"), field("c", "long")), "optional group X { optional binary bB (UTF8); optional int32 extra; optional int32 A; }", [{"X": {"bB": "x", "extra": 1, "A": 2}}, {}])
layout("struct_deep_other_case", array(struct_of(field("Inner", struct_of(field("DeepField", "integer"))))), "optional group x (LIST) { repeated group list { optional group element { optional group inner { optional int32 deepfield; } } } }", [{"x": {"list": [{"element": {"inner": {"deepfield": 1}}}, {}]}}, {}])
layout("decimal_as_binary", "decimal(10,2)", "optional binary x (DECIMAL(10,2));", [{"x": (12345).to_bytes(2, "big")}, {"x": (-1).to_bytes(5, "big", signed=True)}, {}])
layout("decimal_as_int32", "decimal(9,2)", "optional int32 x (DECIMAL(9,2));", [{"x": 12345}, {"x": -1}, {}])
layout("decimal_as_fixed_too_long", "decimal(5,2)", "optional fixed_len_byte_array(16) x (DECIMAL(5,2));", [{"x": (12345).to_bytes(16, "big")}, {"x": (-1).to_bytes(16, "big", signed=True)}, {}])
layout("timestamp_millis", "timestamp", "optional int64 x (TIMESTAMP_MILLIS);", [{"x": 1577836800123}, {"x": -62135596800000}, {}])
layout("byte_annotated", "byte", "optional int32 x (INT_8);", [{"x": -128}, {"x": 127}, {}])
layout("both_cases", "integer", "optional int32 x; optional int32 X;", [{"x": 1, "X": 2}])


@table("unusual")
def odd_maps_of_everything(t):
    key = struct_of(field("a", "integer"), field("b", "date"))
    kind = pa.map_(pa.struct([("a", pa.int32()), ("b", pa.date32())]), pa.list_(pa.map_(pa.timestamp("us", "UTC"), pa.decimal128(38, 18))))
    moment = dt.datetime(1899, 12, 31, 23, 59, 59, 999999, dt.timezone.utc)
    rows = pa.table({"m": pa.array([[({"a": 1, "b": dt.date(1, 1, 1)}, [[(moment, D("-1.000000000000000001"))], None, []])], None, []], kind), "b": pa.array([[(b"\x00", None)], None, []], pa.map_(pa.binary(), pa.float32()))})
    t.one([field("m", map_of(key, array(map_of("timestamp", "decimal(38,18)")))), field("b", map_of("binary", "float"))], "a.parquet", rows)


@table("unusual")
def odd_struct_with_many_fields_and_names(t):
    names = ["a.b", "a b", "a`b", "a'b", 'a"b', "ä", "A", "日本", "0", "select", "a,b", "a;b", "a{b}", "a=b", "a\tb", "a\\b"]
    rows = pa.table({"s": pa.array([{name: i for i, name in enumerate(names)}, None], pa.struct([(name, pa.int64()) for name in names]))})
    t.one([field("s", struct_of(*[field(name, "long") for name in names]))], "a.parquet", rows)


@table("unusual")
def odd_void_everywhere(t):
    t.create([field("id", "long"), field("v", "void"), field("s", struct_of(field("v", "void"), field("a", "integer"))), field("o", struct_of(field("v", "void"))), field("l", array("void"))])
    rows = pa.table({"id": pa.array([1, 2], pa.int64()), "s": pa.array([{"a": 1}, None], pa.struct([("a", pa.int32())]))})
    t.commit(t.add("a.parquet", t.file("a.parquet", rows)))


# Spellings of partition values


def spellings(name, type, values, features=(), expectation=None):
    def make(t):
        t.with_partitions(type, values, features)
        return expectation

    make.__name__ = f"odd_partition_{name}"
    table("unusual")(make)


spellings("string", "string", [None, ..., "__HIVE_DEFAULT_PARTITION__", " ", "null", "NULL", "a\nb", "a'b", 'a"b', "\\", "%", "%20", "a/b", "😀", "e\u0301", "\t"])
spellings("string_nul", "string", ["a\u0000b", "\u0000"])
spellings("integer", "integer", ["1", "-2147483648", "+5", " 7 ", "007", None, ...])
spellings("integer_default", "integer", ["1", "__HIVE_DEFAULT_PARTITION__"])
spellings("integer_empty", "integer", ["1", ""])
spellings("integer_decimal", "integer", ["5.0"])
spellings("integer_too_large", "integer", ["2147483648"], expectation="either")
spellings("integer_exponent", "integer", ["1e3"], expectation="either")
spellings("byte", "byte", ["-128", "127"])
spellings("boolean", "boolean", ["true", "false", "TRUE", "False", None])
spellings("boolean_one", "boolean", ["1", "0"])
spellings("boolean_words", "boolean", ["t", "f", "yes", "no", "y", "n"])
spellings("double", "double", ["1.5", "-0.0", "1e300", "NaN", "Infinity", "-Infinity", "1.", ".5", "4.9E-324"])
spellings("double_short", "double", ["inf", "-inf", "+Infinity", "nan", "1d", "1f"], expectation="either")
spellings("float", "float", ["1.5", "3.4028235E38", "1.0E-45", "0.1"])
spellings("float_overflow", "float", ["1e40"])
spellings("decimal", "decimal(5,2)", ["1.25", "-999.99", "1", "1.5", None])
spellings("decimal_rounded", "decimal(5,2)", ["1.005", "1.004"])
spellings("decimal_exponent", "decimal(5,2)", ["1E2"])
spellings("decimal_overflow", "decimal(5,2)", ["12345"], expectation="either")
spellings("decimal_large", "decimal(38,18)", ["12345678901234567890.123456789012345678", "-0.000000000000000001"])
spellings("date", "date", ["2020-01-01", "0001-01-01", "9999-12-31", "1582-10-10", None])
spellings("date_short", "date", ["2020-1-2", "2020-03", "2020"], expectation="either")
spellings("date_with_time", "date", ["2020-01-01T05:00:00", "2020-01-01 05:00:00"])
spellings("date_far", "date", ["+12020-01-01", "-0044-03-15"], expectation="either")
spellings("timestamp", "timestamp", ["2020-01-01 00:00:00", "2020-01-01 00:00:00.1", "2020-01-01T00:00:00.123456Z", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1899-12-31 23:59:59"])
spellings("timestamp_short", "timestamp", ["2020-01-01", "2020-01-01 05", "2020-01-01 05:06", "2020-1-1 5:6:7"], expectation="either")
spellings("timestamp_zone", "timestamp", ["2020-01-01 00:00:00+02:00", "2020-01-01 00:00:00 Europe/Paris", "2020-01-01T00:00:00+0200", "2020-01-01 00:00:00 UTC"])
spellings("timestamp_nanos", "timestamp", ["2020-01-01 00:00:00.123456789"])
spellings("timestamp_ntz", "timestamp_ntz", ["2020-01-01 00:00:00", "1582-10-10 00:00:00.000001", "9999-12-31 23:59:59.999999"], ["timestampNtz"])
spellings("timestamp_ntz_zone", "timestamp_ntz", ["2020-01-01T00:00:00Z", "2020-01-01 00:00:00+02:00"], ["timestampNtz"])
spellings("binary", "binary", ["abc", "é", "\u0001\u0002", "\\x41", None])


@table("unusual")
def odd_partition_keys(t):
    """Keys that are in no schema, and in another letter case."""
    t.create([field("id", "long"), field("Part", "string")], ["part"])
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 1)), values={"Part": "x", "unknown": "y"}))


@table("unusual")
def odd_partition_keys_in_another_case(t):
    t.create([field("id", "long"), field("p", "string")], ["p"])
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 1)), values={"P": "x"}))


@table("unusual")
def odd_partition_column_changed(t):
    """The table was partitioned otherwise before it was overwritten."""
    t.create([field("id", "long"), field("p", "string"), field("q", "integer")], ["p"])
    t.commit(t.add("p=1/a.parquet", t.file("p=1/a.parquet", pa.table({"id": pa.array([1], pa.int64()), "q": pa.array([1], pa.int32())})), values={"p": "1"}))
    t.create([field("id", "long"), field("p", "string"), field("q", "integer")], ["q"])
    t.commit({"remove": {"path": "p=1/a.parquet", "dataChange": True, "deletionTimestamp": 1}}, t.add("q=2/a.parquet", t.file("q=2/a.parquet", pa.table({"id": pa.array([2], pa.int64()), "p": ["x"]})), values={"q": "2"}))


# Logs


@table("unusual")
def odd_log_same_file_two_vectors(t):
    """Nothing removed the first, so the file is there twice."""
    t.create([field("id", "long")], features=["deletionVectors"])
    size = t.file("a.parquet", ids(0, 5))
    t.commit(t.add("a.parquet", size, vector=inline([0])))
    t.commit(t.add("a.parquet", size, vector=inline([1])))


@table("unusual")
def odd_log_remove_without_vector(t):
    """A removal that does not name the vector is of another file."""
    t.create([field("id", "long")], features=["deletionVectors"])
    size = t.file("a.parquet", ids(0, 5))
    t.commit(t.add("a.parquet", size, vector=inline([0])))
    t.commit({"remove": {"path": "a.parquet", "dataChange": True, "deletionTimestamp": 1}})


@table("unusual")
def odd_log_numbers(t):
    """Numbers as some JSON libraries write them."""
    t.create([field("id", "long")])
    t.file("a.parquet", ids(0, 3))
    with open(os.path.join(t.path, "_delta_log", f"{t.version:020}.json"), "w") as file:
        file.write('{"add":{"path":"a.parquet","partitionValues":{},"size":9007199254740993,"modificationTime":1.0e3,"dataChange":true,"stats":"{\\"numRecords\\":3,\\"minValues\\":{\\"id\\":NaN}}"}}')


@table("unusual")
def odd_log_size_missing(t):
    t.create([field("id", "long")])
    t.file("a.parquet", ids(0, 3))
    with open(os.path.join(t.path, "_delta_log", f"{t.version:020}.json"), "w") as file:
        file.write('{"add":{"path":"a.parquet","partitionValues":{},"dataChange":true}}\n')
    return "either"


@table("unusual")
def odd_log_null_actions(t):
    t.create([field("id", "long")])
    action = t.add("a.parquet", t.file("a.parquet", ids(0, 3)))
    t.commit({**action, "remove": None, "metaData": None, "protocol": None, "txn": None, "unknown": {"a": [1]}}, {"add": None}, {}, {"madeUp": {"path": "a.parquet"}})


@table("unusual")
def odd_log_many_metadata(t):
    """Two in one commit: which one counts is not said."""
    t.create([field("id", "long")])
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 3))))
    t.create([field("id", "long"), field("x", "string")])


@table("unusual")
def odd_log_byte_order_mark(t):
    t.create([field("id", "long")])
    action = t.add("a.parquet", t.file("a.parquet", ids(0, 3)))
    with open(os.path.join(t.path, "_delta_log", f"{t.version:020}.json"), "w", encoding="utf-8-sig") as file:
        file.write(json.dumps(action) + "\r\n\r\n")


@table("unusual")
def odd_log_separators_in_text(t):
    """Characters that end a line elsewhere, not in JSON lines."""
    t.create([field("id", "long"), field("p", "string", comment="a\u2028b\u2029c\u0085d")], ["p"])
    action = t.add("a.parquet", t.file("a.parquet", ids(0, 1)), values={"p": "x\u2028y\u0085z"})
    with open(os.path.join(t.path, "_delta_log", f"{t.version:020}.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(action, ensure_ascii=False) + "\n")


@table("unusual")
def odd_log_file_names(t):
    """Data files need no ending, and may be hidden from other programs."""
    t.create([field("id", "long")])
    names = ["part-0", "_hidden.parquet", ".dot.parquet", "a.parquet.gz", "x.csv", "_delta_index/a.parquet", "sub/_delta_log/a.parquet", "a.json"]
    t.commit(*[t.add(name, t.file(name, ids(i, 1))) for i, name in enumerate(names)])


@table("unusual")
def odd_log_reader_2_features_null(t):
    t.create([field("id", "long")])
    t.commit({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5, "readerFeatures": None, "writerFeatures": None}}, t.add("a.parquet", t.file("a.parquet", ids(0, 1))))


@table("unusual")
def odd_log_feature_lists_empty(t):
    t.create([field("id", "long")])
    t.commit({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [], "writerFeatures": []}}, t.add("a.parquet", t.file("a.parquet", ids(0, 1))))


@table("unusual")
def odd_log_reader_3_without_lists(t):
    t.create([field("id", "long")])
    t.commit({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7}}, t.add("a.parquet", t.file("a.parquet", ids(0, 1))))


@table("unusual")
def odd_log_mapping_not_in_protocol(t):
    t.create([mapped("id", "long", 1, "col-1")], configuration={"delta.columnMapping.mode": "name"})
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 3).rename_columns(["col-1"]))))


@table("unusual")
def odd_log_vector_not_in_protocol(t):
    t.create([field("id", "long")])
    t.commit(t.add("a.parquet", t.file("a.parquet", ids(0, 5)), vector=inline([0])))
    return "either"


@table("unusual")
def odd_log_writer_features(t):
    """Of writers only, so readers go on: those of the protocol, of its proposals and made up."""
    t.create([field("id", "long")])
    features = ["appendOnly", "invariants", "checkConstraints", "changeDataFeed", "generatedColumns", "identityColumns", "rowTracking", "domainMetadata", "icebergCompatV1", "icebergCompatV2",
                "icebergCompatV3", "clustering", "inCommitTimestamp", "allowColumnDefaults", "checkpointProtection", "materializePartitionColumns", "icebergWriterCompatV1", "coordinatedCommits-preview", "redirectWriterOnly-preview"]
    t.commit({"protocol": {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": features}}, t.add("a.parquet", t.file("a.parquet", ids(0, 3))))


@table("unusual")
def odd_many_partitions_in_folders_of_their_own(t):
    """Encoded partition values, 8,000 of them."""
    t.create([field("id", "long"), field("p", "timestamp")], ["p"])
    moment = lambda i: str(dt.datetime(2020, 1, 1) + dt.timedelta(minutes=i))
    names = [f"p={moment(i).replace(':', '%3A')}/a.parquet" for i in range(8000)]
    t.commit(*[t.add(name, t.file(name, ids(i, 1)), values={"p": moment(i)}) for i, name in enumerate(names)])


@table("unusual")
def odd_many_vectors(t):
    t.create([field("id", "long")], features=["deletionVectors"])
    actions = []
    for i in range(6000):
        actions.append(t.add(f"{i}.parquet", t.file(f"{i}.parquet", ids(i * 10, 10)), vector=inline([i % 10])))
    t.commit(*actions)


@table("unusual")
def odd_many_commits(t):
    t.create([field("id", "long")])
    for i in range(4000):
        t.commit(t.add(f"{i}.parquet", t.file(f"{i}.parquet", ids(i, 1))))
        if i % 3 == 2:
            t.commit({"remove": {"path": f"{i - 1}.parquet", "dataChange": True, "deletionTimestamp": 1}})


@table("unusual")
def odd_wide_and_deep(t):
    """Three thousand columns, and a struct that wide inside a list."""
    t.create([field(f"c{i}", "integer") for i in range(3000)] + [field("l", array(struct_of(*[field(f"f{i}", "integer") for i in range(500)])))])
    rows = pa.table({**{f"c{i}": pa.array([i], pa.int32()) for i in range(0, 3000, 7)}, "l": pa.array([[{f"f{i}": i for i in range(0, 500, 3)}]], pa.list_(pa.struct([(f"f{i}", pa.int32()) for i in range(0, 500, 3)])))})
    t.commit(t.add("a.parquet", t.file("a.parquet", rows)))
