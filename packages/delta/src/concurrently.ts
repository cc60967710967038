/**
 * Runs a task for each item, `limit` at a time, and gives the results in the items' order. After a failure no further
 * task starts, and the first error is thrown once those that run have ended, so that nothing goes on behind the caller.
 */
export async function concurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const failures: unknown[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [i, item] of queue) {
      if (failures.length > 0) return
      try {
        results[i] = await task(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}
