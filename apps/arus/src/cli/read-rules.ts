import { readFile } from 'node:fs/promises'
import { ArusError } from '../errors.ts'
import { newRule } from '../rules/new-rule.ts'
import type { NewRule } from '../rules/rule.ts'

/** The rules of a JSON file: one, or an array of them. Throws `FILE_UNREADABLE`, or `REQUEST_INVALID` saying which is wrong. */
export async function readRules(file: string): Promise<NewRule[]> {
  const value = await readJson(file)
  if (!Array.isArray(value)) return [newRule(value)]
  return value.map((one: unknown, i) => {
    try {
      return newRule(one)
    } catch (error) {
      if (!(error instanceof ArusError)) throw error
      throw new ArusError(error.code, `Rule ${i + 1} of ${file}: ${error.message}`, { cause: error })
    }
  })
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ArusError('FILE_UNREADABLE', `${file} is not a readable JSON file: ${reason}`, { cause: error })
  }
}
