import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ArusError } from '../errors.ts'

/**
 * Makes sure that one server at a time runs on a data folder: writes this process's id to `file`.
 * A file left by a process that is gone is taken over. Throws `ALREADY_RUNNING`. Returns the release.
 */
export function lockServer(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true })
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const descriptor = openSync(file, 'wx')
      writeSync(descriptor, String(process.pid))
      fsyncSync(descriptor)
      closeSync(descriptor)
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = Number(readFileSync(file, 'utf8'))
      if (isAlive(holder)) {
        throw new ArusError(
          'ALREADY_RUNNING',
          `Arus already runs on this data folder (process ${holder}). Stop it first, or set ARUS_DATA_DIR and the ports to start another.`,
        )
      }
      rmSync(file, { force: true })
    }
  }
  throw new ArusError('ALREADY_RUNNING', `Another Arus is starting on this data folder (${file}).`)
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
