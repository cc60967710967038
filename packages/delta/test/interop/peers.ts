import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect } from 'vitest'
import { WorkerClient } from '../../../../engines/launcher/worker-client.ts'
import { ArusPeer } from './arus-peer.ts'
import { DeltalakePeer } from './deltalake-peer.ts'
import type { Peer, TableRead } from './peer.ts'
import { SparkPeer } from './spark-peer.ts'
import { sorted } from './typed-rows.ts'

export const PEER_NAMES = ['Arus', 'Spark', 'deltalake'] as const
export type PeerName = (typeof PEER_NAMES)[number]

/** The three that share tables, connected to the engines `npm run test:engines` started, and a folder for tables. */
export class Peers implements Disposable {
  readonly arus: ArusPeer
  readonly spark: SparkPeer
  readonly deltalake: DeltalakePeer
  readonly #close: () => void
  readonly #folder = mkdtempSync(join(tmpdir(), 'arus-interop-'))

  private constructor(
    arus: ArusPeer,
    [spark, deltalake]: readonly [WorkerClient, WorkerClient],
    close: () => void,
  ) {
    this.arus = arus
    this.spark = new SparkPeer(spark)
    this.deltalake = new DeltalakePeer(deltalake)
    this.#close = close
  }

  static async connect(): Promise<Peers> {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run("SET TimeZone = 'UTC'")
    const workers = [await workerAt('ARUS_SPARK_SOCKET'), await workerAt('ARUS_DELTALAKE_SOCKET')] as const
    return new Peers(new ArusPeer(connection), workers, () => {
      connection.closeSync()
      for (const worker of workers) worker[Symbol.dispose]()
    })
  }

  get all(): readonly Peer[] {
    return [this.arus, this.spark, this.deltalake]
  }

  named(name: PeerName): Peer {
    return this.all.find((peer) => peer.name === name)!
  }

  /** The two besides the one named. */
  others(name: PeerName): readonly Peer[] {
    return this.all.filter((peer) => peer.name !== name)
  }

  /** A path at which there is nothing yet. */
  newPath(): string {
    return mkdtempSync(join(this.#folder, 't-'))
  }

  [Symbol.dispose](): void {
    this.#close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Every one of `readers` finds exactly these columns, of these types, and these rows. */
export async function expectAllRead(
  readers: readonly Peer[],
  path: string,
  expected: TableRead & { readonly version?: number },
): Promise<void> {
  for (const reader of readers) {
    const found = await reader.read(path, expected.version)
    const columns = ({ schema }: TableRead) => schema.fields.map(({ name, type }) => ({ name, type }))
    expect({ reader: reader.name, columns: columns(found) }).toEqual({
      reader: reader.name,
      columns: columns(expected),
    })
    expect({ reader: reader.name, rows: sorted(found.rows) }).toEqual({
      reader: reader.name,
      rows: sorted(expected.rows),
    })
  }
}

async function workerAt(variable: string): Promise<WorkerClient> {
  const socket = process.env[variable]
  if (!socket) throw new TypeError(`${variable} is not set; run these tests with npm run test:engines`)
  return WorkerClient.connect(socket)
}
