import { expect, test } from 'vitest'
import type { Passport } from './passport.ts'
import { passportText, readPassport } from './passport-text.ts'

const PASSPORT: Passport = {
  recommendation_id: '01a23c99-d0a7-7000-b092-84ea7c6e1134',
  user_id: 'ani "the first"',
  session_id: null,
  scenario: 'for_you',
  generated_at: 1_772_000_000_000,
  fallback: null,
  took_ms: 0.4,
  experiments: [],
  events: [
    { partition: 0, offset: 12, product_id: 'B1","events":[', action: 'view' },
    { partition: 1, offset: 7, product_id: 'B2', action: 'purchase' },
  ],
  earlier_events: [[0, 3]],
  session_event_count: 0,
  request: null,
  parts: null,
  model: null,
  retrievers: [
    { retriever: 'walk', weight: 0.7, candidates: [{ product_id: 'B3', score: 0.25 }] },
    { retriever: 'content', weight: 0.3, candidates: [] },
  ],
  pairs: [],
  filters: ['bought'],
  result: [{ product_id: 'B3', rank: 1, score: 0.25, reason: 'because_of' }],
}

test('a passport comes back from its text as it was', () => {
  expect(readPassport(passportText(PASSPORT))).toEqual(PASSPORT)
})

test('events and candidates stand in the text without the names of their fields', () => {
  expect(JSON.parse(passportText(PASSPORT))).toEqual({
    ...PASSPORT,
    events: [
      [0, 12, 'B1","events":[', 'view'],
      [1, 7, 'B2', 'purchase'],
    ],
    retrievers: [
      { retriever: 'walk', weight: 0.7, candidates: [['B3', 0.25]] },
      { retriever: 'content', weight: 0.3, candidates: [] },
    ],
  })
})

test('texts of before, with objects in their place or without them, are read too', () => {
  expect(readPassport(JSON.stringify(PASSPORT))).toEqual(PASSPORT)
  const { events, retrievers, ...older } = PASSPORT
  expect(readPassport(JSON.stringify(older))).toEqual({ ...older, events: [], retrievers: [] })
})
