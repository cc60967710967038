import { Command, InvalidArgumentError, Option } from 'commander'
import { KEY_KINDS, type KeyKind } from '../keys/api-key.ts'
import { newApiKey } from '../keys/new-key.ts'
import type { CliContext } from './context.ts'

interface Options {
  readonly kind: KeyKind
  readonly name: string
  readonly origin: readonly string[]
  readonly rateLimit?: number
}

/** `arus keys create`: prints the key alone on a line, so that a script can take it; it is shown only now. */
export function keysCreateCommand(context: CliContext): Command {
  return new Command('create')
    .description('make a key; it is shown once')
    .addOption(
      new Option('--kind <kind>', 'public: browsers; secret: servers; admin: everything')
        .choices([...KEY_KINDS])
        .makeOptionMandatory(),
    )
    .requiredOption('--name <text>', 'who or what uses it', nameOf)
    .option(
      '--origin <origin...>',
      'whose pages may use it, such as https://shop.example; any when not given',
    )
    .option(
      '--rate-limit <requests>',
      'requests a minute, of a public key by each address; 0: no limit',
      limitOf,
    )
    .action(
      async ({ kind, name, origin = [], rateLimit }: Partial<Options> & Pick<Options, 'kind' | 'name'>) => {
        const store = await context.parts.keys()
        const { key, text } = await store.create(
          newApiKey({
            kind,
            name,
            origins: origin,
            ...(rateLimit === undefined ? {} : { rate_limit_per_minute: rateLimit }),
          }),
        )
        context.out(text)
        context.note(
          `Key ${key.id} (${kind}, "${name}") is in force within two seconds. Keep it now: only its hash is stored.`,
        )
        if (!context.parts.settings.isKeyRequired)
          context.note('Nothing asks for keys yet: set ARUS_REQUIRE_KEYS=true and start again.')
      },
    )
}

function nameOf(text: string): string {
  const name = text.trim()
  if (name !== '' && name.length <= 100) return name
  throw new InvalidArgumentError('expected 1 to 100 characters')
}

function limitOf(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 0 && limit <= 1_000_000) return limit
  throw new InvalidArgumentError('expected a whole number from 0 to 1000000')
}
