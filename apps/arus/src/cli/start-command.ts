import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ArusError } from '../errors.ts'
import type { CliContext } from './context.ts'

/** What `arus start` was asked for. File paths are absolute. */
export interface StartOptions {
  readonly products: string | null
  readonly categories: string | null
  /** Products of a generated shop. */
  readonly size: number
  /** Events per second of simulated shoppers while it runs; null: 2 on a generated shop, none on a real one. */
  readonly shoppers: number | null
  readonly seed: number
  readonly dashboard: boolean
}

/** `arus start`, what `npm start` runs. `run` returns when the context's signal aborts. */
export function startCommand(
  context: CliContext,
  run: (context: CliContext, options: StartOptions) => Promise<void>,
): Command {
  return new Command('start')
    .description(
      'run everything: make or import a shop, take events in, train, serve the API and the dashboard',
    )
    .option('--products <file>', 'catalogue to import: CSV, plain or gzip', (file) => resolve(file))
    .option('--categories <file>', 'its categories: CSV, plain or gzip', (file) => resolve(file))
    .addOption(new Option('--size <products>', 'size of the generated shop').default(20_000).argParser(count))
    .addOption(
      new Option('--shoppers <rate>', 'events per second of simulated shoppers; 0 for none').argParser(count),
    )
    .addOption(
      new Option('--seed <number>', 'of the generated shop and its shoppers').default(1).argParser(count),
    )
    .option('--no-dashboard', 'serve the API only')
    .action(async (options: Partial<StartOptions> & Pick<StartOptions, 'size' | 'seed' | 'dashboard'>) => {
      const { products = null, categories = null, shoppers = null, size, seed, dashboard } = options
      if (products === null && categories !== null) {
        throw new ArusError(
          'REQUEST_INVALID',
          '--categories was given without --products: give both, or only --products',
        )
      }
      await run(context, { products, categories, shoppers, size, seed, dashboard })
    })
}

function count(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('expected a number that is not negative')
}
