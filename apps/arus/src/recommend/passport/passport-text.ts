import { madeOnce } from '../../kept-on.ts'
import type { Passport, PassportEvent } from './passport.ts'

type Retriever = Passport['retrievers'][number]
type Candidate = Retriever['candidates'][number]

const listText = madeOnce((list: readonly unknown[]) => JSON.stringify(list))

const eventsText = madeOnce((events: readonly PassportEvent[]) =>
  JSON.stringify(
    events.map(({ partition, offset, product_id, action }) => [partition, offset, product_id, action]),
  ),
)

const retrieversText = madeOnce((retrievers: readonly Retriever[]) =>
  JSON.stringify(
    retrievers.map((retriever) => ({
      ...retriever,
      candidates: retriever.candidates.map(({ product_id, score }) => [product_id, score]),
    })),
  ),
)

/**
 * A passport as JSON, the way it is kept in the log and in `bronze.recommendations`: `events` as
 * `[partition, offset, product_id, action]` and `candidates` as `[product_id, score]`, since names of a hundred objects were half of it.
 * Lists that it shares with others are made text once.
 */
export function passportText({ events, earlier_events, retrievers, result, ...rest }: Passport): string {
  const others = JSON.stringify(rest).slice(0, -1)
  return `${others},"events":${eventsText(events)},"earlier_events":${listText(earlier_events)},"retrievers":${retrieversText(retrievers)},"result":${listText(result)}}`
}

/** The passport that a text holds; also of before, when events and candidates were objects. Throws `SyntaxError`. */
export function readPassport(text: string): Passport {
  const passport = JSON.parse(text) as Passport
  const { events = [], retrievers = [] } = passport as Partial<Passport>
  return {
    ...passport,
    events: events.map(eventOf),
    retrievers: retrievers.map((retriever) => ({
      ...retriever,
      candidates: retriever.candidates.map(candidateOf),
    })),
  }
}

function eventOf(kept: PassportEvent | readonly [number, number, string, string]): PassportEvent {
  if ('partition' in kept) return kept
  const [partition, offset, product_id, action] = kept
  return { partition, offset, product_id, action }
}

function candidateOf(kept: Candidate | readonly [string, number]): Candidate {
  if ('product_id' in kept) return kept
  const [product_id, score] = kept
  return { product_id, score }
}
