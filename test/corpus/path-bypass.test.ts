// Request targets as raw bytes, with and without an assertion, 16 connections at a time, against exact public paths. The
// upstream answers 200 to anything and keeps what it got.
import t from 'tap'
import { type RunningClaimgate, startClaimgate } from '../helpers/claimgate.ts'
import { type Case, runCorpus } from '../helpers/corpus.ts'
import { exchangeBytes, statusOf } from '../helpers/raw-client.ts'
import { inParallel } from './wire/in-parallel.ts'
import { isWell } from './wire/probe.ts'
import { openRecordingUpstream, type RecordingUpstream } from './wire/recording-upstream.ts'
import { valuesOf } from './wire/strict-reading.ts'

const FILE = 'path-bypass.json'
const WIDTH = 16

interface Paths {
  readonly cases: readonly Case[]
  readonly sut_config: {
    readonly own_endpoints: readonly string[]
    readonly bypass: readonly { readonly exact?: string; readonly prefix?: string }[]
  }
}

t.test(`${FILE}: raw targets`, async (t) => {
  await runCorpus<Paths>(t, FILE, async ({ cases, sut_config: sut }, tally) => {
    const publicPaths = sut.bypass.flatMap(({ exact }) => (exact === undefined ? [] : [exact]))
    const upstream = await openRecordingUpstream(t)
    const claimgate = await startClaimgate(t, upstream.port, { publicPaths })
    const isCovered = ({ outcome, target }: Case) =>
      outcome !== 'allow' || publicPaths.includes(String(target))
    for (const { id } of cases.filter((recipe) => !isCovered(recipe))) {
      tally.notRun += 1
      t.comment(`not run: ${id}: public paths are exact here, there is no rule for a prefix`)
    }
    await inParallel(cases.filter(isCovered), WIDTH, async (recipe) => {
      tally.ran += 1
      for (const fault of await faultsOf(recipe, claimgate, upstream, publicPaths))
        tally.deviations.push(`${recipe.id}: ${fault}`)
    })
  })
})

/** The readings that an app could make of a path; each step of each may lead to another path. */
const STEPS: readonly ((path: string) => string)[] = [
  (path) =>
    path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
  (path) => path.replace(/[#?].*$/, ''),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.toLowerCase(),
  (path) => new URL(path.replace(/[^/]*$/, encodeURI), 'http://a').pathname,
]

function readings(path: string): Set<string> {
  const found = new Set([path])
  for (const known of found) {
    if (found.size > 500) break
    for (const step of STEPS) {
      try {
        found.add(step(known))
      } catch {
        // This reading makes no path of it.
      }
    }
  }
  return found
}

async function faultsOf(
  recipe: Case,
  claimgate: RunningClaimgate,
  upstream: RecordingUpstream,
  publicPaths: readonly string[],
): Promise<string[]> {
  const answer = await exchangeBytes(claimgate.port, bytesOf(recipe, claimgate))
  const status = statusOf(answer)
  const text = upstream.connections().join('\n')
  const own = upstream
    .requests()
    .filter(({ fields }) => valuesOf(fields, 'x-case').includes(recipe.id))
  const faults = outcomeFaults(
    recipe,
    status,
    own.map(({ startLine }) => startLine),
  )
  if (own.length === 0 && text.includes(`X-Case: ${recipe.id}\r\n`))
    faults.push('in pieces upstream')
  if (own.length > 0 && recipe['token'] === 'none') {
    const open = readings(String(recipe['target']))
    const closed = [...open].filter((path) => !publicPaths.includes(path.replace(/\?.*$/, '')))
    if (closed.length > 0) faults.push(`open, though it may mean ${closed[0]}`)
  }
  if (!(await isWell(claimgate))) faults.push('not well after it')
  return faults
}

function bytesOf(recipe: Case, { assertion }: RunningClaimgate): string {
  const lines = [
    `${recipe['method']} ${recipe['target']} HTTP/1.1`,
    'Host: app.example.com',
    ...(recipe['token'] === 'valid' ? [`X-Pomerium-Jwt-Assertion: ${assertion()}`] : []),
    ...((recipe['headers'] as readonly string[] | undefined) ?? []),
    `X-Case: ${recipe.id}`,
    'Connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Statuses of a refusal; a target that is not HTTP is malformed before it is anything else. */
const REFUSED: ReadonlySet<number> = new Set([400, 401, 404, 405, 501])

function outcomeFaults({ outcome, method, target }: Case, status: number, got: string[]): string[] {
  const isRefused = REFUSED.has(status) && got.length === 0
  const isExact = status === 200 && got.join() === `${method} ${target} HTTP/1.1`
  const holds: Readonly<Record<string, boolean>> = {
    reject: isRefused,
    allow: isExact,
    either: isRefused || isExact,
    'forward-exact': isExact,
    'either-exact': isExact || (status === 400 && got.length === 0),
  }
  return holds[outcome] === true ? [] : [`${status}, upstream got ${JSON.stringify(got)}`]
}

t.test('the readings of this runner find what a path may come to mean', async (t) => {
  for (const [sent, meant] of [
    ['/public/%2e%2e/admin', '/admin'],
    ['/public/%252e%252e/admin', '/admin'],
    ['/public\\..\\admin', '/admin'],
    ['/public/..;x/admin', '/admin'],
    ['//HEALTHZ', '/healthz'],
    ['/healthz#/admin', '/healthz'],
  ] as const)
    t.ok(readings(sent).has(meant), `${sent} may mean ${meant}`)
  t.same([...readings('/healthz')], ['/healthz'])
})
