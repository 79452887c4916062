import { readFileSync } from 'node:fs'
import { ask, type Engine, eventually, type Report } from './engine.ts'

const IMAGE = 'claimgate'
const APP_IMAGE = 'docker.io/kennethreitz/httpbin:latest'
const NETWORK = 'claimgate-check'
const NAMES = ['claimgate-check-stand-in', 'claimgate-check', 'claimgate-check-app']
const HARDENED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
const REQUESTS = 2000
const CONNECTIONS = 16

interface HealthSetting {
  /** `CMD` and the command. */
  readonly Test: readonly string[]
}

interface ImageFacts {
  /** Podman tells it here, Docker in Config. */
  readonly Healthcheck?: HealthSetting
  readonly Size: number
  readonly Config: {
    readonly User: string
    readonly Env: readonly string[]
    readonly Entrypoint: readonly string[]
    readonly StopSignal: string
    readonly Healthcheck?: HealthSetting
    readonly Labels: Readonly<Record<string, string>>
  }
}

function factsOf(engine: Engine): ImageFacts {
  const [facts] = JSON.parse(engine.run('image', 'inspect', IMAGE)) as ImageFacts[]
  if (facts === undefined) throw new Error(`no image ${IMAGE}`)
  return facts
}

/** What is written into the image, and what is not in it. */
export function checkImage(engine: Engine, report: Report): void {
  const facts = factsOf(engine)
  const { User, Env, Entrypoint, StopSignal, Labels } = facts.Config
  report.holds('the user is a number, not root', User === '65532:65532', User)
  report.holds('SIGTERM ends it', StopSignal === 'SIGTERM', StopSignal)
  report.holds(
    'its heap follows the memory',
    Entrypoint.some((word) => word.startsWith('--max-old-space-size-percentage=')),
  )
  report.holds(
    'no secret is in its environment',
    Env.every((pair) => !/key|token|secret|password/i.test(pair)),
    Env,
  )
  report.holds(
    'its labels say what it is',
    /^\d/.test(Labels['org.opencontainers.image.version'] ?? ''),
    Labels,
  )
  const shell = engine.try('run', '--rm', '--entrypoint', '/bin/sh', IMAGE, '-c', 'true')
  report.holds('there is no shell', shell.status !== 0, shell.output)
  const sbom = engine.run(
    'run',
    '--rm',
    '--entrypoint',
    '/nodejs/bin/node',
    IMAGE,
    '-p',
    'JSON.parse(fs.readFileSync("sbom.cdx.json")).components.length',
  )
  report.holds('it lists what it is made of', Number(sbom) > 10, sbom)
  report.figure('size', `${Math.round(facts.Size / 1e6)} MB`)
  report.figure('packages in it', sbom)
}

const portOf = (engine: Engine, name: string, port: number): number =>
  Number(/:(\d+)$/m.exec(engine.run('port', name, `${port}/tcp`))?.[1])

const published = (port: number): string[] => ['-p', `127.0.0.1::${port}`]

function startAll(engine: Engine, memory: string): void {
  const [standIn = '', gate = '', app = ''] = NAMES
  const join = ['-d', '--network', NETWORK]
  engine.run('network', 'create', NETWORK)
  engine.run('run', ...join, '--name', app, APP_IMAGE)
  engine.run(
    'run',
    ...join,
    '--name',
    standIn,
    ...HARDENED,
    ...published(8080),
    '-e',
    'UNSAFE_STAND_IN_LISTEN=0.0.0.0:8080',
    '-e',
    `STAND_IN_ROUTES=app.localhost=http://${gate}:8000`,
    '--entrypoint',
    '/nodejs/bin/node',
    IMAGE,
    'dist/demo/stand-in-main.js',
  )
  engine.run(
    'run',
    ...join,
    '--name',
    gate,
    ...HARDENED,
    '--memory',
    memory,
    ...published(8000),
    ...published(8001),
    '-e',
    `CLAIMGATE_UPSTREAM=http://${app}:80`,
    '-e',
    'CLAIMGATE_ISSUER=app.localhost',
    '-e',
    'CLAIMGATE_AUDIENCE=app.localhost',
    '-e',
    'CLAIMGATE_LOG_LEVEL=warn',
    '-e',
    'CLAIMGATE_DRAIN_DELAY=1s',
    '-e',
    `CLAIMGATE_JWKS_URI=http://${standIn}:8080/.well-known/pomerium/jwks.json`,
    IMAGE,
  )
}

function removeAll(engine: Engine): void {
  engine.try('rm', '-f', ...NAMES)
  engine.try('network', 'rm', NETWORK)
}

const SIGNED_IN = { Host: 'app.localhost', Cookie: 'demo_user=ana' }

async function sendMany(port: number): Promise<number> {
  let left = REQUESTS
  let good = 0
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const { status } = await ask(port, '/headers', SIGNED_IN)
      if (status === 200) good++
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
  return good
}

