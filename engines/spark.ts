import { globSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from './launcher/engine.ts'
import { EngineError } from './launcher/errors.ts'
import { installPythonPackages, PYTHON_TOOL, recipeFile, startWorker } from './launcher/python.ts'
import { WorkerClient } from './launcher/worker-client.ts'

const PACKAGES = ['pyspark==4.2.1']
/** One folder of jars per file of `engines/jars`. */
const JAR_SETS = ['delta', 's3a', 'spark-kafka']

/**
 * Spark with Delta, S3A and Kafka's source: one local session behind `workers/spark_worker.py`, which tests find by
 * `ARUS_SPARK_SOCKET`, and a Connect server in the same JVM, which they find by `SPARK_REMOTE`. `ARUS_SPARK_JARS` is the
 * folder of Spark's jars.
 */
export const spark: Engine = {
  name: 'spark',
  version: '4.2.1',
  description: 'Spark from PyPI (456 MB), Delta 4.4.0, S3A and the source for Kafka from Maven Central',
  tools: [
    PYTHON_TOOL,
    { command: 'java', hint: 'Java 17 or newer: apt-get install openjdk-17-jre-headless' },
    { command: 'mvn', hint: 'Maven: apt-get install maven' },
  ],
  recipe: [...PACKAGES, ...JAR_SETS.map((set) => recipeFile(`jars/${set}.xml`))],

  async install(context) {
    await installPythonPackages(context, PACKAGES)
    for (const set of JAR_SETS) {
      const pom = join(import.meta.dirname, 'jars', `${set}.xml`)
      const output = `-DoutputDirectory=${join(context.folder, 'jars', set)}`
      await context.run(['mvn', '-B', '-q', '-f', pom, 'dependency:copy-dependencies', output])
    }
  },

  async start(context) {
    const worker = await startWorker(context, {
      name: 'Spark',
      script: 'spark_worker.py',
      variable: 'ARUS_SPARK_SOCKET',
      environment: {
        ARUS_SPARK_CLASS_PATH: JAR_SETS.map((set) => join(context.folder, 'jars', set, '*')).join(':'),
      },
    })
    try {
      const SPARK_REMOTE = await remoteOf(worker.environment.ARUS_SPARK_SOCKET!)
      const environment = { ...worker.environment, SPARK_REMOTE, ARUS_SPARK_JARS: jarsOf(context.folder) }
      return { environment, stop: worker.stop }
    } catch (error) {
      await worker.stop()
      throw error
    }
  },
}

async function remoteOf(socket: string): Promise<string> {
  using client = await WorkerClient.connect(socket)
  return String(await client.request('remote'))
}

/** Spark's own jars, as the package from PyPI brings them. */
function jarsOf(folder: string): string {
  const found = globSync(join(folder, 'python/lib/python3*/site-packages/pyspark/jars'))
  if (found[0] === undefined) throw new EngineError('ENGINE_START_FAILED', `No jars of Spark in ${folder}`)
  return found[0]
}
