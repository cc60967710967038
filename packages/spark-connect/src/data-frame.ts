import { type RecordBatch, Table } from 'apache-arrow'
import { readBatches } from './arrow-stream.ts'
import type { SparkConnectClient } from './client.ts'
import { sendCommand } from './command.ts'
import { DataFrameWriter } from './data-frame-writer.ts'
import { DataStreamWriter } from './data-stream-writer.ts'
import type { TimestampForm } from './decode-column.ts'
import type { ExecuteOptions } from './execute.ts'
import {
  Aggregate_GroupType as GroupType,
  Join_JoinType as JoinType,
  SetOperation_SetOpType as SetOperationType,
} from './protocol/spark/connect/relations_pb.ts'
import { columnOf, type Relation, sortOrderOf, sqlOf } from './relation.ts'
import { type Row, rowsOf } from './rows.ts'
import { type StructType, schemaOf } from './schema.ts'

type RelationType = NonNullable<Relation['relType']>

const JOINS = {
  inner: JoinType.INNER,
  left: JoinType.LEFT_OUTER,
  right: JoinType.RIGHT_OUTER,
  full: JoinType.FULL_OUTER,
  left_semi: JoinType.LEFT_SEMI,
  left_anti: JoinType.LEFT_ANTI,
} as const

export type JoinKind = keyof typeof JOINS

export interface CollectOptions extends ExecuteOptions {
  /** How `timestamp` comes: `Date`, which drops what is finer than a millisecond, or `bigint` microseconds. Default `date`. */
  readonly timestamps?: TimestampForm
}

/** Rows in groups, before it is said what is wanted of each. */
export interface GroupedData {
  /** A row per group: the grouping expressions, then these: `agg('count(1) AS n', 'max(price) AS dearest')`. */
  agg(...expressions: readonly string[]): DataFrame
}

/**
 * A query that is not run until its rows are asked for or it is written: immutable, each method returns a new one.
 * Expressions are Spark SQL text.
 */
export class DataFrame {
  readonly relation: Relation
  readonly #client: SparkConnectClient

  constructor(client: SparkConnectClient, relation: Relation) {
    this.#client = client
    this.relation = relation
  }

