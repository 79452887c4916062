import { linesOf } from '../report/lines.ts'
import { summarize, summaryText } from '../report/summary.ts'
import { createTally } from '../report/tally.ts'

export interface ReportInvocation {
  /** `--json` or nothing; the settings do not count here. */
  readonly flags: readonly string[]
  /** The log. */
  readonly input: AsyncIterable<Uint8Array>
  /** Takes whole lines for standard output. */
  write(text: string): void
  writeError(text: string): void
}

/** sysexits.h EX_USAGE. */
const EX_USAGE = 64

/**
 * `claimgate report`: sums up the log of `serve` by code and request, and names what to change. Returns the exit code:
 * 0 when nothing was or would be refused, else 1; 64 for words that it does not know.
 */
export async function report({
  flags,
  input,
  write,
  writeError,
}: ReportInvocation): Promise<0 | 1 | 64> {
  if (flags.some((word) => word !== '--json' && word !== '-')) {
    writeError('claimgate: report reads the log on standard input; its one flag is --json\n')
    return EX_USAGE
  }
  const tally = createTally()
  for await (const line of linesOf(input)) tally.add(line)
  const summary = summarize(tally)
  write(flags.includes('--json') ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary))
  return summary.codes.length === 0 ? 0 : 1
}
