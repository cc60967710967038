import { expect, test } from 'vitest'
import { apiBase } from './config.ts'
import { pathWith } from './request.ts'

test('the API stands on the given port of the host the page came from, unless an address is stated', () => {
  const page = { protocol: 'http:', hostname: 'shop.example' }
  expect(apiBase({ api_port: 8000, api_url: null }, page)).toBe('http://shop.example:8000')
  expect(apiBase({ api_port: 8000, api_url: 'https://api.example/' }, page)).toBe('https://api.example')
})

test('absent parameters are left out, and values are encoded', () => {
  expect(pathWith('/products', { q: 'a&b', limit: 5, cursor: undefined })).toBe('/products?q=a%26b&limit=5')
  expect(pathWith('/models')).toBe('/models')
})
