import { expect, test } from 'vitest'
import { tokens } from './tokenizer.ts'

test.each([
  ['Stainless-Steel  Saucepan (12 Pack)', ['stainless', 'steel', 'saucepan', '12', 'pack']],
  ['Women\'s Dresses, size 1.85"', ['women', 'dress', 'size', '1', '85']],
  [
    'Boxes Watches Brushes Batteries Shoes Glass Bus Lens',
    ['box', 'watch', 'brush', 'battery', 'shoe', 'glass', 'bus', 'len'],
  ],
  ['Crème Brûlée Café’s', ['creme', 'brulee', 'cafe']],
  ['ÜBER Größe Straße', ['uber', 'große', 'straße']],
  ['स्मार्टवॉच पुरुषों और', ['स्मार्टवॉच', 'पुरुषों', 'और']],
  ['VBSWW612 हाइप x', ['vbsww612', 'हाइप', 'x']],
  ['', []],
  ['— ! …', []],
])('%j becomes %j', (text, expected) => {
  expect(tokens(text)).toEqual(expected)
})

test('the ASCII path and the Unicode path cut ASCII words alike', () => {
  const text = "Kids' 2-in-1 Tablets, 'quoted' it's boxes"
  expect(tokens(`${text} é`).slice(0, -1)).toEqual(tokens(text))
  expect(tokens(`é ${text}`).slice(1)).toEqual(tokens(text))
})

test('a word longer than the limit is cut, not lost', () => {
  expect(tokens('x'.repeat(200))).toEqual(['x'.repeat(64)])
})
