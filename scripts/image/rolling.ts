import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigningKey } from '../../src/demo/signing-key.ts'
import { pause } from '../../test/helpers/program.ts'
import type { Engine, Report } from './engine.ts'
import {
  addressOf,
  type Container,
  canPlay,
  configMapOf,
  type PodSpec,
  playable,
  renderPod,
} from './pod.ts'
import { startLoad, type Totals } from './rolling-load.ts'
import { createService, type Probe } from './service.ts'

const NETWORK = 'claimgate-check-rolling'
const KEYS = 'claimgate-check-keys'
const IMAGE = 'localhost/claimgate:latest'
const HOST = 'httpbin.localhost'
const CONNECTIONS = 60
const WEB_SOCKETS = 6
const READY_LIMIT_MS = 60_000
/** Under load before the first pod ends, and after the last one came. */
const MARGIN_MS = 3000

/** Which manifest the pods are of: it says who is told to end when. */
type Form = Parameters<typeof renderPod>[0]

export interface RollingOptions {
  readonly form: Form
  /** How often all pods are replaced. */
  readonly rounds: number
}

interface Pod {
  readonly name: string
  readonly address: string
  endedAt: number | undefined
}

const containersOf = ({ initContainers = [], containers }: PodSpec): readonly Container[] => [
  ...initContainers,
  ...containers,
]

/** The pod of the manifest with the image that was built here, and an app that has WebSockets in the app's place. */
function podText(name: string, spec: PodSpec): string {
  const app = {
    name: 'app',
    image: IMAGE,
    command: ['/nodejs/bin/node'],
    args: [
      '--input-type=module-typescript',
      '-e',
      readFileSync('scripts/image/rolling-app.ts', 'utf8'),
    ],
  }
  const all = containersOf(spec)
  const ours = all.filter(isClaimgate).map((container) => ({
    ...container,
    image: IMAGE,
    restartPolicy: undefined,
    // Podman publishes every containerPort on the machine, and there are two pods.
    ports: undefined,
  }))
  const settings = {
    CLAIMGATE_UPSTREAM: 'http://127.0.0.1:8080',
    CLAIMGATE_ISSUER: HOST,
    CLAIMGATE_AUDIENCE: HOST,
    CLAIMGATE_PUBLIC_PATHS: '/status/200',
    CLAIMGATE_LOG_LEVEL: 'warn',
    CLAIMGATE_JWKS_URI: `http://${KEYS}:8080/.well-known/pomerium/jwks.json`,
  }
  return playable(name, configMapOf(all), settings, [...ours, app])
}

const isClaimgate = ({ name }: Container): boolean => name === 'claimgate'

const probesOf = (spec: PodSpec): readonly Probe[] =>
  containersOf(spec).flatMap(({ readinessProbe: probe }) =>
    probe === undefined ? [] : [{ ...probe.httpGet, periodSeconds: probe.periodSeconds }],
  )

/**
 * Replaces all of two pods under load, again and again: the old one is told to end and the new one started at the same
 * moment, as after `kubectl delete pod`, so that meanwhile the other one is alone.
 */
export async function checkRolling(
  engine: Engine,
  report: Report,
  options: RollingOptions,
): Promise<void> {
  if (!canPlay(engine)) {
    process.stdout.write('skipped: this engine cannot play a pod\n')
    return
  }
  const spec = renderPod(options.form)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  const service = createService(probesOf(spec))
  const pods = createPods(engine, spec, folder)
  try {
    startKeys(engine, pem)
    let current = await Promise.all(['a', 'b'].map((letter) => pods.start(`${letter}0`)))
    await Promise.all(current.map((pod) => service.add(pod, READY_LIMIT_MS)))
    const began = performance.now()
    const load = startLoad({
      service,
      signingKey: await createSigningKey(pem),
      host: HOST,
      connections: CONNECTIONS,
      webSockets: WEB_SOCKETS,
    })
    await pause(MARGIN_MS)
    for (let round = 1; round <= options.rounds; round += 1) {
      const next: Pod[] = []
      for (const [at, old] of current.entries()) {
        service.remove(old)
        const come = pods.start(`${'ab'[at]}${round}`)
        const [pod] = await Promise.all([
          come.then(async (pod) => {
            await service.add(pod, READY_LIMIT_MS)
            return pod
          }),
          pods.end(old, options.form),
        ])
        next.push(pod)
      }
      current = next
    }
    await pause(MARGIN_MS)
    const totals = await load.stop()
    tell(report, options, totals, (performance.now() - began) / 1000)
    const bad = pods.ends().filter((end) => end !== '0')
    report.holds(`each of ${pods.ends().length} claimgates ended with 0`, bad.length === 0, bad)
  } finally {
    pods.removeAll()
    engine.try('rm', '-f', '-t', '0', KEYS)
    engine.try('network', 'rm', NETWORK)
    rmSync(folder, { recursive: true })
  }
}

