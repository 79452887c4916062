import t from 'tap'
import { type ReadResult, readConfig, type Sources } from '../../src/config/read.ts'
import { ConfigError } from '../../src/errors.ts'
import { drive } from './drive.ts'
import { settings } from './settings.ts'

const SEED = 20_260_731

t.test('settings end in a usable Config or in problems, and show no secret', async (t) => {
  const { cases, findings, tally } = await drive(settings(), { seed: SEED, limit: 1_500 })
  t.equal(cases, 1_500)
  t.same(findings, [])
  t.ok((tally.get('accepted') ?? 0) > 150)
  t.ok((tally.get('refused') ?? 0) > 150)
})

type Read = typeof readConfig

const changed =
  (change: (config: ReadResult['config']) => Partial<ReadResult['config']>): Read =>
  (sources) => {
    const result = readConfig(sources)
    return { ...result, config: { ...result.config, ...change(result.config) } }
  }

const textOf = ({ flags, env }: Sources): string => JSON.stringify([flags, env])

let turn = 0
const PLANTED: readonly [name: string, found: RegExp, read: Read][] = [
  ['no audience is left', /bad audiences/, changed(() => ({ audiences: [] }))],
  [
    'a symmetric algorithm',
    /bad algorithms/,
    changed(({ algorithms }) => ({ algorithms: [...algorithms, 'HS256'] })),
  ],
  [
    'a header twice in two spellings',
    /bad identity headers twice/,
    changed(({ identityHeaders: [first] }) => ({
      identityHeaders:
        first === undefined ? [] : [first, { ...first, header: first.header.replaceAll('-', '_') }],
    })),
  ],
  [
    'keys over http from anywhere',
    /a key set from http/,
    changed(({ keySet }) =>
      keySet.kind === 'file'
        ? {}
        : { keySet: { ...keySet, uri: new URL('http://a.example.com/') } },
    ),
  ],
  [
    'a fault that is no ConfigError',
    /threw TypeError/,
    (sources) => {
      if (textOf(sources).includes('__proto__')) throw new TypeError()
      return readConfig(sources)
    },
  ],
  [
    'a refusal without a word',
    /refused without a problem/,
    (sources) => {
      try {
        return readConfig(sources)
      } catch {
        throw new ConfigError([])
      }
    },
  ],
  [
    'a value shown as it came',
    /a secret is shown/,
    (sources) => {
      try {
        return readConfig(sources)
      } catch {
        throw new ConfigError([{ source: 'env', message: `it must fit, got ${textOf(sources)}` }])
      }
    },
  ],
  [
    'a result that depends on what was read before',
    /another result at the second time/,
    (sources) => {
      const result = readConfig(sources)
      return { ...result, warnings: [String(turn++)] }
    },
  ],
]

for (const [name, found, read] of PLANTED)
  t.test(`finds a planted fault: ${name}`, async (t) => {
    const { findings } = await drive(settings(read), { seed: SEED, limit: 600 })
    t.ok(
      findings.some(({ what }) => found.test(what)),
      findings[0]?.what ?? 'nothing was found',
    )
  })
