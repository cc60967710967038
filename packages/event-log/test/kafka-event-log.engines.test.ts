import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningEngine } from '../../../engines/launcher/engine.ts'
import { startEngine } from '../../../engines/start-engine.ts'
import { openKafkaEventLog } from '../src/kafka/index.ts'
import { eventLogContract } from './event-log-contract.ts'

eventLogContract('Kafka 4.3', async () => emptyLog(process.env.KAFKA_BOOTSTRAP_SERVERS))

describe('on ZooKeeper', () => {
  let engine: RunningEngine | null = null
  beforeAll(async () => {
    if (process.env.ARUS_KAFKA_39) return
    engine = await startEngine('kafka-zookeeper')
    Object.assign(process.env, engine.environment)
  })
  afterAll(async () => {
    if (engine === null) return
    delete process.env.ARUS_KAFKA_39
    await engine.stop()
  })
  eventLogContract('Kafka 3.9', async () => emptyLog(process.env.ARUS_KAFKA_39))
})

/** Names of its own in a Kafka that others use too. */
function emptyLog(server: string | undefined) {
  const prefix = `${randomUUID()}.`
  const options = { servers: [server ?? ''], topicPrefix: prefix, groupPrefix: prefix }
  return { open: () => openKafkaEventLog(options), destroy: async () => {} }
}
