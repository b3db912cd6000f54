/** Maps with at most `width` under way and keeps the order; the first failure is thrown and nothing new is begun after it. */
export async function mapInParallel<T, R>(items: readonly T[], width: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  let failed = false
  const work = async () => {
    for (const [i, item] of queue) {
      if (failed) return
      try {
        results[i] = await map(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
  return results
}
