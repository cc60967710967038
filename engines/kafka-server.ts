import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { GuardedProcess } from './launcher/guarded-process.ts'
import { untilHealthy } from './launcher/health.ts'

/** How a `java` of an engine runs: in its run folder, with a small heap. */
const JAVA = ['java', '-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true']
/** Both writers of logs are told of it: 4.x brings log4j 2, 3.9 its predecessor. */
const LOGGING = ['-Dlog4j2.level=WARN', '-Dlog4j.configuration=file:log4j.properties']
const DEADLINE_MS = 120_000

/** Settings of a broker that stands alone, whatever keeps its metadata. */
export const ALONE: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
}

export interface JavaOptions {
  /** Where the jars are. */
  readonly folder: string
  readonly runFolder: string
}

export interface ServerOptions extends JavaOptions {
  readonly name: string
  readonly mainClass: string
  /** Written to a file, which the program is given. */
  readonly properties: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** The command of a class among an engine's jars. */
export function javaCommand(folder: string, ...command: readonly string[]): string[] {
  return [...JAVA, ...LOGGING, '-cp', join(folder, 'libs', '*'), ...command]
}

/** Starts a server of Kafka's (a broker, or ZooKeeper) without waiting for it. */
export function startServer(options: Omit<ServerOptions, 'signal'>): GuardedProcess {
  const { name, folder, runFolder, mainClass, properties } = options
  writeFileSync(join(runFolder, 'log4j.properties'), LOG4J)
  const file = writeProperties(runFolder, name, properties)
  return new GuardedProcess(javaCommand(folder, mainClass, file), {
    folder: runFolder,
    isFolderTemporary: true,
    logFile: join(runFolder, `${name}.log`),
  })
}

/** Starts a broker and resolves when it answers on a port. */
export async function startBroker(options: ServerOptions, port: number): Promise<GuardedProcess> {
  const broker = startServer(options)
  await untilHealthy(broker, () => answersKafka(port), {
    name: options.name,
    deadlineMs: DEADLINE_MS,
    signal: options.signal,
  })
  return broker
}

/** Returns the file's path. */
export function writeProperties(
  runFolder: string,
  name: string,
  properties: Readonly<Record<string, string>>,
): string {
  const file = join(runFolder, `${name}.properties`)
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(file, lines.join(''))
  return file
}

const LOG4J = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n
`

/** ApiVersions, version 0, correlation 1, without a client's name: what every broker answers. */
const API_VERSIONS = Buffer.from('0000000a00120000000000010000', 'hex')

async function answersKafka(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
  try {
    await once(socket, 'connect')
    socket.write(API_VERSIONS)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    // Length, correlation, error code.
    return answer.length >= 10 && answer.readInt16BE(8) === 0
  } finally {
    socket.destroy()
  }
}
