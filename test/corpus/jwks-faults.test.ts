import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createAuthority } from '../helpers/certificates.ts'
import { type Case, runCorpus } from '../helpers/corpus.ts'
import { type Answering, answerWith, startJwksServer } from '../helpers/jwks-server.ts'
import { createKey, publicJwk } from '../helpers/keys.ts'
import { problemsOf, readEnvironment } from '../helpers/settings.ts'
import { createRig, type Rig, type RigOptions, warmUp } from '../key-set/fault-rig.ts'

const MIB = 1024 * 1024
const UNAVAILABLE = '503 ERR_KEY_SET_UNAVAILABLE'
const KEY_UNKNOWN = '401 ERR_ASSERTION_KEY_UNKNOWN'
const BAD_SIGNATURE = '401 ERR_ASSERTION_SIGNATURE'

interface Trial {
  readonly rig: Rig
  readonly t: Test
  /** Notes a deviation unless `actual` is `wanted`. */
  readonly is: (actual: unknown, wanted: unknown, what: string) => void
  readonly ok: (holds: boolean, what: string) => void
}

interface Interpreter {
  readonly options?: () => RigOptions
  readonly run: (trial: Trial) => Promise<void>
}

/** Has the key set asked for a name it does not hold, past every cooldown. */
async function forceRefresh({ rig, is }: Trial): Promise<void> {
  await rig.pass(10_000)
  is(await rig.decide(createKey()), KEY_UNKNOWN, 'unknown-kid token')
}

/** Nothing usable is served: 503 without waiting, back-off, told once. */
async function staysUnusable(trial: Trial): Promise<void> {
  const { rig, is, ok } = trial
  await rig.start()
  is(await rig.decide(rig.good), UNAVAILABLE, 'good token')
  const before = rig.counts.started
  await rig.pass(60_000)
  const tries = rig.counts.started - before + 1
  ok(tries >= 2 && tries <= 20, `${tries} tries in a minute`)
  is(await rig.decide(rig.good), UNAVAILABLE, 'good token after a minute')
  is(rig.counts.started, before + tries - 1, 'fetches caused by requests')
  is(rig.log.lines.length, 1, 'log lines of one change of state')
}

async function recovers({ rig, is }: Trial): Promise<void> {
  rig.server.serve(rig.goodSet)
  await rig.pass(15_000)
  is(await rig.decide(rig.good), '200', 'good token 15 s after the set came up')
}

async function badAnswerAfterGood(trial: Trial, answering: Answering): Promise<void> {
  const { rig, is, ok } = trial
  await warmUp(rig)
  rig.server.answer(answering)
  await forceRefresh(trial)
  is(await rig.decide(rig.good), '200', 'good token')
  is(rig.outcomes.join(), 'ok,error', 'counted outcomes')
  is(rig.log.lines.length, 2, 'log lines')
  await rig.pass(3_600_000)
  is(await rig.decide(rig.good), '200', 'good token after an hour')
  ok(rig.counts.started <= 130, `${rig.counts.started} fetches in an hour`)
}

const GARBAGE: Readonly<Record<string, (good: object) => string | Uint8Array>> = {
  'empty-body': () => '',
  'json-array': () => '[]',
  'keys-null': () => '{"keys":null}',
  'keys-object': () => '{"keys":{}}',
  'no-keys': () => '{}',
  'nested-10000': () => '['.repeat(10_000),
  utf16: (good) => Buffer.from(`\ufeff${JSON.stringify(good)}`, 'utf16le'),
}

const duplicateMember = (good: object): string =>
  JSON.stringify(good).replace('{"keys":', '{"keys":[],"keys":')

function garbage(name: string): readonly (readonly [string, Interpreter])[] {
  const serve = ({ server, goodSet }: Rig) =>
    server.answer(answerWith(200, {}, GARBAGE[name]?.(goodSet)))
  const atStart: Interpreter = {
    run: async (trial) => {
      serve(trial.rig)
      await staysUnusable(trial)
      await recovers(trial)
    },
  }
  const afterGood: Interpreter = {
    run: async (trial) => {
      const body = GARBAGE[name]?.(trial.rig.goodSet)
      await badAnswerAfterGood(trial, answerWith(200, {}, body))
    },
  }
  return [
    [`garbage-at-start/${name}`, atStart],
    [`garbage-after-good/${name}`, afterGood],
  ]
}

