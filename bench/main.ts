/** `npm run bench [-- NAME …]`: every benchmark but Kafka's, which needs Java, or those named. Each prints ours, the other side's, the ratio, the budget. */

import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { benchAnalytics } from './analytics.ts'
import { benchDelta } from './delta.ts'
import { benchEvents } from './events.ts'
import { benchExplore } from './explore.ts'
import { benchFreshness } from './freshness.ts'
import { benchImport } from './import.ts'
import { benchIntake } from './intake.ts'
import { benchKafka } from './kafka.ts'
import { benchKernels } from './kernels.ts'
import { benchLake } from './lake.ts'
import { benchLive } from './live.ts'
import { benchQuality } from './quality.ts'
import { benchRecommend } from './recommend.ts'
import { benchServer } from './server.ts'
import { benchShopTraining } from './shop-training.ts'
import { benchSpark } from './spark.ts'
import { benchSql } from './sql.ts'
import { benchSteady } from './steady.ts'
import { benchTaste } from './taste.ts'
import { benchTrain } from './train.ts'
import { benchValkey } from './valkey.ts'

const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
  import: () => benchImport({ rows: 1_426_337 }),
  explore: () => benchExplore(),
  events: () => benchEvents(),
  lake: () => benchLake({ eventCount: Number(process.env.LAKE_EVENTS ?? 10_000_000) }),
  delta: () => benchDelta(),
  sql: () => benchSql({ rowCount: Number(process.env.SQL_ROWS ?? 1_000_000) }),
  analytics: () => benchAnalytics({ eventCount: Number(process.env.ANALYTICS_EVENTS ?? 1_000_000) }),
  spark: () => benchSpark({ rowCount: Number(process.env.SPARK_ROWS ?? 1_000_000) }),
  recommend: () => benchRecommend(),
  server: () => benchServer(),
  freshness: () =>
    benchFreshness({
      productCount: Number(process.env.FRESHNESS_PRODUCTS ?? 20_000),
      eventsPerSecond: 2_000,
      seconds: 30,
      port: 8391,
    }),
  steady: () =>
    benchSteady({
      productCount: 20_000,
      eventsPerSecond: Number(process.env.STEADY_EVENTS ?? 2_000),
      minutes: Number(process.env.STEADY_MINUTES ?? 5),
      port: 8392,
    }),
  taste: () => benchTaste({ productCount: 20_000, port: 8393 }),
  intake: () => benchIntake(),
  live: () => benchLive({ eventCount: 200_000 }),
  quality: () => benchQuality(),
  train: () => benchTrain(),
  'shop-training': () => benchShopTraining(),
  kernels: () => benchKernels(),
  kafka: () => benchKafka({ eventCount: 200_000 }),
  valkey: () => benchValkey(),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => benchmarks[name] === undefined)
if (unknown.length > 0) {
  console.error(
    `No benchmark is called ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`,
  )
  process.exit(2)
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, commit ${commit}`)
for (const [name, run] of Object.entries(benchmarks)) {
  if (wanted.length === 0 ? name !== 'kafka' : wanted.includes(name)) await run()
}
