import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createExperiments } from '../experiments/experiments.ts'
import { judge } from '../experiments/judge.ts'
import type { ExperimentResults, VariantResult } from '../experiments/results.ts'
import { openTestExperiments, registerModel } from '../experiments/test-experiments.ts'
import { openShop } from '../http/test-api.ts'
import type { CliContext } from './context.ts'
import { experimentsCommand } from './experiments-command.ts'

let folder: string
let parts: Awaited<ReturnType<typeof openTestExperiments>>
let shop: Awaited<ReturnType<typeof openShop>>
let results: Partial<ExperimentResults>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-cli-experiments-'))
  parts = await openTestExperiments()
  await registerModel(parts.registry, { a: ['b'] })
  results = {}
  const experiments = createExperiments({
    store: parts.store,
    registry: parts.registry,
    resultsOf: async (experiment) => {
      const share = (mean: number) => ({ count: 5_000, mean, variance: mean * (1 - mean) })
      const variants = experiment.variants.map(({ name }, i): VariantResult => {
        const click_through = share(i === 0 ? 0.1 : 0.2)
        const [few, half] = [share(0.02), share(0.5)]
        const metrics = { click_through, conversion: few, revenue: half, latency: half, fallback_rate: few }
        return { name, units: 5_000, answers: 9_000, fell_back: 3, metrics }
      })
      const as_of = { table_versions: {}, took_ms: 1 }
      return {
        judgement: judge(experiment, variants),
        variants,
        shadows: [],
        counted_until: 0,
        as_of,
        ...results,
      }
    },
    refresh: async () => {},
    onFault: () => {},
  })
  shop = await openShop({ experiments })
  await shop.app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  await shop.app.close()
  await parts.close()
  rmSync(folder, { recursive: true })
})

async function run(...args: string[]): Promise<string> {
  const { port } = shop.app.server.address() as { port: number }
  const lines: string[] = []
  const context = {
    parts: { settings: { host: '127.0.0.1', apiPort: port, apiKey: null } },
    signal: new AbortController().signal,
    out: (text: string) => void lines.push(text),
  } as unknown as CliContext
  await experimentsCommand(context).exitOverride().parseAsync(args, { from: 'user' })
  return lines.join('\n')
}

function file(content: unknown): string {
  const path = join(folder, 'experiment.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const PLAN = {
  name: 'newer model',
  scenarios: ['home'],
  variants: [{ name: 'control' }, { name: 'new', model_version: 1 }],
  guardrails: [{ metric: 'conversion', max_loss: 0.5 }],
}
const created = async (plan: object) => /exp_\w+/.exec(await run('create', file(plan)))![0]

test('an experiment from a file to its end', async () => {
  expect(await run('list')).toContain('There are no experiments')
  const id = await created(PLAN)
  expect(await run('show', id)).toContain('A draft: nobody was treated yet.')
  expect(await run('start', id)).toBe(`${id} ("newer model") runs.`)
  const text = await run('show', id)
  expect(text).toContain(`newer model (${id}): A/B test on home, 100 % of the traffic\nrunning, started `)
  expect(text).toMatch(/new +1 +5000 +5000 +9000 +3 +20 % +2 % +0\.50 /)
  expect(text).toMatch(/new +click_through +0\.1000 +0\.2000 +\+100 % +\+\d+.* +better/)
  expect(text).toMatch(/new +conversion .* guardrail \(50 %\): held/)
  expect(text).toContain(
    'Verdict: better (new), wrong with probability 0.05 at most however often it is looked at.',
  )
  expect(await run('stop', id)).toBe(`${id} ("newer model") is stopped. Verdict: better.`)
  expect(await run('list')).toMatch(
    new RegExp(`${id} +newer model +ab +stopped +better +control \\(production\\), new \\(1\\) +20\\d\\d`),
  )
  expect(JSON.parse(await run('show', id, '--json'))).toMatchObject({
    id,
    results: { verdict: { kind: 'better' } },
  })
  expect(await run('delete', id)).toBe(`${id} ("newer model") is deleted.`)
  await expect(run('show', id)).rejects.toMatchObject({ code: 'EXPERIMENT_UNKNOWN' })
})

test('a shadow is told by what it has in common and what shoppers clicked later', async () => {
  const id = await created({ name: 'look', mode: 'shadow', variants: [{ name: 'next', model_version: 1 }] })
  await run('start', id)
  results = { judgement: null, variants: [] }
  expect(await run('show', id)).toContain('No answer of the shadow is in the lake yet.')
  results = {
    judgement: null,
    variants: [],
    shadows: [
      {
        variant: 'next',
        answers: 20,
        overlap: 0.75,
        rank_agreement: 0.5,
        answer_ms_p50: 1,
        answer_ms_p99: null,
        shadow_ms_p50: 2,
        shadow_ms_p99: 3,
        clicks: 9,
        shown_hits: 4,
        shadow_hits: 3,
        elsewhere_clicks: 5,
        elsewhere_shown_hits: 1,
        elsewhere_shadow_hits: 2,
      },
    ],
  }
  const text = await run('show', id)
  expect(text).toContain('next: 20 answers compared, 75 % of the products in common, agreement of ranks 0.50')
  expect(text).toContain('half and 99 in 100: 2.00 and 3.00; what was answered: 1.00 and –')
  expect(text).toMatch(/not on recommendations +5 +1 +2/)
})

test('what is wrong with a file, or with an id, is said as the API says it', async () => {
  await expect(run('create', join(folder, 'none.json'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await expect(run('create', file('{'))).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  await expect(run('create', file({ ...PLAN, variants: [{ name: 'control' }] }))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('must be two or more'),
  })
  await expect(run('start', 'exp_0')).rejects.toMatchObject({ code: 'EXPERIMENT_UNKNOWN' })
})
