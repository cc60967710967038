/** The process that keeps the lake: log → bronze → silver → gold, away from the threads that answer requests. */
import { once } from 'node:events'
import { pino } from 'pino'
import type { Settings } from '../config/settings.ts'
import { topicNames } from '../events/topics.ts'
import { startLakeWriter } from '../lake/lake-writer.ts'
import { startRefiner } from '../lake/refiner.ts'
import { openParts } from '../wiring.ts'
import type { LakeAnswer, LakeAsk } from './lake-keeper.ts'

const [settings] = (await once(process, 'message')) as [Settings]
const logger = pino({ level: settings.logLevel }, pino.destination(2))
const parts = openParts(settings)
const lake = await parts.lake()
const writer = startLakeWriter({
  log: await parts.log(),
  lake,
  topics: topicNames(settings.shop),
  intervalMs: settings.lakeIntervalMs,
  onFault: (error) => logger.error({ err: error }, 'the log could not be copied into the lake; trying again'),
})
const refiner = startRefiner({
  lake,
  historyMs: settings.lakeHistoryMs,
  intervalMs: settings.lakeIntervalMs,
  onFault: (error) => logger.error({ err: error }, 'the lake could not be refined; trying again'),
})

process.on('message', (ask: LakeAsk) => void answer(ask))
// Ctrl-C reaches the whole process group: the server decides. Without a server there is nothing left to keep.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => void stop())
process.send?.({ id: 0, failure: null } satisfies LakeAnswer)

async function answer({ id, what }: LakeAsk): Promise<void> {
  const failure = await carryOut(what).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  if (process.connected) process.send?.({ id, failure } satisfies LakeAnswer)
  if (what === 'stop') process.disconnect()
}

async function carryOut(what: LakeAsk['what']): Promise<void> {
  if (what === 'stop') {
    await writer.stop()
    await refiner.stop()
    return
  }
  await writer.flush()
  if (what === 'refine') await refiner.refineNow()
}

async function stop(): Promise<void> {
  await writer
    .stop()
    .catch((error: unknown) => logger.error({ err: error }, 'the last records wait in the log'))
  await refiner.stop()
  await parts.close()
}
