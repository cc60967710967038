import { join } from 'node:path'
import { lastOfEachSplit, type Split } from '../../packages/recommenders/src/index.ts'
import { interactionsOf, linesOf, Pairs, readLists, splitOf } from './lists.ts'

/** Public data of `shared/data` by name, with the split that is usual for each. */
export const DATA_SETS: Readonly<Record<string, (folder: string) => Split>> = {
  gowalla: (folder) =>
    splitOf(readLists(join(folder, 'gowalla/train.txt.gz')), readLists(join(folder, 'gowalla/test.txt.gz'))),
  'lastfm-lightgcn': (folder) =>
    splitOf(
      readCounts(join(folder, 'lastfm-lightgcn/data1.txt.gz')),
      readCounts(join(folder, 'lastfm-lightgcn/test1.txt.gz')),
    ),
  /** The last fifth of each user's ratings by time. */
  'ml-latest-small': (folder) =>
    lastOfEachSplit(interactionsOf(readRatings(join(folder, 'ml-latest-small/ratings.csv.gz')))),
  Beauty: (folder) => lastOut(join(folder, 's3rec/Beauty.txt.gz')),
  Toys: (folder) => lastOut(join(folder, 's3rec/Toys_and_Games.txt.gz')),
  LastFM: (folder) => lastOut(join(folder, 's3rec/LastFM.txt.gz')),
  'retailrocket-2k': (folder) =>
    splitOf(
      readEvents(join(folder, 'retailrocket-2k/events.csv.gz')),
      readBuys(join(folder, 'retailrocket-2k/test_buys.csv.gz')),
    ),
}

/** Leave-one-out: the last item of each list is the test. */
function lastOut(file: string): Split {
  const train = new Pairs()
  const test = new Pairs()
  for (const line of linesOf(file)) {
    const [user = '', ...items] = line.split(/\s+/)
    for (const [n, item] of items.entries()) (n === items.length - 1 ? test : train).add(user, item)
  }
  return splitOf(train, test)
}

/** `user item count`. */
function readCounts(file: string): Pairs {
  const pairs = new Pairs()
  for (const line of linesOf(file)) {
    const [user = '', item = ''] = line.split(/\s+/)
    pairs.add(user, item)
  }
  return pairs
}

/** Ratings of any height: that a film was rated is what is to be predicted. */
function readRatings(file: string): Pairs {
  const pairs = new Pairs()
  for (const line of linesOf(file).slice(1)) {
    const [user = '', item = '', , seconds = ''] = line.split(',')
    pairs.add(user, item, { timeMs: Number(seconds) * 1000 })
  }
  return pairs
}

/** Weights as `silver.interactions` has them. */
const WEIGHTS: Readonly<Record<string, number>> = { view: 1, cart: 4, buy: 6 }

function readEvents(file: string): Pairs {
  const [head = '', ...lines] = linesOf(file)
  const [ts, user, item, event] = ['ts', 'user', 'item', 'event'].map((name) => head.split(',').indexOf(name))
  const pairs = new Pairs()
  for (const line of lines) {
    const cells = line.split(',')
    pairs.add(cells[user!]!, cells[item!]!, {
      weight: WEIGHTS[cells[event!]!] ?? 1,
      timeMs: Number(cells[ts!]) * 1000,
    })
  }
  return pairs
}

function readBuys(file: string): Pairs {
  const [head = '', ...lines] = linesOf(file)
  const [user, item] = ['user', 'item'].map((name) => head.split(',').indexOf(name))
  const pairs = new Pairs()
  for (const line of lines) pairs.add(line.split(',')[user!]!, line.split(',')[item!]!)
  return pairs
}