function status(code: number, headers: Readonly<Record<string, string>> = {}): Interpreter {
  return { run: (trial) => badAnswerAfterGood(trial, answerWith(code, headers)) }
}

function redirect(code: number): Interpreter {
  return {
    run: async (trial) => {
      const attacker = createKey()
      const other = await startJwksServer(trial.t)
      other.serve({ keys: [publicJwk(attacker)] })
      await badAnswerAfterGood(trial, answerWith(code, { location: String(other.uri) }))
      trial.is(other.requests.length, 0, 'requests to the other origin')
      trial.is(await trial.rig.decide(attacker), KEY_UNKNOWN, 'token of the attacker')
    },
  }
}

const authority = createAuthority()

const start: Readonly<Record<string, Interpreter>> = {
  'start/file-url': {
    run: async ({ is }) => {
      const read = () => readEnvironment({ CLAIMGATE_JWKS_URI: 'file:///etc/passwd' })
      is(problemsOf(read).length, 1, 'problems with the settings')
    },
  },
  'start/refused': {
    run: async (trial) => {
      const { rig, is, t } = trial
      await rig.server.stop()
      await staysUnusable(trial)
      const server = await startJwksServer(t, { port: rig.server.port })
      server.serve(rig.goodSet)
      await rig.pass(15_000)
      is(await rig.decide(rig.good), '200', 'good token 15 s after the port opened')
    },
  },
  'start/hangs': {
    options: () => ({ source: { timeout: 20 } }),
    run: async (trial) => {
      const { rig, is } = trial
      rig.server.answer(() => undefined)
      rig.keySet.start()
      const started = performance.now()
      const decisions = Array.from({ length: 100 }, () => rig.decide(rig.good))
      is([...new Set(await Promise.all(decisions))].join(), UNAVAILABLE, 'good tokens meanwhile')
      trial.ok(performance.now() - started < 1_000, 'answered within 1 s')
      is(rig.counts.started, 1, 'fetches')
      await rig.landed()
      await staysUnusable(trial)
      is(rig.counts.most, 1, 'fetches at a time')
      await recovers(trial)
    },
  },
  'start/tls-wrong-host': {
    options: () => ({ tls: authority.issue({ names: ['other.example.test'] }) }),
    run: async (trial) => {
      trial.rig.server.serve(trial.rig.goodSet)
      await staysUnusable(trial)
      trial.is(trial.rig.server.requests.length, 0, 'requests on a connection that is not trusted')
    },
  },
  'garbage-at-start/dup-keys-member': {
    run: async ({ rig, ok }) => {
      rig.server.answer(answerWith(200, {}, duplicateMember(rig.goodSet)))
      await rig.start()
      const decision = await rig.decide(rig.good)
      ok(['200', UNAVAILABLE].includes(decision), decision)
    },
  },
  'garbage-after-good/dup-keys-member': {
    // Taken as a good set (the last member counts), so there is no error to count.
    run: async (trial) => {
      const { rig, is } = trial
      await warmUp(rig)
      rig.server.answer(answerWith(200, {}, duplicateMember(rig.goodSet)))
      await forceRefresh(trial)
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
}

const size: Readonly<Record<string, Interpreter>> = {
  'size/huge-100mb': {
    run: async (trial) => {
      const { rig, is, ok } = trial
      await warmUp(rig)
      rig.server.answer((response) => {
        const chunk = Buffer.alloc(64 * 1024, ' ')
        response.writeHead(200, { 'content-length': String(100 * MIB) })
        const pump = (): void => {
          while (!response.destroyed) if (!response.write(chunk)) return
        }
        response.on('drain', pump)
        pump()
      })
      const before = process.memoryUsage().rss
      await forceRefresh(trial)
      const grown = Math.round((process.memoryUsage().rss - before) / MIB)
      ok(grown < 20, `RSS grew by ${grown} MiB`)
      is(rig.outcomes.join(), 'ok,error', 'counted outcomes')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'size/gzip-bomb': {
    run: (trial) => {
      const bomb = gzipSync(Buffer.alloc(100 * MIB, ' '))
      return badAnswerAfterGood(trial, answerWith(200, { 'content-encoding': 'gzip' }, bomb))
    },
  },
  'size/slow-drip': {
    options: () => ({ source: { timeout: 300 } }),
    run: async (trial) => {
      const { rig, ok } = trial
      await warmUp(rig)
      rig.server.answer((response) => {
        const drip = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(drip))
      })
      const started = performance.now()
      await forceRefresh(trial)
      ok(performance.now() - started < 5_000, 'the fetch ends by its total time')
      trial.is(await rig.decide(rig.good), '200', 'good token')
    },
  },
}

const rotation: Readonly<Record<string, Interpreter>> = {
  'rotation/rotate-overlap': {
    run: async ({ rig, is }) => {
      const [a, b] = [rig.good, createKey()]
      rig.server.serve(rig.goodSet)
      await rig.start()
      is(await rig.decide(a), '200', 'A of {A}')
      rig.server.serve({ keys: [publicJwk(a), publicJwk(b)] })
      is(await rig.decide(b), '200', 'B as soon as it is listed')
      is(rig.counts.started, 2, 'fetches: one forced refresh')
      is(await rig.decide(a), '200', 'A of {A,B}')
      rig.server.serve({ keys: [publicJwk(b)] })
      await rig.pass(60_000)
      is(await rig.decide(a), KEY_UNKNOWN, 'A one refresh interval after its removal')
      is(await rig.decide(b), '200', 'B of {B}')
    },
  },
  'rotation/same-kid-new-key': {
    run: async ({ rig, is }) => {
      const [a, b] = [createKey('ES256', 'k1'), createKey('ES256', 'k1')]
      rig.server.serve({ keys: [publicJwk(a)] })
      await rig.start()
      rig.server.serve({ keys: [publicJwk(b)] })
      for (let times = 0; times < 50; times += 1) await rig.decide(b)
      is(rig.counts.started, 1, 'fetches after bad signatures under a known kid')
      await rig.pass(60_000)
      is(await rig.decide(a), BAD_SIGNATURE, 'A after the refresh')
      is(await rig.decide(b), '200', 'B after the refresh')
    },
  },
  'rotation/flap': {
    run: async ({ rig, ok }) => {
      const keys = [createKey(), createKey()] as const
      const serve = (second: number) => {
        const key = keys[second % 2 === 0 ? 0 : 1]
        rig.server.serve({ keys: [publicJwk(key)] })
      }
      serve(0)
      await rig.start()
      for (let second = 0; second < 60; second += 1) {
        serve(second)
        await Promise.all(keys.map((key) => rig.decide(key)))
        await rig.pass(1_000)
      }
      ok(rig.counts.started <= 60 / 10 + 2, `${rig.counts.started} fetches in a minute`)
    },
  },
  'rotation/dup-kid': {
    run: async ({ rig, is, ok }) => {
      const [a, b] = [createKey('ES256', 'k1'), createKey('ES256', 'k1')]
      rig.server.serve({ keys: [publicJwk(a), publicJwk(b)] })
      await rig.start()
      is(await rig.decide(a), '200', 'first key of the name')
      is(await rig.decide(b), '200', 'second key of the name')
      ok(JSON.stringify(rig.log.lines).includes('two keys share a kid'), 'logged')
    },
  },
  'rotation/null-member': {
    run: async ({ rig, is }) => {
      rig.server.serve({ keys: [null, 5, 'x', ...rig.goodSet.keys] })
      await rig.start()
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'rotation/p256-bad-point': {
    run: async ({ rig, is }) => {
      const bad = createKey()
      const { y } = publicJwk(createKey())
      rig.server.serve({ keys: [{ ...publicJwk(bad), y }, ...rig.goodSet.keys] })
      await rig.start()
      is(await rig.decide(bad), KEY_UNKNOWN, 'token of the bad point')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'rotation/alg-es384-on-p256': {
    run: async ({ rig, is }) => {
      const odd = createKey()
      const keys = [{ ...publicJwk(odd), alg: 'ES384' }, ...rig.goodSet.keys]
      rig.server.serve({ keys })
      await rig.start()
      is(await rig.decide(odd), KEY_UNKNOWN, 'token of the mislabelled key')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
}

const load: Readonly<Record<string, Interpreter>> = {
  // The part of the key set: fetches. Latency and memory of the program are measured elsewhere.
  'flood/unknown-kid-10k': {
    run: async ({ rig, is, ok }) => {
      await warmUp(rig)
      const signer = createKey()
      for (let step = 0; step < 100; step += 1) {
        const flood = Array.from({ length: 100 }, (_, index) =>
          rig.decide(signer, `${step}-${index}`),
        )
        is([...new Set(await Promise.all(flood))].join(), KEY_UNKNOWN, 'tokens of unknown keys')
        is(await rig.decide(rig.good), '200', 'good token meanwhile')
        await rig.pass(600)
      }
      ok(rig.counts.started <= 60 / 10 + 2, `${rig.counts.started} fetches in a minute`)
    },
  },
  'flood/garbage-50k': {
    run: async ({ rig, is }) => {
      await warmUp(rig)
      for (let index = 0; index < 50_000; index += 1) {
        const decision = await rig.decideText(`garbage ${index}`)
        if (!decision.startsWith('401 ')) is(decision, '401', 'garbage')
      }
      is(rig.counts.started, 1, 'fetches')
    },
  },
  'age/refresh-ahead': {
    run: async ({ rig, is }) => {
      await warmUp(rig)
      for (let round = 0; round < 3; round += 1) {
        const waiting: (() => void)[] = []
        rig.server.answer((response) => {
          waiting.push(() =>
            response.setHeader('cache-control', 'max-age=60').end(JSON.stringify(rig.goodSet)),
          )
        })
        await rig.clock.advance(60_000)
        for (let tries = 0; waiting.length === 0 && tries < 2_000; tries += 1) {
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        const decisions = Array.from({ length: 20 }, () => rig.decide(rig.good))
        is([...new Set(await Promise.all(decisions))].join(), '200', 'good tokens during a refresh')
        is(rig.counts.running, 1, 'refresh still under way')
        for (const answer of waiting) answer()
        await rig.landed()
      }
      is(rig.counts.started, 4, 'fetches in three minutes')
    },
  },
  // The part of the key set: its age. What the claims say about time is judged elsewhere.
  'age/clock-back-1h': {
    run: async ({ rig, t, is }) => {
      await warmUp(rig)
      const now = Date.now
      t.intercept(Date, 'now', { value: () => now() - 3_600_000 })
      await rig.pass(60_000)
      is(rig.counts.started, 2, 'fetches: one refresh on schedule')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'age/clock-jump-loop': {
    run: async ({ rig, t, is, ok }) => {
      await warmUp(rig)
      let jump = 300_000
      const now = Date.now
      t.intercept(Date, 'now', { value: () => now() + jump })
      for (let step = 0; step < 12; step += 1) {
        jump = -jump
        await rig.pass(10_000)
        is(await rig.decide(rig.good), '200', 'good token')
      }
      ok(rig.counts.started <= 4, `${rig.counts.started} fetches in two minutes`)
    },
  },
}

const INTERPRETERS: ReadonlyMap<string, Interpreter> = new Map([
  ...Object.keys(GARBAGE).flatMap(garbage),
  ...Object.entries({ ...start, ...size, ...rotation, ...load }),
  ['status/st-204', status(204)],
  ['status/st-302', redirect(302)],
  ['status/st-307', redirect(307)],
  ['status/st-403', status(403)],
  ['status/st-429', status(429, { 'retry-after': '30' })],
  ['status/st-502', status(502)],
])

async function runCase(
  t: Test,
  { id }: Case,
  interpreter: Interpreter,
): Promise<readonly string[]> {
  const deviations: string[] = []
  await t.test(id, async (t) => {
    const rig = await createRig(t, interpreter.options?.())
    const ok = (holds: boolean, what: string): void => {
      if (!holds) deviations.push(`${id}: ${what}`)
    }
    const is = (actual: unknown, wanted: unknown, what: string): void =>
      ok(actual === wanted, `${what} is ${actual}, not ${wanted}`)
    await interpreter.run({ rig, t, is, ok })
    t.same(deviations, [])
  })
  return deviations
}

t.test('what a key set endpoint may do wrong', async (t) => {
  await runCorpus<{ readonly cases: readonly Case[] }>(
    t,
    'jwks-faults.json',
    async ({ cases }, tally) => {
      for (const case_ of cases) {
        const interpreter = INTERPRETERS.get(case_.id)
        if (interpreter === undefined) {
          tally.notRun += 1
          t.comment(`not run: ${case_.id}`)
          continue
        }
        tally.ran += 1
        tally.deviations.push(...(await runCase(t, case_, interpreter)))
      }
    },
  )
})
