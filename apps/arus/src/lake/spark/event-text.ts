/**
 * The text of an event as ingest writes it: every field, in its order, with values of its type. A text of this shape up to its
 * `properties` reads the same in JavaScript and in Spark, and a pattern is cheap to hold against millions of them.
 *
 * Written for Java, whose loops over groups recurse: those are short. Whatever does not match is no worse for it, but slower.
 */

const PLAIN = String.raw`[^"\\\x00-\x1f]`
const ID = `"${PLAIN}{1,256}"`
const NAME = `"${PLAIN}{0,256}"`
/** Escapes of halves of surrogate pairs, which no other text has, are not among these. */
const TEXT = String.raw`"${PLAIN}*(?:\\["\\bfnrt]${PLAIN}*){0,100}"`
/** From 1970 to a year of four digits. */
const TIME = '[1-9][0-9]{11,13}'
const NUMBER = String.raw`-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,2})?`
const RANK = '[1-9][0-9]{0,8}'

const orNull = (pattern: string) => `(?:null|${pattern})`

/** In their order: `properties` are the last. */
const FIELDS: readonly (readonly [name: string, type: string, pattern: string])[] = [
  ['event_id', 'STRING', ID],
  ['user_id', 'STRING', orNull(ID)],
  ['session_id', 'STRING', orNull(ID)],
  ['anonymous_id', 'STRING', orNull(ID)],
  ['action', 'STRING', ID],
  ['product_id', 'STRING', orNull(ID)],
  ['ts', 'BIGINT', TIME],
  ['received_at', 'BIGINT', TIME],
  ['price', 'DOUBLE', orNull(NUMBER)],
  ['quantity', 'DOUBLE', orNull(NUMBER)],
  ['order_id', 'STRING', orNull(NAME)],
  ['recommendation_id', 'STRING', orNull(NAME)],
  ['position', 'INT', orNull(RANK)],
  ['query', 'STRING', orNull(TEXT)],
]

/** Belongs to somebody. */
const SOMEBODY = '(?!.{1,600}"user_id":null,"session_id":null,"anonymous_id":null,)'
const BEFORE_PROPERTIES = FIELDS.map(([name, , pattern]) => `"${name}":${pattern}`).join(',')

/** Of a whole text. What its properties are is not looked at; they are the text between `PROPERTIES_KEY` and the last brace. */
export const EVENT_TEXT: string = String.raw`^${SOMEBODY}\{${BEFORE_PROPERTIES},"properties":(?:null|\{.*\})\}$`
/** Stands nowhere before the properties: within a text its quotes would be escaped. */
export const PROPERTIES_KEY = '"properties":'
/** Schema of the fields before the properties, as Spark's DDL. */
export const EVENT_SCHEMA: string = FIELDS.map(([name, type]) => `${name} ${type}`).join(', ')
