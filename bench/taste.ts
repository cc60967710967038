import { measureTaste, type TasteReport } from '../apps/arus/test/end-to-end/measure-taste.ts'
import { withServer } from './running-server.ts'

const SEED = 1

/** Click-through in the generated shop, whose shoppers have known tastes: the system beside popular, trending and random. */
export async function benchTaste({
  productCount,
  port,
}: {
  readonly productCount: number
  readonly port: number
}): Promise<void> {
  await withServer('taste', { productCount, port }, async ({ baseUrl, dataFolder }) => {
    const reports = await measureTaste({ baseUrl, dataFolder, seed: SEED, shoppers: 1_000 })
    console.log(
      `\nClick-through by hidden taste, shop of ${productCount.toLocaleString('en')} products, first model`,
    )
    print('shoppers with a history', reports.known)
    print('new shoppers after three clicks', reports.new)
  })
}

function print(who: string, { shoppers, clickThrough, timesAsMany }: TasteReport): void {
  console.log(`  ${shoppers} ${who}: system ${percent(clickThrough.system)}`)
  for (const [other, { ratio, low, high }] of Object.entries(timesAsMany)) {
    const theirs = percent(clickThrough[other as keyof typeof clickThrough])
    console.log(
      `    ${other.padEnd(9)} ${theirs}: ${ratio.toFixed(2)} × (95 % ${low.toFixed(2)} to ${high.toFixed(2)})`,
    )
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
