import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ask, type Engine, eventually, type Reply, type Report } from './engine.ts'

const FRONT = 8080
const GATE = 8081
const PROJECT = 'claimgate-check'

/** Where Grafana's image cannot be had, a second httpbin on its port: the way through claimgate is the same. */
const IN_PLACE_OF_GRAFANA = {
  services: {
    grafana: {
      image: 'docker.io/kennethreitz/httpbin:latest',
      command: ['gunicorn', '-b', '0.0.0.0:3000', 'httpbin:app', '-k', 'gevent'],
    },
  },
}

export type Grafana = 'its image' | 'httpbin in its place'

interface Stage {
  readonly compose: Engine
  readonly arguments: readonly string[]
  readonly report: Report
}

/** docker-compose.yml from up to down: identity at both apps, no way around, parts that die and come back. */
export async function checkCompose(
  compose: Engine,
  report: Report,
  grafana: Grafana,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  const override = join(folder, 'override.yml')
  writeFileSync(
    override,
    stringify(grafana === 'its image' ? {} : { version: '3.8', ...IN_PLACE_OF_GRAFANA }),
  )
  const files = [
    '-p',
    PROJECT,
    '-f',
    'docker-compose.yml',
    ...(grafana === 'its image' ? [] : ['-f', override]),
  ]
  const stage: Stage = { compose, arguments: files, report }
  try {
    const began = performance.now()
    compose.run(...files, 'up', '-d', '--no-build')
    for (const app of ['httpbin', 'grafana'] as const) await untilThrough(app)
    report.figure('up to both apps answering', `${Math.round(performance.now() - began)} ms`)
    await checkIdentity(stage)
    await checkNoWayAround(stage)
    await checkLoss(stage)
  } finally {
    // More than drain_delay, so that each ends in order.
    compose.try(...files, 'down', '-t', '10')
    rmSync(folder, { recursive: true })
  }
  const left = await ask(FRONT, '/').then(
    () => 'an answer',
    () => 'nobody',
  )
  report.holds('after down nobody listens', left === 'nobody', left)
}

const headersFor = (app: string, extra: Readonly<Record<string, string>> = {}) => ({
  Host: `${app}.localhost:${FRONT}`,
  Cookie: 'demo_user=ana',
  ...extra,
})

const through = (app: string, extra?: Readonly<Record<string, string>>): Promise<Reply> =>
  ask(FRONT, '/headers', headersFor(app, extra))

const isFine = ({ status }: Reply): boolean => status === 200 || status === 404

const untilThrough = (app: string): Promise<Reply> => eventually(app, () => through(app), isFine)

async function checkIdentity({ report }: Stage): Promise<void> {
  const forged = {
    'X-Pomerium-Claim-Email': 'root@example.com',
    X_Pomerium_Claim_Email: 'root@example.com',
  }
  const { body } = await through('httpbin', forged)
  report.holds(
    'httpbin sees who it is',
    body.includes('"X-Pomerium-Claim-Email":') && body.includes('ana@example.com'),
    body,
  )
  report.holds('what the client forged is gone', !body.includes('root@example.com'), body)
  const second = await through('grafana')
  report.holds(
    "the second app sees its preset's headers",
    !second.body.includes('X-Pomerium-Claim'),
    second.body,
  )
}

/** For a container in front: whether an HTTP request to the app gets any answer. */
const tryFromFront = (host: string): string => `
  fetch('http://${host}:80/headers', { signal: AbortSignal.timeout(3000) })
    .then(() => console.log('REACHED'), (error) => console.log('not reached', error.cause?.code ?? error.name))`

async function checkNoWayAround({ compose, arguments: files, report }: Stage): Promise<void> {
  const straight = await ask(GATE, '/headers', { 'X-Pomerium-Claim-Email': 'root@example.com' })
  report.holds(
    'straight at claimgate it refuses',
    straight.status === 401 && straight.body.includes('ERR_ASSERTION_MISSING'),
    straight,
  )
  const address = compose.run(...files, 'exec', '-T', 'httpbin', 'hostname', '-i')
  for (const host of ['httpbin', address]) {
    const script = tryFromFront(host)
    const node = ['exec', '-T', 'stand-in', '/nodejs/bin/node', '-e', script]
    const { output } = compose.try(...files, ...node)
    const what = `from the network in front the app cannot be reached by its ${host === 'httpbin' ? 'name' : 'address'}`
    report.holds(what, output.includes('not reached'), output)
    report.figure('what that met', output.replace('not reached ', ''))
  }
}

async function checkLoss({ compose, arguments: files, report }: Stage): Promise<void> {
  compose.run(...files, 'kill', '-s', 'KILL', 'httpbin')
  const without = await eventually(
    'an app that is gone',
    () => through('httpbin'),
    ({ status }) => status >= 500,
  )
  report.holds(
    'an app that was killed is a 502 with its code',
    without.status === 502 && without.body.includes('ERR_UPSTREAM_UNAVAILABLE'),
    without,
  )
  compose.run(...files, 'start', 'httpbin')
  await untilThrough('httpbin')
  report.holds('it is found again', true)

  compose.run(...files, 'kill', '-s', 'KILL', 'claimgate-httpbin')
  const gone = await through('httpbin').catch(() => undefined)
  report.holds(
    'without claimgate there is no way to the app',
    gone === undefined || gone.status >= 500,
    gone,
  )
  compose.run(...files, 'start', 'claimgate-httpbin')
  await untilThrough('httpbin')
  report.holds('claimgate comes back', true)

  compose.run(...files, 'restart', '-t', '2', 'stand-in')
  const began = performance.now()
  await untilThrough('httpbin')
  report.figure(
    'a new signing key is learned within',
    `${Math.round(performance.now() - began)} ms`,
  )
}
