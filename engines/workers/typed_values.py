"""Values as JSON that keeps their type, the same for every engine. Types are Delta's (Protocol, "Schema Serialization").

long and decimal: text; float and double: number, or "NaN", "Infinity", "-Infinity"; binary: upper-case hexadecimal;
date: 2024-01-31; timestamp: 2024-01-31T12:00:00.000000Z; timestamp_ntz: the same without Z; map: pairs in order of
their JSON; struct: object.
"""

import datetime
import decimal
import json
import math

FRACTIONAL = ("float", "double")


def encode(value, data_type):
    if value is None:
        return None
    if isinstance(data_type, dict):
        return encode_nested(value, data_type)
    if data_type == "long":
        return str(value)
    if data_type in FRACTIONAL:
        return value if math.isfinite(value) else {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(value)]
    if data_type.startswith("decimal"):
        return format(value, "f")
    if data_type == "binary":
        return bytes(value).hex().upper()
    if data_type == "date":
        return value.isoformat()
    if data_type in ("timestamp", "timestamp_ntz"):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + ("Z" if data_type == "timestamp" else "")
    return value


def encode_nested(value, data_type):
    if data_type["type"] == "array":
        return [encode(item, data_type["elementType"]) for item in value]
    if data_type["type"] == "map":
        pairs = value.items() if isinstance(value, dict) else value
        encoded = [[encode(k, data_type["keyType"]), encode(v, data_type["valueType"])] for k, v in pairs]
        return sorted(encoded, key=json.dumps)
    return {field["name"]: encode(value[field["name"]], field["type"]) for field in data_type["fields"]}


def decode(value, data_type):
    """The Python value that both PySpark and pyarrow take for a value of `encode`."""
    if value is None:
        return None
    if isinstance(data_type, dict):
        return decode_nested(value, data_type)
    if data_type == "long":
        return int(value)
    if data_type in FRACTIONAL:
        return float(value)
    if data_type.startswith("decimal"):
        return decimal.Decimal(value)
    if data_type == "binary":
        return bytes.fromhex(value)
    if data_type == "date":
        return datetime.date.fromisoformat(value)
    if data_type in ("timestamp", "timestamp_ntz"):
        return datetime.datetime.fromisoformat(value)
    return value


def decode_nested(value, data_type):
    if data_type["type"] == "array":
        return [decode(item, data_type["elementType"]) for item in value]
    if data_type["type"] == "map":
        return {decode(k, data_type["keyType"]): decode(v, data_type["valueType"]) for k, v in value}
    return {field["name"]: decode(value[field["name"]], field["type"]) for field in data_type["fields"]}


def decode_row(row, schema):
    return {field["name"]: decode(row[field["name"]], field["type"]) for field in schema["fields"]}
