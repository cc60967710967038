/** Table functions a query may call: those that make rows out of their arguments. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
  'regexp_split_to_table',
  'icu_calendar_names',
  'pg_timezone_names',
])

/** Functions that look at the engine, its settings, its environment or its clock of work, or run text as SQL. */
const REFUSED =
  /^(read_|parquet_|duckdb_|pragma_|pg_|json_serialize_|json_deserialize_|json_execute_|current_setting$|getvariable$|getenv$|current_query|current_connection_id$|current_transaction_id$|txid_current$|nextval$|currval$|sleep_ms$|write_log$|parse_duckdb_log_message$|stats$|query$|query_table$|which_secret$|glob$|sniff_csv$|setseed$|inet_|obj_description$|col_description$|shobj_description$|has_\w*_privilege$|get_block_size$|in_search_path$)/

/** Of the refused kind by name, but harmless. */
const HARMLESS: ReadonlySet<string> = new Set(['pg_typeof', 'pg_size_pretty', 'pg_timezone_names'])

/** Functions whose value may differ when the same query runs again on the same versions. */
export const UNREPEATABLE: ReadonlySet<string> = new Set([
  'random',
  'uuid',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'now',
  'today',
  'current_date',
  'current_time',
  'current_timestamp',
  'localtime',
  'localtimestamp',
  'current_localtime',
  'current_localtimestamp',
  'transaction_timestamp',
  'get_current_timestamp',
  'get_current_time',
  'age',
  'ago',
])

export function isTableFunctionAllowed(name: string): boolean {
  return TABLE_FUNCTIONS.has(name)
}

/** Why a function may not be called; null when it may. `name` is in lower case. */
export function refusalOfFunction(name: string): string | null {
  if (!REFUSED.test(name) || HARMLESS.has(name)) return null
  return `${name}() is not available: a query reads the tables of the lake, not files, settings or the engine itself`
}
