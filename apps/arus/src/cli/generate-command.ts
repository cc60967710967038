import { Command, InvalidArgumentError } from 'commander'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { type SendReport, type Sink, sendEvents } from '../events/send.ts'
import { shopProducts } from '../events/shop-products.ts'
import { ShopperSimulation } from '../events/shoppers.ts'
import { openSink } from './api-client.ts'
import type { CliContext } from './context.ts'

interface Options {
  readonly users: number
  readonly events: number
  readonly rate: number
  readonly days: number
  readonly seed: number
  readonly direct?: boolean
}

/** `arus generate`: shoppers with hidden tastes send events. `directSink` writes straight to the log. */
export function generateCommand(
  context: CliContext,
  directSink: (context: CliContext) => Promise<Sink>,
): Command {
  return new Command('generate')
    .description(
      'let shoppers with hidden tastes send events: through the HTTP API, or with --direct straight to the log',
    )
    .option('--users <count>', 'shoppers', positive, 10_000)
    .option('--events <count>', 'events in all', positive, 100_000)
    .option('--rate <per second>', 'events per second; 0 for as fast as they are taken', notNegative, 0)
    .option('--days <count>', 'they are spread over this many days up to now', positive, 30)
    .option('--seed <number>', 'the same seed gives the same shoppers', notNegative, 1)
    .option('--direct', 'write to the log, without a running server')
    .action(async (options: Options) => {
      const catalogue: Catalogue = await context.parts.catalogue()
      const endMs = Date.now()
      const simulation = new ShopperSimulation({
        products: shopProducts(catalogue),
        userCount: options.users,
        eventCount: options.events,
        startMs: endMs - options.days * 86_400_000,
        endMs,
        seed: options.seed,
        runId: `${options.seed}-${endMs.toString(36)}`,
      })
      const report = await sendEvents(simulation.events(), {
        sink: options.direct ? await directSink(context) : openSink(context),
        rate: options.rate,
        total: options.events,
        step: 'Sending events',
        onProgress: context.onProgress,
        signal: context.signal,
      })
      context.out(reportLine(report))
    })
}

export function reportLine({ accepted, duplicates, rejected, seconds }: SendReport): string {
  const rate = Math.round((accepted + duplicates + rejected) / Math.max(0.001, seconds))
  return `${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected in ${seconds.toFixed(1)} s (${rate} events/s)`
}

function notNegative(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('expected a number that is not negative')
}

function positive(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('expected a whole number above 0')
}