  /** Columns by their names, or `*`. */
  select(...columns: readonly string[]): DataFrame {
    return this.#with({
      case: 'project',
      value: { input: this.relation, expressions: columns.map(columnOf) },
    })
  }

  /** Columns as SQL expressions: `selectExpr('id', 'price * 2 AS twice')`. */
  selectExpr(...expressions: readonly string[]): DataFrame {
    return this.#with({
      case: 'project',
      value: { input: this.relation, expressions: expressions.map(sqlOf) },
    })
  }

  /** The rows for which a SQL condition is true. */
  filter(condition: string): DataFrame {
    return this.#with({ case: 'filter', value: { input: this.relation, condition: sqlOf(condition) } })
  }

  /** This with columns added, or replaced where the name is there already: `{ twice: 'price * 2' }`. */
  withColumns(expressions: Readonly<Record<string, string>>): DataFrame {
    const aliases = Object.entries(expressions).map(([name, text]) => ({ name: [name], expr: sqlOf(text) }))
    return this.#with({ case: 'withColumns', value: { input: this.relation, aliases } })
  }

  /** Names that are not there are no error. */
  drop(...columns: readonly string[]): DataFrame {
    return this.#with({ case: 'drop', value: { input: this.relation, columnNames: [...columns] } })
  }

  /** The name by which SQL expressions of this and of joins with it may qualify columns. */
  alias(alias: string): DataFrame {
    return this.#with({ case: 'subqueryAlias', value: { input: this.relation, alias } })
  }

  /** Joins on columns of the same name in both, or on a SQL condition over aliases. */
  join(
    other: DataFrame,
    on: { readonly using: readonly string[] } | { readonly condition: string },
    kind: JoinKind = 'inner',
  ): DataFrame {
    const how = 'using' in on ? { usingColumns: [...on.using] } : { joinCondition: sqlOf(on.condition) }
    const value = { left: this.relation, right: other.relation, joinType: JOINS[kind], ...how }
    return this.#with({ case: 'join', value })
  }

  /** The rows of both, duplicates kept, columns matched by position. */
  union(other: DataFrame): DataFrame {
    const value = {
      leftInput: this.relation,
      rightInput: other.relation,
      setOpType: SetOperationType.UNION,
      isAll: true,
    }
    return this.#with({ case: 'setOp', value })
  }

  /** The rows of both, duplicates kept, columns matched by name. */
  unionByName(other: DataFrame, options: { readonly allowMissingColumns?: boolean } = {}): DataFrame {
    const by = { isAll: true, byName: true, allowMissingColumns: options.allowMissingColumns ?? false }
    const value = {
      leftInput: this.relation,
      rightInput: other.relation,
      setOpType: SetOperationType.UNION,
      ...by,
    }
    return this.#with({ case: 'setOp', value })
  }

  /** In the order of SQL expressions: `orderBy('price DESC', 'id')`. */
  orderBy(...expressions: readonly string[]): DataFrame {
    const order = expressions.map(sortOrderOf)
    return this.#with({ case: 'sort', value: { input: this.relation, order, isGlobal: true } })
  }

  limit(rowCount: number): DataFrame {
    return this.#with({ case: 'limit', value: { input: this.relation, limit: rowCount } })
  }

  /** One row of those that are equal in these columns, or in all. */
  dropDuplicates(...columns: readonly string[]): DataFrame {
    const keys = columns.length === 0 ? { allColumnsAsKeys: true } : { columnNames: [...columns] }
    return this.#with({ case: 'deduplicate', value: { input: this.relation, ...keys } })
  }

  /** In a stream: rows whose time is older than the newest by more than the delay are late. */
  withWatermark(eventTime: string, delayThreshold: string): DataFrame {
    return this.#with({ case: 'withWatermark', value: { input: this.relation, eventTime, delayThreshold } })
  }

  repartition(partitionCount: number): DataFrame {
    const value = { input: this.relation, numPartitions: partitionCount, shuffle: true }
    return this.#with({ case: 'repartition', value })
  }

  /** Groups by SQL expressions; no expression makes one group of all rows. */
  groupBy(...expressions: readonly string[]): GroupedData {
    const groups = {
      input: this.relation,
      groupType: GroupType.GROUPBY,
      groupingExpressions: expressions.map(sqlOf),
    }
    return {
      agg: (...aggregates) =>
        this.#with({ case: 'aggregate', value: { ...groups, aggregateExpressions: aggregates.map(sqlOf) } }),
    }
  }

  /** A name for this in SQL, for the time of the session. */
  async createOrReplaceTempView(name: string, options: ExecuteOptions = {}): Promise<void> {
    const value = { input: this.relation, name, isGlobal: false, replace: true }
    await sendCommand(this.#client, { case: 'createDataframeView', value }, options)
  }

  async schema(options: { readonly signal?: AbortSignal } = {}): Promise<StructType> {
    const plan = { opType: { case: 'root' as const, value: this.relation } }
    const { schema } = await this.#client.analyze({ case: 'schema', value: { plan } }, options)
    return schemaOf(schema)
  }

  /** The server's plan, as text. */
  async explain(options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    const plan = { opType: { case: 'root' as const, value: this.relation } }
    const { explainString } = await this.#client.analyze(
      { case: 'explain', value: { plan, explainMode: 1 } },
      options,
    )
    return explainString
  }

  /** All rows, in memory. The README says which type becomes what. */
  async collect(options: CollectOptions = {}): Promise<Row[]> {
    const rows: Row[] = []
    for await (const row of this.rows(options)) rows.push(row)
    return rows
  }

  /** The rows one after the other; no more than a batch or two is in memory. */
  async *rows(options: CollectOptions = {}): AsyncGenerator<Row> {
    for await (const batch of this.batches(options)) yield* rowsOf(batch, options.timestamps)
  }

  /**
   * Arrow batches as they come, of about 4 MB (`spark.sql.execution.arrow.maxRecordsPerBatch` and the server's limits).
   * The next one is taken from the connection when it is asked for. Leaving the loop ends the query on the server. A
   * result without rows may have no batch.
   */
  batches(options: ExecuteOptions = {}): AsyncGenerator<RecordBatch> {
    const plan = { opType: { case: 'root' as const, value: this.relation } }
    return readBatches(this.#client, plan, options)
  }

  /** All rows as an Arrow table, in memory. */
  async toArrow(options: ExecuteOptions = {}): Promise<Table> {
    const batches: RecordBatch[] = []
    for await (const batch of this.batches(options)) batches.push(batch)
    return new Table(batches)
  }

  async count(options: ExecuteOptions = {}): Promise<number> {
    const [row] = await this.groupBy().agg('count(1) AS count').collect(options)
    return Number(row?.count)
  }

  /** Writes the rows, once. */
  get write(): DataFrameWriter {
    return new DataFrameWriter(this.#client, this.relation)
  }

  /** Writes the rows of a stream, as they come. */
  get writeStream(): DataStreamWriter {
    return new DataStreamWriter(this.#client, this.relation)
  }

  #with(relType: RelationType): DataFrame {
    return new DataFrame(this.#client, { relType })
  }
}
