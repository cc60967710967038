import type { EventLog } from '@arus/event-log'
import type { Parts } from '../cli/context.ts'
import { topicsOf } from '../events/topics.ts'
import type { LakeWriter, RoundOptions } from '../lake/copy-rounds.ts'
import type { Lake } from '../lake/lake.ts'
import { startLakeWriter } from '../lake/lake-writer.ts'

/** Starts what copies the log into bronze: Spark's streams where the log is a Kafka and Spark computes, else this process. */
export async function bronzeWriter(
  parts: Parts,
  { lake, log }: { readonly lake: Lake; readonly log: EventLog },
): Promise<(rounds: RoundOptions) => LakeWriter> {
  const { kafka, spark, shop } = parts.settings
  const topics = topicsOf({ shop, kafka })
  const compute = await parts.spark()
  if (kafka === null || spark === null || compute === null)
    return (rounds) => startLakeWriter({ ...rounds, lake, log, topics })
  const place = await parts.place()
  const { startSparkLakeWriter } = await import('../lake/spark/spark-lake-writer.ts')
  return (rounds) => startSparkLakeWriter({ ...rounds, lake, log, topics, kafka, spark, compute, place })
}
