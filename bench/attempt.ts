/** After so many failures of the same thing it is not the machine. */
export const ATTEMPTS = 5

/** So long a proxy that was kept waiting goes on refusing, and longer. */
const PAUSE = 1_500

/**
 * What `work` resolves to, tried up to {@link ATTEMPTS} times. A proxy may rightly answer 503 while the machine keeps it
 * waiting; what was measured then counts for nothing.
 *
 * @throws What the last attempt threw.
 */
export async function attempt<T>(work: () => Promise<T>, tell: (text: string) => void): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await work()
    } catch (error) {
      if (number >= ATTEMPTS) throw error
      tell(`once more: ${error instanceof Error ? error.message : String(error)}`)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}
