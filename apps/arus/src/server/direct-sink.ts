import type { CliContext } from '../cli/context.ts'
import { ensureTopics } from '../events/ensure-topics.ts'
import { createIngest } from '../events/log-ingest.ts'
import type { Sink } from '../events/send.ts'

/** Writes events straight to the log, for commands that run without a server; the next start applies them. */
export async function directSink({ parts }: CliContext): Promise<Sink> {
  const log = await parts.log()
  const topics = await ensureTopics(log, parts.settings)
  // Processors drop what they have seen; only repeats within this process are told apart here.
  const ingest = createIngest({ log, topics, isKnown: async (ids) => ids.map(() => false), now: Date.now })
  return (events) => ingest.accept(events)
}