/** All of it, and where the machine's processes can be seen, how much of it is claimgate's alone. */
async function residentOf(engine: Engine, name: string, port: number): Promise<string> {
  const { body } = await ask(port, '/metrics')
  const bytes = Number(/^process_resident_memory_bytes (\S+)/m.exec(body)?.[1])
  const own = ownOf(engine, name)
  return `${mebibytes(bytes)}${own === undefined ? '' : `, of which ${mebibytes(own)} are its own`}`
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`

/** Memory that is no page of a file: what counts in the end, since the others can be given back. */
function ownOf(engine: Engine, name: string): number | undefined {
  const { answer: pid } = engine.try('inspect', '-f', '{{.State.Pid}}', name)
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
  } catch {
    return undefined
  }
}

/** A claimgate in a small container, from its start through traffic to its end. */
export async function checkContainer(
  engine: Engine,
  report: Report,
  memory: string,
): Promise<void> {
  const [standIn = '', gate = ''] = NAMES
  removeAll(engine)
  try {
    startAll(engine, memory)
    const admin = portOf(engine, gate, 8001)
    await eventually(
      'ready',
      () => ask(admin, '/readyz'),
      ({ status }) => status === 200,
    )
    report.figure(`memory when ready, of ${memory}`, await residentOf(engine, gate, admin))
    const front = portOf(engine, standIn, 8080)
    const through = await eventually(
      'the app',
      () => ask(front, '/headers', SIGNED_IN),
      ({ status }) => status === 200,
    )
    report.holds('the app sees who it is', through.body.includes('ana@example.com'), through.body)
    const around = await ask(portOf(engine, gate, 8000), '/headers')
    report.holds(
      'without an assertion it refuses',
      around.status === 401 && around.body.includes('ERR_ASSERTION_MISSING'),
      around,
    )
    const started = performance.now()
    const checks = checkHealth(engine, gate)
    const good = await sendMany(front)
    report.holds(`${REQUESTS} requests are answered`, good === REQUESTS, good)
    report.figure(
      'time for them, with the stand-in and the app',
      `${Math.round(performance.now() - started)} ms`,
    )
    report.figure('memory after them', await residentOf(engine, gate, admin))
    tellHealth(await checks, report)
    await checkStarts(engine, gate, report)
    checkEnd(engine, gate, report)
  } finally {
    removeAll(engine)
  }
}

const HEALTH_CHECKS = 10

interface HealthCheck {
  /** What it complained of, `undefined` when it was content. */
  readonly complaint: string | undefined
  /** Milliseconds, with what the engine takes. */
  readonly time: number
}

/** The image's own command, again and again beside the load: it is a second Node in the same memory. */
async function checkHealth(engine: Engine, gate: string): Promise<readonly HealthCheck[]> {
  const { Healthcheck, Config } = factsOf(engine)
  const [, ...command] = (Healthcheck ?? Config.Healthcheck)?.Test ?? []
  const checks: HealthCheck[] = []
  for (let i = 0; i < HEALTH_CHECKS; i++) {
    const began = performance.now()
    const complaint = await engine.later('exec', gate, ...command).then(
      () => undefined,
      (error: Error) => error.message,
    )
    checks.push({ complaint, time: Math.round(performance.now() - began) })
  }
  return checks
}

function tellHealth(checks: readonly HealthCheck[], report: Report): void {
  const complaints = checks.flatMap(({ complaint = [] }) => complaint)
  report.holds(
    `${HEALTH_CHECKS} health checks meanwhile are content`,
    complaints.length === 0,
    complaints,
  )
  const times = checks.map(({ time }) => time).sort((a, b) => a - b)
  report.figure('time of a health check, with the engine', `${times[0]} to ${times.at(-1)} ms`)
}

const STARTS = 5

/** From the engine's start of the container to the first 200 of /readyz. */
async function checkStarts(engine: Engine, gate: string, report: Report): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < STARTS; i++) {
    engine.run('stop', '-t', '40', gate)
    const began = performance.now()
    engine.run('start', gate)
    const admin = portOf(engine, gate, 8001)
    await eventually(
      'ready',
      () => ask(admin, '/readyz'),
      ({ status }) => status === 200,
    )
    times.push(Math.round(performance.now() - began))
  }
  report.figure(
    'start of the container to ready',
    times
      .sort((a, b) => a - b)
      .map((time) => `${time} ms`)
      .join(', '),
  )
}

function checkEnd(engine: Engine, gate: string, report: Report): void {
  const began = performance.now()
  engine.run('stop', '-t', '40', gate)
  const [state] = JSON.parse(engine.run('inspect', gate)) as {
    State: { ExitCode: number; OOMKilled: boolean }
  }[]
  report.holds(
    'SIGTERM ends it with 0, and memory sufficed',
    state?.State.ExitCode === 0 && !state.State.OOMKilled,
    state,
  )
  report.figure(
    'SIGTERM to the end, with drain_delay of 1 s',
    `${Math.round(performance.now() - began)} ms`,
  )
}
