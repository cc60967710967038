import { ArusError } from '../../errors.ts'
import { fillInParams, keepDoubles } from './fill-in-params.ts'
import { type PlannedQuery, planQuery } from './plan-query.ts'
import type { PlanRequest, RunRequest, SandboxSetup, SqlPlan, TableUse } from './protocol.ts'
import { askForPage, readView } from './rewrite-query.ts'
import { computeResult, prepareSelect, type ResultSink, sendResult } from './run-query.ts'
import { lock, nameTables, openDatabase, type SandboxDatabase, viewName } from './sandbox-database.ts'
import type { SyntaxNode } from './syntax-tree.ts'

/** What `json_serialize_sql` gives. */
interface Serialized {
  readonly error: boolean
  readonly error_message?: string
  readonly position?: string
  readonly statements?: readonly { readonly node: SyntaxNode; named_param_map?: unknown[] }[]
}

/** The text planned last. */
interface CurrentQuery extends PlannedQuery {
  readonly sql: string
  /** The text can stand in another as it is: it has no parameters and no end. */
  readonly isAsItCame: boolean
  readonly tree: Serialized
  readonly root: SyntaxNode
}

/**
 * Plans and runs queries one after the other. Texts are parsed on a database that has nothing and may read nothing; each
 * query runs on a fresh database, opened ahead of time, so that nothing of one query is there for the next.
 */
export class QueryRunner {
  readonly #setup: SandboxSetup
  readonly #parser: SandboxDatabase
  #next: Promise<SandboxDatabase>
  #current: CurrentQuery | null = null

  private constructor(setup: SandboxSetup, parser: SandboxDatabase) {
    this.#setup = setup
    this.#parser = parser
    this.#next = openDatabase(setup)
  }

  static async open(setup: SandboxSetup): Promise<QueryRunner> {
    const parser = await openDatabase(setup)
    await lock(parser, {})
    const runner = new QueryRunner(setup, parser)
    await runner.#next
    return runner
  }

  /** Says what a text reads. Throws `QUERY_INVALID`, `TABLE_UNKNOWN`. */
  async plan({ sql, params }: PlanRequest): Promise<SqlPlan> {
    this.#current = null
    const { tree, root } = await this.#parse(sql)
    fillInParams(root, params)
    const planned = planQuery(root)
    const isAsItCame = Object.keys(params).length === 0 && !sql.includes(';')
    this.#current = { ...planned, sql, isAsItCame, tree, root }
    return planned.plan
  }

  /** Runs the text planned last over its tables as they are given, and sends its rows. */
  async run(request: RunRequest, sink: ResultSink): Promise<void> {
    const query = this.#current
    if (query === null) throw new ArusError('INTERNAL', 'A query is planned before it is run')
    this.#current = null
    const database = await this.#next
    try {
      await lock(database, { files: request.relations.flatMap(({ files }) => files) })
      await nameTables(database, query.plan.tables, request.relations)
      const text = await this.#textToRun(query, request, database)
      const result = await computeResult(database, text, request.rowLimit)
      await sendResult(database, result, request, this.#setup, sink)
    } finally {
      database.close()
      this.#next = openDatabase(this.#setup)
      this.#next.catch(() => {})
    }
  }

  /** The text as it came; or anew from its tree, with AT carried out and, where there is an order, one page of it. */
  async #textToRun(query: CurrentQuery, request: RunRequest, database: SandboxDatabase): Promise<string> {
    const { tables, canBePaged } = query.plan
    if (query.isAsItCame && !canBePaged && tables.every(({ at }) => at === null)) return query.sql
    keepDoubles(query.root)
    for (const [place, use] of tables.entries()) readViews(query.uses[place] ?? [], use, place)
    const text = await this.#textOf(query.tree)
    if (!canBePaged) return text
    const statement = await prepareSelect(database, text)
    askForPage(query.root, { ...request, columnCount: statement.columnCount })
    statement.destroySync()
    return this.#textOf(query.tree)
  }

  async #parse(sql: string): Promise<{ tree: Serialized; root: SyntaxNode }> {
    const tree = parseExactly((await this.#ask('SELECT json_serialize_sql($1::VARCHAR)', sql)) as string)
    if (tree.error) throw new ArusError('QUERY_INVALID', refusalOf(tree, sql))
    const [first, ...others] = tree.statements ?? []
    if (first === undefined) throw new ArusError('QUERY_INVALID', 'Send one SELECT; the text is empty')
    if (others.length > 0)
      throw new ArusError('QUERY_INVALID', `Send one SELECT; found ${others.length + 1} statements`)
    // Parameters become constants.
    first.named_param_map = []
    return { tree, root: first.node }
  }

  async #textOf(tree: Serialized): Promise<string> {
    return (await this.#ask('SELECT json_deserialize_sql($1::JSON)', JSON.stringify(tree))) as string
  }

  async #ask(sql: string, value: string): Promise<unknown> {
    const reader = await this.#parser.connection.runAndReadAll(sql, [value])
    return reader.getRows()[0]?.[0]
  }
}

function readViews(nodes: readonly SyntaxNode[], use: TableUse, place: number): void {
  if (use.at === null) return
  for (const node of nodes) readView(node, viewName(use, place))
}

/** JSON whose numbers stay as they were written: long ones keep their digits, and 10.0 does not become 10. */
function parseExactly(json: string): Serialized {
  return JSON.parse(json, (_key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value
    return context.source === String(value) ? value : rawNumber(context.source)
  }) as Serialized
}

/** `JSON.rawJSON`, which the compiler's library does not know yet. */
function rawNumber(source: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source)
}

function refusalOf({ error_message = '', position }: Serialized, sql: string): string {
  if (error_message.startsWith('Only SELECT'))
    return 'Only SELECT is possible here: the lake is written by Arus alone'
  const at = Number(position)
  const where = position === undefined ? '' : `, at "${sql.slice(at, at + 40)}" (character ${at + 1})`
  return `${error_message}${where}`
}
