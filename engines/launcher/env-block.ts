import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'

const BEGIN = '# >>> npm run engines -- up'
const END = '# <<< npm run engines -- down takes these lines out'
const FIRST_LINE = /^# >>> npm run engines -- up: process (\d+)$/

/** What `up` left in a file of settings. */
export interface EnvBlock {
  /** The process that holds the engines. */
  readonly pid: number
  readonly environment: Readonly<Record<string, string>>
}

/** The block of a file of settings; null where there is none. */
export function readEnvBlock(file: string): EnvBlock | null {
  const lines = linesOf(file)
  const block = lines.slice(...placeOf(lines))
  const pid = FIRST_LINE.exec(block[0] ?? '')?.[1]
  if (pid === undefined) return null
  const pairs = block.slice(1, -1).map((line) => /^(\w+)='(.*)'$/.exec(line)!)
  return {
    pid: Number(pid),
    environment: Object.fromEntries(pairs.map(([, name, value]) => [name!, value!])),
  }
}

/**
 * Puts a block at the end of a file of settings, where it outweighs the lines before it, in place of one that is there. Other lines stay as they
 * are. At no moment is the file half written; only its owner can read it, since it holds passwords.
 */
export function writeEnvBlock(file: string, { pid, environment }: EnvBlock): void {
  const settings = Object.entries(environment).map(([name, value]) => `${name}='${value}'`)
  replace(file, [...linesWithoutBlock(file), `${BEGIN}: process ${pid}`, ...settings, END])
}

/** Takes the block out; a file that held nothing else goes. */
export function removeEnvBlock(file: string): void {
  if (readEnvBlock(file) !== null) replace(file, linesWithoutBlock(file))
}

function linesWithoutBlock(file: string): string[] {
  const lines = linesOf(file)
  const [from, to] = placeOf(lines)
  return [...lines.slice(0, from), ...lines.slice(to)]
}

function linesOf(file: string): string[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Where the block begins, and where it has ended; twice the end of the file where there is none. */
function placeOf(lines: readonly string[]): [from: number, to: number] {
  const from = lines.findIndex((line) => FIRST_LINE.test(line))
  const to = lines.indexOf(END, from) + 1
  return from === -1 || to === 0 ? [lines.length, lines.length] : [from, to]
}

function replace(file: string, lines: readonly string[]): void {
  // What a link names is replaced, not the link.
  const place = existsSync(file) ? realpathSync(file) : file
  if (lines.length === 0) {
    rmSync(place, { force: true })
    return
  }
  const temporary = `${place}.${process.pid}.tmp`
  writeFileSync(temporary, `${lines.join('\n')}\n`, { mode: 0o600 })
  renameSync(temporary, place)
}
