import { expect, test } from 'vitest'
import { allNames, joinedNames, mentionOf } from './shopper-names.ts'

const isMentioned = mentionOf(['ani', 'visitor-77', '12'])

test.each([
  ['{"user_id":"ani","action":""}'],
  ['{"userId":"ani"}'],
  ['{"batch":[{"context":{"anonymousId":"visitor-77"}}]}'],
  ['{"user_id":12}'],
  ['"user_id=ani&x=1"'],
  ['{"user_id":"ani","cut off'],
  ['no json, but visitor-77 is named'],
  ['client_id: 12'],
])('%s speaks of them', (raw) => {
  expect(isMentioned(raw)).toBe(true)
})

test.each([
  ['{"user_id":"budi","query":"ani"}'],
  ['{"quantity":12}'],
  ['no json, ani'],
  ['visitor-770 is somebody else'],
  ['user_id=anita'],
  ['null'],
  ['12'],
  [''],
])('%s does not', (raw) => {
  expect(isMentioned(raw)).toBe(false)
})

test('names are joined without repeats', () => {
  const names = { id: 'ani', anonymousIds: ['v1'], sessions: ['s1'] }
  expect(allNames(joinedNames(names, { id: 'ani', anonymousIds: ['v2', 'v1'], sessions: [] }))).toEqual([
    'ani',
    'v1',
    'v2',
    's1',
  ])
})
