import Type from 'typebox'
import { expect, test } from 'vitest'
import { plainSchema } from './plain-schema.ts'

const { String: Text, Null, Union, Literal, Intersect, Object: Fields, Integer, Optional } = Type

test('a nullable type, a union of texts and an intersection are written in fewer words', () => {
  expect(plainSchema(Union([Text({ format: 'uri' }), Null()]))).toEqual({
    type: ['string', 'null'],
    format: 'uri',
  })
  expect(plainSchema(Union([Literal('a'), Literal('b')]))).toEqual({ type: 'string', enum: ['a', 'b'] })
  expect(plainSchema(Union([Union([Literal('a'), Literal('b')]), Null()]))).toEqual({
    type: ['string', 'null'],
    enum: ['a', 'b', null],
  })
  expect(plainSchema(Intersect([Fields({ a: Text() }), Fields({ b: Optional(Integer()) })]))).toEqual({
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'integer' } },
    required: ['a'],
  })
})

test('a property with a default is not required; other unions stay as they are', () => {
  expect(plainSchema(Fields({ limit: Integer({ default: 10 }), id: Text() }))).toMatchObject({
    required: ['id'],
  })
  const union = Union([Text(), Integer()])
  expect(plainSchema(union)).toEqual(JSON.parse(JSON.stringify(union)))
})
