import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KafkaSettings } from '../../config/kafka-settings.ts'
import { kafkaSource, offsetsJson, parseOffsets } from './kafka-source.ts'

const kafka: KafkaSettings = {
  servers: ['a:9092', 'b:9092'],
  topic: null,
  security: 'SASL_PLAINTEXT',
  mechanism: 'SCRAM-SHA-256',
  username: 'arus',
  password: 'a"b\\c',
  authorityFile: null,
  replicationFactor: null,
}

test('the login as JAAS has it, Kafka as Spark’s machines reach it, and only what was committed', () => {
  expect(kafkaSource(kafka, { kafkaServers: null })).toEqual({
    'kafka.bootstrap.servers': 'a:9092,b:9092',
    'kafka.isolation.level': 'read_committed',
    'kafka.security.protocol': 'SASL_PLAINTEXT',
    'kafka.sasl.mechanism': 'SCRAM-SHA-256',
    'kafka.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="arus" password="a\\"b\\\\c";',
  })
  expect(kafkaSource(kafka, { kafkaServers: 'inside:9092' })['kafka.bootstrap.servers']).toBe('inside:9092')
})

test('offsets come back as they were; a partition that has none begins at the beginning', () => {
  expect(offsetsJson('shop.events', [0, 1], new Map([[1, 7]]))).toBe('{"shop.events":{"0":-2,"1":7}}')
  fc.assert(
    fc.property(fc.dictionary(fc.nat(1_000).map(String), fc.nat()), (record) => {
      const offsets = new Map(
        Object.entries(record).map(([partition, offset]) => [Number(partition), offset]),
      )
      expect(parseOffsets('t', offsetsJson('t', [...offsets.keys()], offsets))).toEqual(offsets)
    }),
  )
})
