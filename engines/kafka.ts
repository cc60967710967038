import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ALONE, javaCommand, startBroker, writeProperties } from './kafka-server.ts'
import type { Engine, StartContext, Tool } from './launcher/engine.ts'
import { EngineError } from './launcher/errors.ts'
import { freePort } from './launcher/free-port.ts'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { installPythonPackages, PYTHON_TOOL, pythonOf, recipeFile } from './launcher/python.ts'

export const JAVA_TOOLS: readonly Tool[] = [
  { command: 'java', hint: 'Java 17 or newer: apt-get install openjdk-17-jre-headless' },
  { command: 'mvn', hint: 'Maven: apt-get install maven' },
]
/** A client that is not ours, for events that others write. */
const PYTHON_PACKAGES = ['kafka-python==3.0.12']
const USER = 'arus'

/** Where a broker of a test listens, and how it lets clients in. */
export interface KafkaPorts {
  readonly plain: number
  readonly controller: number
  /** TLS, with the user `arus`. */
  readonly secure: number
}

/**
 * Kafka in KRaft mode: one node, broker and controller. Programs find it by `KAFKA_BOOTSTRAP_SERVERS`. A second listener
 * wants TLS and a password; tests find it by `ARUS_KAFKA_SECURE`, `ARUS_KAFKA_PASSWORD`, `ARUS_KAFKA_CA`; the jars of
 * Kafka's own tools by `ARUS_KAFKA_LIBS`; and a Python with the package `kafka-python` by `ARUS_KAFKA_PYTHON`.
 */
export const kafka: Engine = {
  name: 'kafka',
  version: '4.3.1',
  description: 'Kafka 4.3 (KRaft) and its tools from Maven Central (54 MB), kafka-python from PyPI',
  tools: [...JAVA_TOOLS, PYTHON_TOOL],
  recipe: [recipeFile('jars/kafka.xml'), ...PYTHON_PACKAGES],

  async install(context) {
    await context.run(copyJars('kafka', context.folder))
    await installPythonPackages(context, PYTHON_PACKAGES)
  },

  async start(context) {
    const ports = { plain: await freePort(), controller: await freePort(), secure: await freePort() }
    const password = randomBytes(12).toString('hex')
    await formatKafka(context, { ports, password })
    const broker = await startKafka(context, { ports, password })
    return {
      environment: {
        KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${ports.plain}`,
        ARUS_KAFKA_SECURE: `127.0.0.1:${ports.secure}`,
        ARUS_KAFKA_PASSWORD: password,
        ARUS_KAFKA_CA: join(context.runFolder, 'ca.pem'),
        ARUS_KAFKA_LIBS: join(context.folder, 'libs'),
        ARUS_KAFKA_PYTHON: pythonOf(context.folder),
      },
      stop: () => broker.stop(5_000),
    }
  },
}

export interface KafkaAccess {
  readonly ports: KafkaPorts
  /** Of the user `arus`, and of the key store. */
  readonly password: string
}

/** Makes an empty broker in the run folder: its identity, and the certificate of its second listener. */
export async function formatKafka(context: StartContext, access: KafkaAccess): Promise<void> {
  const { folder, runFolder } = context
  const properties = writeProperties(runFolder, 'kafka', propertiesOf(runFolder, access))
  const store = ['-keystore', 'key.p12', '-storepass', access.password, '-alias', 'kafka']
  const subject = ['-dname', 'CN=127.0.0.1', '-ext', 'SAN=IP:127.0.0.1', '-validity', '365', '-keyalg', 'EC']
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'YXJ1cy1lbmdpbmUtdGVzdA', '-c', properties]
  await Promise.all([
    runTool(runFolder, 'format', javaCommand(folder, ...format)),
    runTool(runFolder, 'keytool', ['keytool', '-genkeypair', ...store, ...subject]).then(() =>
      runTool(runFolder, 'keytool', ['keytool', '-exportcert', '-rfc', '-file', 'ca.pem', ...store]),
    ),
  ])
}

/** Starts a broker on what `formatKafka` made; again after it ended, it is the same broker. */
export function startKafka(context: StartContext, access: KafkaAccess): Promise<GuardedProcess> {
  const { folder, runFolder, signal } = context
  const properties = propertiesOf(runFolder, access)
  const options = { name: 'kafka', mainClass: 'kafka.Kafka', folder, runFolder, properties, signal }
  return startBroker(options, access.ports.plain)
}

/** Maven's command that puts the jars of `engines/jars/NAME.xml` into an installation. */
export function copyJars(name: string, folder: string): string[] {
  const pom = join(import.meta.dirname, 'jars', `${name}.xml`)
  const output = `-DoutputDirectory=${join(folder, 'libs')}`
  return ['mvn', '-B', '-q', '-f', pom, 'dependency:copy-dependencies', output, '-DincludeScope=runtime']
}

function propertiesOf(runFolder: string, { ports, password }: KafkaAccess): Record<string, string> {
  const listeners = `PLAINTEXT://127.0.0.1:${ports.plain},SASL_SSL://127.0.0.1:${ports.secure}`
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER}="${password}";`
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return {
    ...ALONE,
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': login,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': scram,
    'ssl.keystore.location': join(runFolder, 'key.p12'),
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': password,
    'ssl.key.password': password,
    'log.dirs': join(runFolder, 'data'),
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  }
}

async function runTool(runFolder: string, name: string, command: readonly string[]): Promise<void> {
  const tool = new GuardedProcess(command, { folder: runFolder, logFile: join(runFolder, `${name}.log`) })
  const status = await tool.exited
  if (status === 0) return
  throw new EngineError(
    'ENGINE_START_FAILED',
    `${command[0]} (${name}) ended with ${status}:\n${tool.logTail()}`,
  )
}
