import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine, StartContext } from './launcher/engine.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'

const VERSION = '476'
const JAVA = 25
/** What Debian's and Adoptium's packages call their folders. */
const JAVA_HOMES = '/usr/lib/jvm'
/** Of the eighty there are. */
const PLUGIN = 'delta-lake'

/** Trino with Delta tables on the object store, if one runs, and in local folders. Programs find it by `TRINO_URL`. */
export const trino: Engine = {
  name: 'trino',
  version: VERSION,
  description: `Trino ${VERSION} from Maven Central (821 MB to download, most of it is thrown away)`,
  tools: [
    { command: javaCommand(), hint: `Java ${JAVA}: apt-get install temurin-${JAVA}-jdk` },
    { command: 'mvn', hint: 'Maven: apt-get install maven' },
  ],
  recipe: [VERSION, PLUGIN],

  async install({ folder, run }) {
    const artefact = `io.trino:trino-server:${VERSION}:tar.gz`
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
    await run(['mvn', '-B', '-q', copy, `-Dartifact=${artefact}`, `-DoutputDirectory=${folder}`])
    const archive = join(folder, `trino-server-${VERSION}.tar.gz`)
    // Jars that several plugins have are hard links to those of one, so all are unpacked.
    await run(['tar', '-xzf', archive, '-C', folder, '--strip-components=1'])
    const plugins = join(folder, 'plugin')
    await run([
      'find',
      plugins,
      '-mindepth',
      '1',
      '-maxdepth',
      '1',
      '!',
      '-name',
      PLUGIN,
      '-exec',
      'rm',
      '-r',
      '{}',
      '+',
    ])
    await run(['rm', archive])
  },

  async start(context) {
    const { folder, runFolder, signal } = context
    const port = await freePort()
    const etc = join(runFolder, 'etc')
    mkdirSync(join(etc, 'catalog'), { recursive: true })
    mkdirSync(join(runFolder, 'metastore'))
    writeFile(join(etc, 'config.properties'), {
      coordinator: 'true',
      'node-scheduler.include-coordinator': 'true',
      'node.environment': 'arus',
      'node.id': 'arus',
      'node.bind-ip': '127.0.0.1',
      'http-server.http.port': String(port),
      'node.internal-address': '127.0.0.1',
      'discovery.uri': `http://127.0.0.1:${port}`,
      'query.max-memory': '512MB',
      'query.max-memory-per-node': '512MB',
      'web-ui.enabled': 'false',
    })
    writeFile(join(etc, 'catalog', 'delta.properties'), deltaCatalog(context))
    const server = new GuardedProcess([javaCommand(), ...javaOptions(folder, etc)], {
      folder: runFolder,
      isFolderTemporary: true,
      logFile: join(runFolder, 'trino.log'),
    })
    const url = `http://127.0.0.1:${port}`
    await untilHealthy(server, () => isReady(url), { name: 'Trino', deadlineMs: 180_000, signal })
    return { environment: { TRINO_URL: url, TRINO_CATALOG: 'delta' }, stop: () => server.stop(5_000) }
  },
}

function deltaCatalog({ runFolder, environment }: StartContext): Record<string, string> {
  const { S3_ENDPOINT, AWS_REGION = 'us-east-1', AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = environment
  return {
    'connector.name': 'delta_lake',
    'hive.metastore': 'file',
    'hive.metastore.catalog.dir': `local://${join(runFolder, 'metastore')}`,
    'delta.register-table-procedure.enabled': 'true',
    // A commit is seen by the next query, and not when a listing has grown old.
    'delta.metadata.cache-ttl': '0s',
    'fs.native-local.enabled': 'true',
    'local.location': '/',
    ...(S3_ENDPOINT === undefined
      ? {}
      : {
          'fs.native-s3.enabled': 'true',
          's3.endpoint': S3_ENDPOINT,
          's3.region': AWS_REGION,
          's3.path-style-access': 'true',
          's3.aws-access-key': AWS_ACCESS_KEY_ID ?? '',
          's3.aws-secret-key': AWS_SECRET_ACCESS_KEY ?? '',
        }),
  }
}

/** What its own launcher adds, for a heap of 1 GB. */
function javaOptions(folder: string, etc: string): string[] {
  return [
    '-Xmx1G',
    '-XX:+UseG1GC',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:ReservedCodeCacheSize=256M',
    '-Djdk.attach.allowAttachSelf=true',
    '-Dfile.encoding=UTF-8',
    '-Duser.timezone=UTC',
    '--add-modules=jdk.incubator.vector',
    '--enable-native-access=ALL-UNNAMED',
    '--sun-misc-unsafe-memory-access=allow',
    `-Dconfig=${join(etc, 'config.properties')}`,
    `-Dplugin.dir=${join(folder, 'plugin')}`,
    '-Dlog.enable-console=true',
    '-cp',
    join(folder, 'lib', '*'),
    'io.trino.server.TrinoServer',
  ]
}

function writeFile(path: string, properties: Readonly<Record<string, string>>): void {
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(path, lines.join(''))
}

/** Trino wants a newer Java than the other engines: the one of `TRINO_JAVA`, an installed one of that version, else `java`. */
function javaCommand(): string {
  if (process.env.TRINO_JAVA) return process.env.TRINO_JAVA
  const home = folderNames(JAVA_HOMES).find((name) => new RegExp(`(^|\\D)${JAVA}(\\D|$)`).test(name))
  return home === undefined ? 'java' : join(JAVA_HOMES, home, 'bin', 'java')
}

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

async function isReady(url: string): Promise<boolean> {
  const info = (await (await fetch(`${url}/v1/info`)).json()) as { readonly starting: boolean }
  return !info.starting
}
