import fc from 'fast-check'
import { expect, test } from 'vitest'
import { initialsOf, placeholderSvg, placeholderUrl } from './placeholder.ts'

test('the same product is always drawn the same', () => {
  expect(placeholderSvg('Blue lamp', 'Lighting')).toBe(placeholderSvg('Blue lamp', 'Lighting'))
})

test('products of one category share the motif and differ in detail', () => {
  expect(placeholderSvg('Blue lamp', 'Lighting')).not.toBe(placeholderSvg('Red lamp', 'Lighting'))
})

test('initials are those of the first two words', () => {
  expect(initialsOf('— 4K monitor, 27 inch')).toBe('4M')
  expect(initialsOf('éclair ñandú')).toBe('ÉÑ')
  expect(initialsOf('!!!')).toBe('')
})

test('any title and category give an address and a drawing without negative sizes or markup of their own', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, (title, category) => {
      const svg = placeholderSvg(title, category)
      expect(svg).not.toMatch(/(?:\s(?:height|r|width)="-|NaN|undefined|<script)/)
      expect(decodeURIComponent(placeholderUrl(title, category))).toContain(svg)
    }),
  )
})
