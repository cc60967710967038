/** The process that keeps the lake: log → bronze → silver → gold, away from the threads that answer requests. */
import { once } from 'node:events'
import { join } from 'node:path'
import { pino } from 'pino'
import { startCatalogueFollower } from '../catalogue/catalogue-follower.ts'
import { dataFolders, type Settings } from '../config/settings.ts'
import { topicsOf } from '../events/topics.ts'
import { eraseFromLake, type LakeErasureParts } from '../lake/erase-from-lake.ts'
import { type FoundShopper, findShopper } from '../lake/find-shopper.ts'
import { startRefiner } from '../lake/refiner.ts'
import { lockWhenFree } from '../operations/server-lock.ts'
import { openParts } from '../wiring.ts'
import { stepBehindRequests } from './behind-requests.ts'
import { bronzeWriter } from './bronze-writer.ts'
import type { LakeAnswer, LakeAsk } from './lake-keeper.ts'

stepBehindRequests()
const [settings] = (await once(process, 'message')) as [Settings]
const logger = pino({ level: settings.logLevel }, pino.destination(2))
const parts = openParts(settings)
// One that outlived its server may be at work still.
const unlock = await lockWhenFree(join(dataFolders(settings).root, 'lake.lock'))
const lake = await parts.lake()
const parted: LakeErasureParts = {
  lake,
  log: await parts.log(),
  topics: topicsOf(settings),
  compute: await parts.compute(),
}
const startWriter = await bronzeWriter(parts, parted)
/** False while another server of the shop keeps the lake. */
let isKeeper = true
let keeping = startKeeping()
const follower = startCatalogueFollower({
  lake,
  folder: dataFolders(settings).catalogue,
  intervalMs: settings.lakeIntervalMs,
  onBuilt: () =>
    logger.info('the products of the lake were imported elsewhere; the catalogue was built from them'),
  onFault: (error) => logger.error({ err: error }, 'the catalogue could not follow the lake; trying again'),
})
/** One ask at a time: an erasure must be alone. */
let last: Promise<unknown> = Promise.resolve()

process.on('message', (ask: LakeAsk) => {
  last = last.then(() => answer(ask))
})
// Ctrl-C reaches the whole process group: the server decides. Without a server there is nothing left to keep.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => void stop())
say({ id: 0, failure: null })

function startKeeping() {
  return {
    writer: startWriter({
      isDue: () => isKeeper,
      intervalMs: settings.lakeIntervalMs,
      onFault: (error) =>
        logger.error({ err: error }, 'the log could not be copied into the lake; trying again'),
    }),
    refiner: startRefiner({
      ...parted,
      isDue: () => isKeeper,
      historyMs: settings.lakeHistoryMs,
      intervalMs: settings.lakeIntervalMs,
      onFault: (error) => logger.error({ err: error }, 'the lake could not be refined; trying again'),
    }),
  }
}

async function answer(ask: LakeAsk): Promise<void> {
  const { id } = ask
  try {
    const found = await carryOut(ask)
    say({ id, failure: null, ...(found === undefined ? {} : { found }) })
  } catch (error) {
    say({ id, failure: error instanceof Error ? error.message : String(error) })
  }
  if (ask.what === 'stop') process.disconnect()
}

async function carryOut(ask: LakeAsk): Promise<FoundShopper | undefined> {
  switch (ask.what) {
    case 'keep':
      isKeeper = ask.isKeeper
      return
    case 'flush':
      await keeping.writer.flush()
      return
    case 'refine':
      await keeping.writer.flush()
      await keeping.refiner.refineNow()
      return
    case 'stop':
      await stopKeeping()
      return
    case 'find':
      await keeping.writer.flush()
      return findShopper(lake, ask.shopper)
    case 'erase':
      try {
        await stopKeeping()
        const copyLog = () => startWriter({}).stop()
        await eraseFromLake({ ...parted, copyLog }, ask.names, {
          onProgress: (progress) => say({ id: ask.id, progress }),
        })
      } finally {
        keeping = startKeeping()
      }
  }
}

async function stopKeeping(): Promise<void> {
  try {
    await keeping.writer.stop()
  } finally {
    await keeping.refiner.stop()
  }
}

function say(answered: LakeAnswer): void {
  if (process.connected) process.send?.(answered)
}

async function stop(): Promise<void> {
  await follower.stop()
  await last
  await keeping.writer
    .stop()
    .catch((error: unknown) => logger.error({ err: error }, 'the last records wait in the log'))
  await keeping.refiner.stop()
  await parts.close()
  unlock()
}
