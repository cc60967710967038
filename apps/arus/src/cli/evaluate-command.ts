import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { v7 as uuid } from 'uuid'
import { ArusError } from '../errors.ts'
import { evaluateInProcess } from '../evaluation/evaluate-in-process.ts'
import { parseColumns } from '../evaluation/files/session-file.ts'
import { REWARDS, type Reward } from '../evaluation/off-policy/logged-lists.ts'
import { assertModels, type EvaluationData } from '../evaluation/question.ts'
import { writeEvaluation } from '../evaluation/write-evaluation.ts'
import type { CliContext } from './context.ts'
import { evaluateOffPolicy, judgementText } from './evaluate-off-policy.ts'
import { evaluationText } from './evaluation-table.ts'

interface EvaluateOptions {
  readonly split?: 'time' | 'leave-last-out'
  readonly train?: string
  readonly test?: string
  readonly sessions?: string
  readonly columns?: string
  readonly gapMinutes?: number
  readonly k: number
  readonly models?: readonly string[]
  readonly budget?: number
  readonly users?: number
  readonly offPolicy?: true
  readonly model?: number
  readonly reward: Reward
  readonly answers: number
  readonly json?: true
}

/** `arus evaluate`: every model side by side on data that nothing was chosen on. `entry` is the module its process runs. */
export function evaluateCommand(context: CliContext, entry: string): Command {
  return new Command('evaluate')
    .description('compare all models on held-out data: the shop’s own, or files; changes nothing in service')
    .addOption(
      new Option(
        '--split <how>',
        'of the shop’s events: the newest fifth, or the last of each shopper',
      ).choices(['time', 'leave-last-out']),
    )
    .option('--train <file>', 'lines of "user item item …" to learn from, plain or gzip')
    .option(
      '--test <file>',
      'what is to be predicted; without it the last item of each line, or the last day',
    )
    .option('--sessions <file>', 'events with sessions: CSV, TSV, semicolons, plain or gzip')
    .option('--columns <names>', 'session,item,time: by name, by number where there is no header')
    .option('--gap-minutes <minutes>', 'for visitors in place of sessions: a pause that ends one', positive)
    .option('--k <length>', 'length of the lists', wholeNumber, 20)
    .option('--models <names>', 'names with commas between; default: all', (text: string) =>
      text.split(',').map((name) => name.trim()),
    )
    .option(
      '--budget <seconds>',
      'of the search for options: CPU seconds of fitting (default 30), of sessions seconds (default 600)',
      positive,
    )
    .option('--users <count>', 'test shoppers at most (default: 5000 of the shop, all of files)', wholeNumber)
    .option('--off-policy', 'estimate what a version would have brought from answers given while exploring')
    .option('--model <version>', 'with --off-policy (default: the newest not in production)', wholeNumber)
    .addOption(
      new Option('--reward <what>', 'with --off-policy: what counts').choices(REWARDS).default('click'),
    )
    .option('--answers <count>', 'with --off-policy: the newest answers, at most', wholeNumber, 10_000)
    .option('--json', 'print as JSON')
    .action(async (options: EvaluateOptions) => {
      const { parts, signal, onProgress, out } = context
      if (options.offPolicy === true) {
        const judgement = await evaluateOffPolicy(context, { ...options, model: options.model ?? null })
        return out(options.json === true ? JSON.stringify(judgement, null, 2) : judgementText(judgement))
      }
      const question = {
        data: dataOf(options),
        k: options.k,
        models: options.models ?? null,
        budgetSeconds: options.budget ?? null,
        userLimit: options.users ?? null,
      }
      assertModels(question)
      const report = await evaluateInProcess({
        entry,
        order: { settings: parts.settings, question, runId: uuid() },
        onProgress,
        signal,
      })
      await writeEvaluation(await parts.lake(), report)
      out(options.json === true ? JSON.stringify(report, null, 2) : evaluationText(report))
    })
}

function dataOf(options: EvaluateOptions): EvaluationData {
  const { split, train, test, sessions, columns, gapMinutes } = options
  if (sessions !== undefined) {
    if (columns === undefined || train !== undefined || split !== undefined)
      throw new ArusError(
        'REQUEST_INVALID',
        '--sessions goes with --columns session,item,time, without --train and --split',
      )
    return {
      kind: 'sessions',
      file: resolve(sessions),
      testFile: test === undefined ? undefined : resolve(test),
      columns: parseColumns(columns),
      gapMs: gapMinutes === undefined ? undefined : gapMinutes * 60_000,
    }
  }
  if (columns !== undefined || gapMinutes !== undefined)
    throw new ArusError('REQUEST_INVALID', '--columns and --gap-minutes go with --sessions FILE')
  if (train === undefined && test === undefined) return { kind: 'shop', split: split ?? 'time' }
  if (train === undefined || split === 'time' || (split !== undefined && test !== undefined))
    throw new ArusError(
      'REQUEST_INVALID',
      '--test goes with --train FILE; such files have no times to be split by',
    )
  return {
    kind: 'lists',
    trainFile: resolve(train),
    testFile: test === undefined ? undefined : resolve(test),
  }
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number above 0')
  return value
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a number above 0')
  return value
}
