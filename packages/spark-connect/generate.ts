/**
 * Generates `src/protocol` from the protocol files that Spark's own jar carries:
 * `npm run generate -w @arus/spark-connect -- FOLDER_OF_JARS [OUTPUT]`. The folder is `ARUS_SPARK_JARS` of a started Spark
 * engine, or `pyspark/jars` of any PySpark.
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const BINARIES = join(ROOT, 'node_modules', '.bin')

/** What is taken out of the jar; the imports of the two are among them, or built into buf. */
const WANTED = '^(spark/connect/(?!example_)|google/rpc/error_details).*[.]proto$'
const UNPACK = `
import re, sys, zipfile
jar = zipfile.ZipFile(sys.argv[1])
jar.extractall(sys.argv[2], [name for name in jar.namelist() if re.search(sys.argv[3], name)])
`

/** Writes the TypeScript of the protocol below `output`, which is emptied first. */
function generate(jarsFolder: string, output: string): void {
  const jar = globSync(join(jarsFolder, 'spark-connect_*.jar'))[0]
  if (jar === undefined) throw new Error(`No spark-connect_*.jar in ${jarsFolder}`)
  const sources = mkdtempSync(join(tmpdir(), 'spark-connect-'))
  try {
    execFileSync('python3', ['-c', UNPACK, jar, sources, WANTED])
    const plugin = {
      local: ['node', join(BINARIES, 'protoc-gen-es')],
      out: output,
      // Node strips types and does nothing else: no enums, and specifiers that name the file there is.
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    }
    const template = JSON.stringify({ version: 'v2', clean: true, plugins: [plugin] })
    const environment = { ...process.env, PATH: `${BINARIES}:${process.env.PATH}` }
    execFileSync(join(BINARIES, 'buf'), ['generate', '--template', template, sources], { env: environment })
  } finally {
    rmSync(sources, { recursive: true })
  }
}

const [jarsFolder = process.env.ARUS_SPARK_JARS, output = join(import.meta.dirname, 'src', 'protocol')] =
  process.argv.slice(2)
if (jarsFolder === undefined) throw new Error('Name the folder of Spark’s jars, or set ARUS_SPARK_JARS')
generate(jarsFolder, output)
