import type { Config, Milliseconds } from '../config/config.ts'
import { type ReadResult, readConfig, type Sources } from '../config/read.ts'
import { examineClock } from '../doctor/key-set.ts'
import { readArguments } from '../explain/arguments.ts'
import { examine } from '../explain/examine.ts'
import { extractHeaders } from '../explain/extract.ts'
import { createReport, reportJson, reportText } from '../explain/report.ts'
import type { Surroundings } from '../explain/rows.ts'
import { type LoadedOnce, loadKeySetOnce } from '../key-set/load-once.ts'

export interface ExplainInvocation extends Sources {
  /** Takes whole lines for standard output. */
  write(text: string): void
  /** All of standard input. */
  readInput(): Promise<string>
  /** Wall clock, milliseconds since the epoch. */
  now(): Milliseconds
}

/** The app is not asked anything, so nobody has to say where it is. */
const STAND_INS = new Map([['upstream', 'http://127.0.0.1:9']] as const)

/**
 * `claimgate explain`: judges a pasted assertion as the server would, and says of each check what it saw and what it
 * wanted. Returns the exit code: 0 accepted, 1 refused.
 *
 * @throws ConfigError when the settings cannot be used
 */
export async function explain(invocation: ExplainInvocation): Promise<0 | 1> {
  const { write, readInput, now, ...sources } = invocation
  const { pasted, format, flags } = readArguments(sources.flags)
  const settings = readConfig({ ...sources, flags, standIns: STAND_INS })
  const { config } = settings
  const rawHeaders = extractHeaders(pasted ?? (await readInput()), config.assertionHeader)
  const loaded = await loadKeySetOnce(config.keySet, config.algorithms)
  try {
    const at = now()
    const clockNote = loaded.failure() === undefined ? await compareClocks(config, now) : undefined
    const examination = await examine(rawHeaders, { config, keySet: loaded.keySet, now: at })
    const around = { ...surroundingsOf(settings, loaded, at), clockNote }
    const report = createReport(examination, around)
    write(format === 'json' ? reportJson(report) : reportText(report))
    return examination.verdict === undefined ? 0 : 1
  } finally {
    loaded.keySet.close()
  }
}

/** Only somebody else's clock can say whether ours is wrong: a file has none. */
async function compareClocks(
  { keySet, clockSkew }: Config,
  now: () => Milliseconds,
): Promise<string | undefined> {
  if (keySet.kind === 'file') return undefined
  const [finding] = await examineClock(keySet, clockSkew, now)
  return finding?.message
}

const surroundingsOf = (
  { config, values }: ReadResult,
  loaded: LoadedOnce,
  now: Milliseconds,
): Surroundings => ({
  config,
  now,
  isDerived: (setting) =>
    values.find(({ name }) => name === setting)?.source.startsWith('route ') ?? false,
  notJudged: [
    ...(config.allow === undefined ? [] : ['allow']),
    ...(config.replayGuard === 'off' ? [] : ['replay_guard']),
  ],
  keySet: {
    ...nameOf(config.keySet),
    kids: loaded.kids(),
    failure: loaded.failure(),
  },
})

const nameOf = (source: Config['keySet']): Pick<Surroundings['keySet'], 'setting' | 'name'> =>
  source.kind === 'file'
    ? { setting: 'jwks_file', name: source.path }
    : { setting: 'jwks_uri', name: source.uri.host }