/** Serves the key set; the load signs with the same key. */
function startKeys(engine: Engine, pem: string): void {
  engine.run('network', 'create', NETWORK)
  engine.run(
    'run',
    '-d',
    '--name',
    KEYS,
    '--network',
    NETWORK,
    '-e',
    'UNSAFE_STAND_IN_LISTEN=0.0.0.0:8080',
    '-e',
    `STAND_IN_ROUTES=${HOST}=http://127.0.0.1:9`,
    '-e',
    `SIGNING_KEY=${Buffer.from(pem).toString('base64')}`,
    '--entrypoint',
    '/nodejs/bin/node',
    IMAGE,
    'dist/demo/stand-in-main.js',
  )
}

function createPods(engine: Engine, spec: PodSpec, folder: string) {
  const started: string[] = []
  const ends: string[] = []
  /** SIGTERM, the wait, SIGKILL when the pod's time is over; the exit code. */
  const stop = async (container: string): Promise<string> => {
    await engine.later('stop', '-t', String(spec.terminationGracePeriodSeconds), container)
    return engine.later('wait', container)
  }
  const preStop = async (container: string, manifest: Container | undefined): Promise<void> => {
    const { sleep, exec } = manifest?.lifecycle?.preStop ?? {}
    if (sleep !== undefined) await pause(sleep.seconds * 1000)
    if (exec !== undefined) await engine.later('exec', container, ...exec.command)
  }
  return {
    async start(id: string): Promise<Pod> {
      const name = `claimgate-check-${id}`
      const file = join(folder, `${name}.yaml`)
      writeFileSync(file, podText(name, spec))
      started.push(name)
      await engine.later('play', 'kube', '--network', NETWORK, file)
      return { name, address: await addressOf(engine, name), endedAt: undefined }
    },
    /** As the kubelet does it: the preStop of all; then all at once, but a native sidecar after the app. */
    async end(pod: Pod, form: Form): Promise<void> {
      pod.endedAt = performance.now()
      const [gate, app] = [`${pod.name}-claimgate`, `${pod.name}-app`]
      const all = containersOf(spec)
      const appEnded = preStop(
        app,
        all.find((container) => !isClaimgate(container)),
      ).then(() => stop(app))
      await preStop(gate, all.find(isClaimgate))
      if (form === 'sidecar') await appEnded
      ends.push(await stop(gate))
      await appEnded
      await engine.later('pod', 'rm', '-f', '-t', '0', pod.name)
    },
    ends: (): readonly string[] => ends,
    removeAll() {
      for (const name of started) engine.try('pod', 'rm', '-f', '-t', '0', name)
    },
  }
}

function tell(report: Report, options: RollingOptions, totals: Totals, seconds: number): void {
  const { sent, right, byEnding, opened, lost, closeCodes } = totals
  const losses = [...lost.values()].reduce((sum, n) => sum + n, 0)
  report.holds('no request was lost', losses === 0 && sent === right, Object.fromEntries(lost))
  const codes = [...closeCodes.keys()].join()
  report.holds('WebSockets were closed, with 1001 alone', codes === '1001', [...closeCodes])
  report.figure(
    `pods of ${options.form} replaced`,
    `${options.rounds * 2} in ${Math.round(seconds)} s`,
  )
  report.figure('requests', `${sent} sent, ${right} answered right, ${losses} lost`)
  report.figure(
    'rate',
    `${Math.round(sent / seconds)}/s on ${opened} connections, ${CONNECTIONS} at once`,
  )
  report.figure('answered by pods that were ending', String(byEnding))
  report.figure('WebSockets closed with 1001', String(closeCodes.get(1001) ?? 0))
}
