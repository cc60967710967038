import { join } from 'node:path'
import {
  interactionsOf,
  Pairs,
  readLists,
  splitOf,
  wordsOf,
} from '../../apps/arus/src/evaluation/files/list-file.ts'
import { lastOfEachSplit, leaveLastOutSplit, type Split } from '../../packages/recommenders/src/index.ts'

/** Public data of `shared/data` by name, with the split that is usual for each. */
export const DATA_SETS: Readonly<Record<string, (folder: string) => Promise<Split>>> = {
  gowalla: async (folder) =>
    splitOf(
      await readLists(join(folder, 'gowalla/train.txt.gz')),
      await readLists(join(folder, 'gowalla/test.txt.gz')),
    ),
  'lastfm-lightgcn': async (folder) =>
    splitOf(
      await readCounts(join(folder, 'lastfm-lightgcn/data1.txt.gz')),
      await readCounts(join(folder, 'lastfm-lightgcn/test1.txt.gz')),
    ),
  /** The last fifth of each user's ratings by time. */
  'ml-latest-small': async (folder) =>
    lastOfEachSplit(interactionsOf(await readRatings(join(folder, 'ml-latest-small/ratings.csv.gz')))),
  Beauty: (folder) => lastOut(join(folder, 's3rec/Beauty.txt.gz')),
  Toys: (folder) => lastOut(join(folder, 's3rec/Toys_and_Games.txt.gz')),
  LastFM: (folder) => lastOut(join(folder, 's3rec/LastFM.txt.gz')),
  'retailrocket-2k': async (folder) =>
    splitOf(
      await readEvents(join(folder, 'retailrocket-2k/events.csv.gz')),
      await readBuys(join(folder, 'retailrocket-2k/test_buys.csv.gz')),
    ),
}

async function lastOut(file: string): Promise<Split> {
  return leaveLastOutSplit(interactionsOf(await readLists(file)))
}

/** `user item count`. */
async function readCounts(file: string): Promise<Pairs> {
  const pairs = new Pairs()
  for await (const [user = '', item = ''] of wordsOf(file)) pairs.add(user, item)
  return pairs
}

/** Ratings of any height: that a film was rated is what is to be predicted. */
async function readRatings(file: string): Promise<Pairs> {
  const pairs = new Pairs()
  for await (const [row, cells] of rowsOf(file)) {
    if (row > 0) pairs.add(cells[0]!, cells[1]!, { timeMs: Number(cells[3]) * 1000 })
  }
  return pairs
}

/** Weights as `silver.interactions` has them. */
const WEIGHTS: Readonly<Record<string, number>> = { view: 1, cart: 4, buy: 6 }

async function readEvents(file: string): Promise<Pairs> {
  const pairs = new Pairs()
  let columns: number[] = []
  for await (const [row, cells] of rowsOf(file)) {
    const [ts, user, item, event] = columns
    if (row === 0) columns = ['ts', 'user', 'item', 'event'].map((name) => cells.indexOf(name))
    else
      pairs.add(cells[user!]!, cells[item!]!, {
        weight: WEIGHTS[cells[event!]!] ?? 1,
        timeMs: Number(cells[ts!]) * 1000,
      })
  }
  return pairs
}

async function readBuys(file: string): Promise<Pairs> {
  const pairs = new Pairs()
  let columns: number[] = []
  for await (const [row, cells] of rowsOf(file)) {
    if (row === 0) columns = ['user', 'item'].map((name) => cells.indexOf(name))
    else pairs.add(cells[columns[0]!]!, cells[columns[1]!]!)
  }
  return pairs
}

/** Rows of a CSV without quotes, with their number from 0. */
async function* rowsOf(file: string): AsyncGenerator<[row: number, cells: string[]]> {
  let row = 0
  for await (const cells of wordsOf(file, ',')) yield [row++, cells]
}
