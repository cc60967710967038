import { create } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { describe, expect, test } from 'vitest'
import { SPARK_ERRORS, SparkError } from '../src/errors.ts'
import { ErrorInfoSchema, RetryInfoSchema } from '../src/protocol/google/rpc/error_details_pb.ts'
import { FetchErrorDetailsResponseSchema } from '../src/protocol/spark/connect/base_pb.ts'
import {
  errorIdOf,
  isOperationUnknown,
  isTransient,
  serverDelayMs,
  toSparkError,
} from '../src/server-error.ts'

/** An error as the server sends it: with a status among the trailers. */
function answer(code: Code, message: string, metadata: Record<string, string> = {}): ConnectError {
  const error = new ConnectError(message, code, { 'grpc-status': String(code) })
  const value = create(ErrorInfoSchema, { reason: 'org.apache.spark.SparkException', metadata })
  error.details = [{ desc: ErrorInfoSchema, value }]
  return error
}

const analysis = {
  errorClass: 'TABLE_OR_VIEW_NOT_FOUND',
  sqlState: '42P01',
  messageParameters: '{"relationName":"`nope`"}',
  classes: '["org.apache.spark.sql.AnalysisException","java.lang.Throwable"]',
  errorId: 'e1',
}

describe('errors of the server', () => {
  test('class, state and parameters come from the details of the error', () => {
    const error = toSparkError(answer(Code.Internal, 'no such table', analysis))
    expect(error).toMatchObject({
      code: 'SPARK_ANALYSIS',
      message: 'no such table',
      errorClass: 'TABLE_OR_VIEW_NOT_FOUND',
      sqlState: '42P01',
      messageParameters: { relationName: '`nope`' },
    })
    expect(error.cause).toBeInstanceOf(ConnectError)
  })

  test('the full error, when the server has it, is what is told', () => {
    const full = create(FetchErrorDetailsResponseSchema, {
      rootErrorIdx: 0,
      errors: [
        {
          errorTypeHierarchy: ['org.apache.spark.sql.AnalysisException'],
          message: 'the whole message',
          sparkThrowable: {
            errorClass: 'FULL',
            sqlState: '42000',
            messageParameters: { a: 'b' },
            queryContexts: [{ fragment: 'x' }],
          },
        },
      ],
    })
    const error = toSparkError(answer(Code.Internal, 'cut off…', analysis), full)
    expect(error).toMatchObject({ message: 'the whole message', errorClass: 'FULL', sqlState: '42000' })
    expect(error.messageParameters).toEqual({ a: 'b' })
    expect(error.queryContexts).toMatchObject([{ fragment: 'x' }])
  })

  test('details that were cut off are no failure of their own', () => {
    const error = toSparkError(
      answer(Code.Internal, 'm', { ...analysis, messageParameters: '{"a":', classes: '[' }),
    )
    expect(error).toMatchObject({ code: 'SPARK_FAILED', messageParameters: {} })
  })

  test.each([
    [answer(Code.Internal, '[INVALID_HANDLE.SESSION_CHANGED] x'), 'SPARK_SESSION_LOST'],
    [answer(Code.Internal, '[INVALID_HANDLE.SESSION_NOT_FOUND] x'), 'SPARK_SESSION_LOST'],
    [answer(Code.Internal, '[INVALID_HANDLE.OPERATION_ABANDONED] x'), 'SPARK_OPERATION_LOST'],
    [answer(Code.Internal, 'x', { errorClass: 'OPERATION_CANCELED' }), 'SPARK_CANCELLED'],
    [answer(Code.Internal, 'x', { errorClass: 'DIVIDE_BY_ZERO' }), 'SPARK_FAILED'],
    [answer(Code.Unauthenticated, 'x'), 'SPARK_UNAUTHENTICATED'],
    [answer(Code.PermissionDenied, 'x'), 'SPARK_PERMISSION_DENIED'],
    [answer(Code.Unimplemented, 'x'), 'SPARK_SERVER_UNSUPPORTED'],
    [answer(Code.Unavailable, 'x'), 'SPARK_UNREACHABLE'],
    [new ConnectError('connect ECONNREFUSED', Code.Unavailable), 'SPARK_UNREACHABLE'],
    [new TypeError('oops'), 'SPARK_PROTOCOL'],
  ])('%s is %s', (error, code) => {
    expect(toSparkError(error).code).toBe(code)
  })

  test('what is no answer may be tried again, and an answer only when it says so', () => {
    expect(isTransient(new ConnectError('reset', Code.Aborted))).toBe(true)
    expect(isTransient(answer(Code.Unavailable, 'x'))).toBe(true)
    expect(isTransient(answer(Code.Internal, 'x', analysis))).toBe(false)
    expect(isTransient(answer(Code.Internal, '[INVALID_CURSOR.DISCONNECTED] x'))).toBe(true)
    expect(isTransient(new SparkError('SPARK_PROTOCOL', 'x'))).toBe(false)
    const busy = answer(Code.ResourceExhausted, 'busy')
    const retryDelay = { seconds: 2n, nanos: 500_000_000 }
    busy.details = [{ desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) }]
    expect(isTransient(busy)).toBe(true)
    expect(serverDelayMs(busy)).toBe(2500)
  })

  test('an aborted call is not a lost connection', () => {
    const aborted = new DOMException('This operation was aborted', 'AbortError')
    expect(isTransient(new ConnectError('aborted', Code.Canceled, undefined, undefined, aborted))).toBe(false)
  })

  test('an operation the server does not know, and the id of its error', () => {
    expect(isOperationUnknown(answer(Code.Internal, '[INVALID_HANDLE.OPERATION_NOT_FOUND] x'))).toBe(true)
    expect(isOperationUnknown(answer(Code.Internal, 'x', analysis))).toBe(false)
    expect(errorIdOf(answer(Code.Internal, 'x', analysis))).toBe('e1')
  })

  test('every code says what to do, and whether it may be tried again', () => {
    for (const [code, { advice, retryable }] of Object.entries(SPARK_ERRORS)) {
      const error = new SparkError(code as keyof typeof SPARK_ERRORS, 'm')
      expect([error.advice, error.canRetry]).toEqual([advice, retryable])
    }
  })
})
