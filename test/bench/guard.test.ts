import { readFileSync } from 'node:fs'
import t from 'tap'
import { isExceeded, limitsOf } from '../../bench/guard.ts'
import { caseProblem, identityProblem } from '../../bench/measure/conformance.ts'
import { readOptions } from '../../bench/options.ts'
import type { PeerSamples } from '../../bench/parts/rounds.ts'
import { efficiency } from '../../bench/parts/summary.ts'
import { PEERS, takeRoll } from '../../bench/peers/all.ts'
import { imageOptions } from '../../bench/peers/claimgate.ts'
import type { Peer } from '../../bench/peers/peer.ts'
import { conformanceCases, createBenchKey, TOKEN_SETS } from '../../bench/tokens.ts'

const peer = (name: string): Peer => ({
  name,
  title: name,
  verifies: 'all',
  available: () => undefined,
  start: () => Promise.reject(new Error('is not started here')),
})
const LATENCY = { p50: 1, p90: 1, p99: 1, p999: 1, max: 1 }
const measured = (name: string, cpus: readonly number[]): PeerSamples => ({
  peer: peer(name),
  version: '1',
  memory: { before: 0, after: 0 },
  samples: new Map([
    ['good', cpus.map((cpu) => ({ cpu, rate: 1, latency: LATENCY, counters: undefined }))],
  ]),
})
const exceeded = (verified: number, none: number, bare: number, verifier: number) =>
  limitsOf(
    [
      measured('claimgate', [verified]),
      measured('claimgate-none', [none]),
      measured('bare', [bare]),
    ],
    [{ bare: 45, verifier }],
  )
    .filter(isExceeded)
    .map(({ name }) => name)

t.test('the guard lets pass what costs what it should', async (t) => {
  t.strictSame(exceeded(100, 50, 35, 60), [])
})

t.test('the guard names what costs too much', async (t) => {
  t.strictSame(exceeded(300, 50, 35, 60), ['CPU verified ÷ without verification'])
  t.strictSame(exceeded(100, 50, 35, 200), ['verifier ÷ bare signature check'])
  t.strictSame(exceeded(300, 150, 35, 60), ['CPU without verification ÷ bare Node'])
})

t.test('the guard does not let pass what was not measured', async (t) => {
  t.equal(limitsOf([], []).filter(isExceeded).length, 3)
})

t.test('efficiency is what verifying adds, in bare signature checks', async (t) => {
  const all = [measured('claimgate', [100, 500]), measured('claimgate-none', [40, 200])]
  t.equal(efficiency(all, ['claimgate', 'claimgate-none'], [40, 200], 'good'), 1.5)
  t.equal(efficiency(all, ['claimgate', 'nobody'], [40], 'good'), undefined)
})

t.test('claimgate is measured with the options of the image', async (t) => {
  t.strictSame(imageOptions('FROM x\nENTRYPOINT ["node", "--a", "--b=1", "cli.js"]\n'), [
    '--a',
    '--b=1',
  ])
  t.throws(() => imageOptions('FROM x\n'), { message: /no ENTRYPOINT/ })
  t.ok(imageOptions(readFileSync('Dockerfile', 'utf8')).length > 0)
})

t.test('the peer without verification is no setting, and no part of what is built', async (t) => {
  t.notMatch(readFileSync('src/server.ts', 'utf8'), /bench|accept-all/)
  t.equal(PEERS.find(({ name }) => name === 'claimgate-none')?.verifies, 'none')
})

t.test('a peer that cannot run is left out with its reason', async (t) => {
  const absent = { ...peer('absent'), available: () => 'it is not in PATH' }
  const { present, absent: missing } = takeRoll([peer('present'), absent])
  t.strictSame(
    present.map(({ name }) => name),
    ['present'],
  )
  t.strictSame(
    missing.map(({ peer: { name }, why }) => [name, why]),
    [['absent', 'it is not in PATH']],
  )
})

t.test('every set holds different tokens of the wanted number', async (t) => {
  const key = createBenchKey()
  for (const [name, make] of Object.entries(TOKEN_SETS))
    t.equal(new Set(make(key, 20)).size, 20, name)
})

t.test('eleven cases are put to every peer, and one of them passes', async (t) => {
  const cases = conformanceCases(createBenchKey())
  t.equal(cases.length, 11)
  t.strictSame(
    cases.filter(({ passes }) => passes).map(({ name }) => name),
    ['good'],
  )
})

t.test('a case has gone wrong when its status or its headers are', async (t) => {
  const good = { name: 'good', passes: true }
  const head = 'GET /mirror HTTP/1.1\r\nX-Pomerium-Claim-Email: ana@example.com'
  t.equal(caseProblem(good, { status: 200, body: head }), undefined)
  t.equal(caseProblem(good, { status: 401, body: '' }), 'good: 401 instead of 200')
  const bad = { name: 'expired', passes: false }
  t.equal(caseProblem(bad, { status: 401, body: '' }), undefined)
  t.equal(caseProblem(bad, { status: 403, body: '' }), undefined)
  t.equal(caseProblem(bad, { status: 200, body: '' }), 'expired: 200 instead of 401')
  t.equal(
    identityProblem(`${head}\r\nCookie: root@example.com`),
    'a forged identity header arrived',
  )
  const twice = `${head}\r\nx-pomerium-claim-email: ana@example.com`
  t.equal(identityProblem(twice), 'the verified e-mail did not arrive once')
  t.equal(identityProblem('GET / HTTP/1.1'), 'the verified e-mail did not arrive once')
})

t.test('options are read, and what is unknown is refused by name', async (t) => {
  t.match(readOptions([], ['a']), { parts: ['saturation'], rounds: 9, scale: 1, intoDocs: false })
  const quick = readOptions(['--quick', '--only', 'a', '--part', 'start,memory'], ['a', 'b'])
  t.match(quick, { only: ['a'], parts: ['start', 'memory'], rounds: 2 })
  t.ok(quick.scale < 1)
  t.equal(readOptions(['--part', 'all'], []).parts.length, 10)
  t.throws(() => readOptions(['--only', 'x'], ['a']), { message: /--only x is not one of a/ })
  t.throws(() => readOptions(['--part', 'x'], []), { message: /--part x is not one of saturation/ })
  t.throws(() => readOptions(['--rounds', '0'], []), { message: /--rounds must be/ })
})
