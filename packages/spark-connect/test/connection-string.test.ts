import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../src/connection-string.ts'

const code = (text: string) => {
  try {
    parseConnectionString(text)
    return 'parsed'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('connection strings', () => {
  test('the port is 15002 and nothing is encrypted unless said', () => {
    expect(parseConnectionString('sc://spark.example')).toEqual({
      host: 'spark.example',
      port: 15002,
      useSsl: false,
      token: undefined,
      userId: undefined,
      userAgent: undefined,
      sessionId: undefined,
      headers: {},
    })
  })

  test('parameters are percent-encoded; those without a meaning here become headers', () => {
    const parsed = parseConnectionString(
      'sc://h:443/;use_ssl=true;token=a%3Bb%3D;user_id=ann;user_agent=app;session_id=3fa85f64-5717-4562-b3fc-2c963f66afa6;x-cluster=7',
    )
    expect(parsed).toMatchObject({ host: 'h', port: 443, useSsl: true, token: 'a;b=', userId: 'ann' })
    expect(parsed).toMatchObject({ userAgent: 'app', sessionId: '3fa85f64-5717-4562-b3fc-2c963f66afa6' })
    expect(parsed.headers).toEqual({ 'x-cluster': '7' })
  })

  test('a token implies TLS, except on this machine', () => {
    expect(parseConnectionString('sc://h/;token=t').useSsl).toBe(true)
    expect(parseConnectionString('sc://127.0.0.1/;token=t').useSsl).toBe(false)
    expect(parseConnectionString('sc://[::1]:5/;token=t')).toMatchObject({ host: '[::1]', useSsl: false })
    expect(parseConnectionString('sc://localhost/;token=t;use_ssl=true').useSsl).toBe(true)
    expect(code('sc://h/;token=t;use_ssl=false')).toBe('SPARK_TOKEN_NEEDS_TLS')
    expect(code('sc://127.evil.example/;token=t;use_ssl=false')).toBe('SPARK_TOKEN_NEEDS_TLS')
  })

  test.each([
    '',
    'spark://h',
    'sc://',
    'sc://h:port',
    'sc://h:70000',
    'sc://u@h',
    'sc://h/path',
    'sc://h/;token',
    'sc://h/;=x',
    'sc://h/;use_ssl=yes',
    'sc://h/;session_id=1',
    'sc://h/;token=%',
    'sc://h?x',
  ])('%s is refused', (text) => {
    expect(code(text)).toBe('SPARK_CONNECTION_STRING_INVALID')
  })

  test('a wrong string does not show its token in the message', () => {
    expect(() => parseConnectionString('sc://h/;token=secret;use_ssl=yes')).toThrow(/^(?!.*secret)/)
  })

  test('any token comes back as it was encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (token) => {
        expect(parseConnectionString(`sc://h/;token=${encodeURIComponent(token)}`).token).toBe(token)
      }),
    )
  })
})
