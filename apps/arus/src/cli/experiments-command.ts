import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { ExperimentBody, ExperimentDetailBody } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import { type ApiClient, codeOf, detailOf, openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { explainedExperiment } from './experiment-text.ts'
import { textTable } from './table.ts'

interface Options {
  readonly json?: true
}

/** `arus experiments`: A/B tests and models in the shadow, on the running server. */
export function experimentsCommand(context: CliContext): Command {
  const json = ['--json', 'print the answer of the API'] as const
  const print = (body: unknown, options: Options, text: string) =>
    context.out(options.json === true ? JSON.stringify(body, null, 2) : text)
  const command = new Command('experiments').description('A/B tests and models in the shadow')
  command
    .command('list')
    .description('list the experiments, newest first')
    .option(...json)
    .action(async (options: Options) => {
      const body = await ask<{ experiments: ExperimentBody[] }>(openApi(context), 'GET', '')
      print(body, options, listed(body.experiments))
    })
  command
    .command('create')
    .description('make an experiment from a file; nobody is treated before it is started')
    .argument('<file>', 'JSON, as POST /experiments takes it')
    .option(...json)
    .action(async (file: string, options: Options) => {
      const body = await ask<ExperimentBody>(openApi(context), 'POST', '', await contentOf(file))
      print(
        body,
        options,
        `${body.id} ("${body.name}") is a draft: "arus experiments start ${body.id}" starts it.`,
      )
    })
  for (const [change, description, done] of [
    ['start', 'start a draft', 'runs'],
    ['stop', 'stop an experiment; production answers everyone again', 'is stopped'],
  ] as const) {
    command
      .command(change)
      .description(description)
      .argument('<id>', 'as "arus experiments list" shows it')
      .option(...json)
      .action(async (id: string, options: Options) => {
        const body = await ask<ExperimentBody>(
          openApi(context),
          'POST',
          `/${encodeURIComponent(id)}/${change}`,
        )
        const verdict = body.verdict === null ? '' : ` Verdict: ${body.verdict.kind}.`
        print(body, options, `${body.id} ("${body.name}") ${done}.${verdict}`)
      })
  }
  command
    .command('show')
    .description('show what an experiment has come to')
    .argument('<id>', 'as "arus experiments list" shows it')
    .option(...json)
    .action(async (id: string, options: Options) => {
      const body = await ask<ExperimentDetailBody>(openApi(context), 'GET', `/${encodeURIComponent(id)}`)
      print(body, options, explainedExperiment(body))
    })
  command
    .command('delete')
    .description('delete an experiment that does not run')
    .argument('<id>', 'as "arus experiments list" shows it')
    .action(async (id: string) => {
      const body = await ask<ExperimentBody>(openApi(context), 'DELETE', `/${encodeURIComponent(id)}`)
      context.out(`${body.id} ("${body.name}") is deleted.`)
    })
  return command
}

async function ask<T>(api: ApiClient, method: string, path: string, text?: string): Promise<T> {
  const options = text === undefined ? {} : { content: { body: text, contentType: 'application/json' } }
  const { status, body } = await api.send(method, `/experiments${path}`, options)
  if (status < 300) return body as T
  throw new ArusError(codeOf(body), detailOf(body))
}

async function contentOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new ArusError('FILE_UNREADABLE', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  })
}

function listed(experiments: readonly ExperimentBody[]): string {
  if (experiments.length === 0)
    return 'There are no experiments: "arus experiments create FILE.json" makes one; docs/EXPERIMENTS.md has a file.'
  return textTable(
    ['id', 'name', 'mode', 'status', 'verdict', 'variants', 'started (UTC)'],
    experiments.map((experiment) => [
      experiment.id,
      experiment.name,
      experiment.mode,
      experiment.status,
      experiment.verdict?.kind ?? '–',
      experiment.variants
        .map(
          ({ name, model_version }) => `${name} (${model_version === null ? 'production' : model_version})`,
        )
        .join(', '),
      experiment.started_at === null ? '–' : new Date(experiment.started_at).toISOString().slice(0, 16),
    ]),
  )
}
