import { statSync, truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeltaError, type Storage, type StoredFile } from '../src/index.ts'
import type { FaultKind, FaultPlan } from './fault-plan.ts'

/** A fault that hit. */
export interface Fault {
  readonly method: string
  readonly index: number
  readonly kind: FaultKind
}

const DELAY_MS_MAX = 5

/**
 * A storage whose calls go wrong as planned, in the ways the contract of the port allows: what is promised to be atomic
 * is never torn, what is promised to be durable stays, and an error says what it must. A fault its method cannot suffer
 * becomes `before`.
 */
export class FaultyStorage implements Storage {
  /** In the order in which they hit. */
  readonly faults: Fault[] = []
  readonly #inner: Storage
  readonly #plan: FaultPlan
  readonly #calls = new Map<string, number>()
  readonly #late = new Set<Promise<unknown>>()

  constructor(inner: Storage, plan: FaultPlan) {
    this.#inner = inner
    this.#plan = plan
  }

  get location(): string {
    return this.#inner.location
  }

  /** Resolves when everything that was to happen late has happened. */
  async settled(): Promise<void> {
    await Promise.all(this.#late)
  }

  read(path: string): Promise<Uint8Array> {
    return this.#repeatable('read', path, () => this.#inner.read(path))
  }

  /** The second of two that arrive changes nothing, and its answer goes to nobody. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#write('putIfAbsent', path, () => this.#inner.putIfAbsent(path, bytes))
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#write('put', path, () => this.#inner.put(path, bytes))
  }

  list(folder: string, startAfter?: string): Promise<StoredFile[]> {
    return this.#repeatable('list', folder, () => this.#inner.list(folder, startAfter))
  }

  listNames(folder: string, startAfter?: string): Promise<string[]> {
    return this.#repeatable('listNames', folder, () => this.#inner.listNames(folder, startAfter))
  }

  listData(): Promise<StoredFile[]> {
    return this.#repeatable('listData', '', () => this.#inner.listData())
  }

  delete(path: string): Promise<void> {
    return this.#repeatable('delete', path, () => this.#inner.delete(path))
  }

  localPath(path: string): string {
    return this.#inner.localPath(path)
  }

  async ensureLocal(paths: readonly string[]): Promise<void> {
    const half = paths.slice(0, paths.length / 2)
    await this.#repeatable('ensureLocal', paths.join(), () => this.#inner.ensureLocal(paths), {
      tear: () => this.#inner.ensureLocal(half),
    })
  }

  /** Torn, some files are published and another is cut short: its writer must not name it in a commit. */
  async publish(paths: readonly string[]): Promise<void> {
    const half = paths.slice(0, paths.length / 2)
    await this.#repeatable('publish', paths.join(), () => this.#inner.publish(paths), {
      tear: async () => {
        await this.#inner.publish(half)
        const last = paths.at(-1)
        if (last === undefined) return
        const local = this.#inner.localPath(last)
        truncateSync(local, Math.floor(statSync(local).size / 2))
      },
    })
  }

  removeStale(): Promise<void> {
    return this.#inner.removeStale()
  }

  async #write<Result>(method: string, path: string, call: () => Promise<Result>): Promise<Result> {
    const kind = this.#next(method)
    switch (kind) {
      case null:
        return call()
      case 'after':
        await call()
        throw unknown(method, path)
      case 'late': {
        const late = sleep(Math.random() * DELAY_MS_MAX).then(call)
        this.#late.add(late)
        throw unknown(method, path)
      }
      case 'delay':
        await sleep(Math.random() * DELAY_MS_MAX)
        return call()
      case 'duplicate': {
        const result = await call()
        await call()
        return result
      }
      default:
        throw unavailable(method, path)
    }
  }

  async #repeatable<Result>(
    method: string,
    path: string,
    call: () => Promise<Result>,
    { tear = async () => {} }: { readonly tear?: () => Promise<void> } = {},
  ): Promise<Result> {
    const kind = this.#next(method)
    if (kind === null) return call()
    if (kind === 'delay') await sleep(Math.random() * DELAY_MS_MAX)
    if (kind === 'duplicate') await call()
    if (kind === 'delay' || kind === 'duplicate') return call()
    if (kind === 'tear') await tear()
    if (kind === 'after') await call()
    throw unavailable(method, path)
  }

  #next(method: string): FaultKind | null {
    const index = this.#calls.get(method) ?? 0
    this.#calls.set(method, index + 1)
    const kind = this.#plan(method, index)
    if (kind !== null) this.faults.push({ method, index, kind })
    return kind
  }
}

function unavailable(method: string, path: string): DeltaError {
  return new DeltaError('DELTA_STORAGE_UNAVAILABLE', `Injected: ${method} of ${path} did not happen`)
}

function unknown(method: string, path: string): DeltaError {
  return new DeltaError('DELTA_OUTCOME_UNKNOWN', `Injected: ${method} of ${path} may have happened`)
}
