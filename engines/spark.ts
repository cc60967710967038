import { join } from 'node:path'
import type { Engine } from './launcher/engine.ts'
import { installPythonPackages, PYTHON_TOOL, recipeFile, startWorker } from './launcher/python.ts'

const PACKAGES = ['pyspark==4.2.1']
/** One folder of jars per file of `engines/jars`. */
const JAR_SETS = ['delta', 's3a']

/** Spark with Delta and S3A behind `workers/spark_worker.py`: one local session. Tests find it by `ARUS_SPARK_SOCKET`. */
export const spark: Engine = {
  name: 'spark',
  version: '4.2.1',
  description: 'Spark from PyPI (456 MB), Delta 4.4.0 and S3A from Maven Central',
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

  start: (context) =>
    startWorker(context, {
      name: 'Spark',
      script: 'spark_worker.py',
      variable: 'ARUS_SPARK_SOCKET',
      environment: {
        ARUS_SPARK_CLASS_PATH: JAR_SETS.map((set) => join(context.folder, 'jars', set, '*')).join(':'),
      },
    }),
}
