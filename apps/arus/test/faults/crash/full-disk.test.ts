import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLmdbStateStore } from '../../../src/state/lmdb-state-store.ts'
import { whyNoSmallDisk } from './full-disk.ts'

const reason = whyNoSmallDisk()
const PAGES_FREE = 8

test.skipIf(reason !== null)(
  `live state on a full disk (${reason ?? 'a tmpfs of 4 MB'}): a commit fails as a whole, and succeeds when there is room`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'arus-full-state-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
    const store = await openLmdbStateStore({ folder: join(folder, 'state') })
    try {
      const commit = (round: number) =>
        store.commit([
          { key: 'left', value: round },
          ...Array.from({ length: 200 }, (_, i) => ({ key: `m${i}`, value: `${round}`.repeat(200) })),
          { key: 'right', value: round },
        ])
      await commit(1)
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(join(folder, 'ballast'), new Uint8Array((bavail - PAGES_FREE) * bsize))
      let kept = 1
      for (let round = 2; round < 8; round++) {
        const failure = await commit(round).then(
          () => null,
          (error: unknown) => error,
        )
        if (failure === null) kept = round
        expect(await store.getMany(['left', 'm199', 'right'])).toEqual([kept, `${kept}`.repeat(200), kept])
      }
      expect(kept).toBeLessThan(7)
      rmSync(join(folder, 'ballast'))
      await commit(8)
      expect(await store.getMany(['left', 'right'])).toEqual([8, 8])
    } finally {
      await store.close()
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true })
    }
  },
)
