import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ArusDatabase } from '../database/database.ts'
import { openTestDatabase, type TestDatabase } from '../database/test-database.ts'
import type { ArusError } from '../errors.ts'
import { newRule } from './new-rule.ts'
import { RULES_MAX, type Rule } from './rule.ts'
import { RuleBook } from './rule-book.ts'
import { RuleStore } from './rule-store.ts'

let under: TestDatabase
let database: ArusDatabase
let elsewhere: ArusDatabase
beforeEach(async () => {
  under = await openTestDatabase()
  database = await under.open()
  elsewhere = await under.open()
})
afterEach(() => under.close())

const pin = (rank: number) => newRule({ kind: 'pin', name: `pin ${rank}`, product_id: 'a', rank })
const codeOf = (work: Promise<unknown>) => work.then(String, (error: ArusError) => error.code)

describe('rules in the database', () => {
  test('are added, found, replaced and removed; what is not there is said', async () => {
    let nowMs = 100
    const store = new RuleStore({ database, now: () => nowMs++ })
    const rule = await store.add(pin(1))
    expect(rule).toMatchObject({
      id: expect.stringMatching(/^rule_[0-9a-f]{10}$/),
      created_at: 100,
      updated_at: 100,
    })
    expect(await store.get(rule.id)).toEqual(rule)
    const replaced = await store.replace(rule.id, pin(2))
    expect(replaced).toMatchObject({ id: rule.id, rank: 2, created_at: 100, updated_at: 101 })
    expect((await store.current()).rules).toEqual([replaced])
    expect(await store.remove(rule.id)).toEqual(replaced)
    expect((await store.current()).rules).toEqual([])
    const works = [store.get(rule.id), store.replace(rule.id, pin(1)), store.remove(rule.id)]
    expect(new Set(await Promise.all(works.map(codeOf)))).toEqual(new Set(['RULE_UNKNOWN']))
  })

  test('a failed change leaves the revision as it was', async () => {
    const store = new RuleStore({ database })
    await codeOf(store.remove('rule_0'))
    expect(await store.revision()).toBe(0)
  })

  test('as they were at any revision, through any changes', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'replace', 'remove'), fc.nat(5)), {
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(steps, async (changes) => {
        await using own = await openTestDatabase()
        let nowMs = 0
        const store = new RuleStore({ database: await own.open(), now: () => nowMs++ })
        const past: (readonly Rule[])[] = [[]]
        for (const [change, which] of changes) {
          const rules = past.at(-1) as readonly Rule[]
          const id = rules[which % Math.max(1, rules.length)]?.id
          if (change === 'add') await store.add(pin(which + 1))
          else if (id === undefined) continue
          else if (change === 'replace') await store.replace(id, pin(which + 1))
          else await store.remove(id)
          past.push((await store.current()).rules)
        }
        for (const [revision, rules] of past.entries()) expect(await store.at(revision)).toEqual(rules)
        expect(await store.at(past.length)).toBeNull()
      }),
      { numRuns: 15 },
    )
  })

  test('older ones than are kept are said to be gone, not guessed', async () => {
    const store = new RuleStore({ database, pastMax: 2 })
    const { id } = await store.add(pin(1))
    for (let rank = 2; rank <= 6; rank++) await store.replace(id, pin(rank))
    const known = await Promise.all([1, 2, 3, 4, 5, 6].map((revision) => store.at(revision)))
    expect(known.map((rules) => (rules?.[0] as { rank?: number } | undefined)?.rank)).toEqual([
      undefined,
      undefined,
      undefined,
      4,
      5,
      6,
    ])
  })

  test('no more than there may be', async () => {
    const store = new RuleStore({ database })
    for (let i = 0; i < RULES_MAX; i++) await store.add(pin(1))
    expect(await codeOf(store.add(pin(1)))).toBe('REQUEST_INVALID')
    await store.replace((await store.current()).rules[0]?.id ?? '', pin(2))
  })

  test('changes of two connections, and those begun at once, make one history', async () => {
    const [one, other] = [new RuleStore({ database }), new RuleStore({ database: elsewhere })]
    await Promise.all(Array.from({ length: 5 }, (_, i) => one.add(pin(i + 1))))
    await Promise.all(Array.from({ length: 5 }, (_, i) => other.add(pin(i + 1))))
    const { revision, rules } = await one.current()
    expect([revision, rules.length]).toEqual([10, 10])
  })
})

describe('the book of a running server', () => {
  test('has its own changes at once and those of others when it looks again', async () => {
    const book = await RuleBook.open({ store: new RuleStore({ database }), onFault: () => {} })
    expect(book.inForce('home', 0)).toBeNull()
    const rule = await book.add(pin(1))
    expect(book.inForce('home', 0)?.pins).toEqual([rule])
    await new RuleStore({ database: elsewhere }).remove(rule.id)
    await book.refresh()
    expect(book.inForce('home', 0)).toBeNull()
    await book.close()
  })

  test('follows what another process does within about a second', async () => {
    const book = await RuleBook.open({ store: new RuleStore({ database }), onFault: () => {} })
    await new RuleStore({ database: elsewhere }).add(pin(1))
    await expect.poll(() => book.inForce('home', 0)?.pins.length, { timeout: 3_000 }).toBe(1)
    await book.close()
  })

  test('keeps what it knew while the database cannot be asked, and says so', async () => {
    const store = new RuleStore({ database })
    await store.add(pin(1))
    const faults: unknown[] = []
    const book = await RuleBook.open({ store, onFault: (error) => faults.push(error) })
    await database.destroy()
    await expect.poll(() => faults.length, { timeout: 3_000 }).toBeGreaterThan(0)
    expect(book.inForce('home', 0)?.pins).toHaveLength(1)
    await book.close()
  })
})
