import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { ask, type Engine, eventually, type Report } from './engine.ts'

const NAME = 'claimgate-check-pod'
const FRONT = 18_080
const GATE = 18_000

export interface Container {
  readonly name: string
  readonly readinessProbe?: {
    readonly httpGet: { readonly path: string; readonly port: number }
    readonly periodSeconds: number
  }
  readonly lifecycle?: {
    readonly preStop?: {
      readonly sleep?: { readonly seconds: number }
      readonly exec?: { readonly command: readonly string[] }
    }
  }
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
}

/** The pod that Kustomize makes of the example, with claimgate as an ordinary container or as a native sidecar. */
export function renderPod(form: 'sidecar-classic' | 'sidecar'): PodSpec {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  try {
    spawnSync('cp', ['-r', 'deploy/kubernetes', folder])
    const example = join(folder, 'kubernetes/examples/httpbin')
    spawnSync('sed', ['-i', `s#../../sidecar$#../../${form}#`, join(example, 'kustomization.yaml')])
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', example], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`kubectl kustomize: ${stderr}`)
    const deployment = parseAllDocuments(stdout)
      .map((document) => document.toJS())
      .find(({ kind }) => kind === 'Deployment')
    return deployment.spec.template.spec
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The same pod with a stand-in for Pomerium in it, and the image that was built here. */
function podText(): string {
  const { containers } = renderPod('sidecar-classic')
  const settings = {
    CLAIMGATE_UPSTREAM: 'http://127.0.0.1:8080',
    CLAIMGATE_ISSUER: 'httpbin.localhost',
    CLAIMGATE_AUDIENCE: 'httpbin.localhost',
    CLAIMGATE_PUBLIC_PATHS: '/status/200',
    CLAIMGATE_JWKS_URI: 'http://127.0.0.1:8090/.well-known/pomerium/jwks.json',
  }
  const image = 'localhost/claimgate:latest'
  const standIn = {
    name: 'stand-in',
    image,
    command: ['/nodejs/bin/node', 'dist/demo/stand-in-main.js'],
    env: [
      { name: 'UNSAFE_STAND_IN_LISTEN', value: '0.0.0.0:8090' },
      { name: 'STAND_IN_ROUTES', value: 'httpbin.localhost=http://127.0.0.1:8000' },
    ],
    ports: [{ containerPort: 8090, hostPort: FRONT, hostIP: '127.0.0.1' }],
  }
  const ports = [{ containerPort: 8000, hostPort: GATE, hostIP: '127.0.0.1' }]
  // Not every image of httpbin says where its programs are.
  const path = { name: 'PATH', value: '/usr/local/bin:/usr/bin:/bin' }
  const ours = containers.map((container) =>
    container.name === 'claimgate' ? { ...container, image, ports } : { ...container, env: [path] },
  )
  return playable(NAME, configMapOf(containers), settings, [...ours, standIn])
}

/** What `podman play kube` takes: the ConfigMap with the settings, and the pod. */
export const playable = (
  name: string,
  configMap: string,
  settings: Readonly<Record<string, string>>,
  containers: readonly object[],
): string =>
  [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: configMap }, data: settings },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers } },
  ]
    .map((document) => stringify(document))
    .join('---\n')

export const configMapOf = (containers: readonly object[]): string =>
  /"configMapRef":\{"name":"([^"]+)"/.exec(JSON.stringify(containers))?.[1] ?? 'claimgate'

export const canPlay = (engine: Engine): boolean =>
  engine.try('play', 'kube', '--help').status === 0

/** The pod's own address. */
export const addressOf = async (engine: Engine, pod: string): Promise<string> =>
  engine.later(
    'inspect',
    '-f',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    await engine.later('pod', 'inspect', '-f', '{{.InfraContainerID}}', pod),
  )

/** The pod form, by `podman play kube`: Docker has no such command. */
export async function checkPod(engine: Engine, report: Report): Promise<void> {
  if (!canPlay(engine)) {
    process.stdout.write('skipped: this engine cannot play a pod\n')
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  const file = join(folder, 'pod.yaml')
  writeFileSync(file, podText())
  try {
    engine.run('play', 'kube', file)
    const headers = {
      Host: 'httpbin.localhost',
      Cookie: 'demo_user=ana',
      'X-Pomerium-Claim-Email': 'root@example.com',
    }
    const { body } = await eventually(
      'the app',
      () => ask(FRONT, '/headers', headers),
      ({ status }) => status === 200,
    )
    report.holds(
      'in a pod the app sees who it is',
      body.includes('ana@example.com') && !body.includes('root@'),
      body,
    )
    const around = await ask(GATE, '/headers')
    report.holds('without an assertion it refuses', around.status === 401, around)
    const probe = await ask(GATE, '/status/200')
    report.holds("the app's probe passes on the public path", probe.status === 200, probe)
    const address = await addressOf(engine, NAME)
    const gate = await ask(8000, '/headers', {}, address)
    report.holds("at the pod's address claimgate listens", gate.status === 401, gate)
    const reached = await ask(8080, '/headers', {}, address).then(
      () => 'reached',
      (error: NodeJS.ErrnoException) => error.code,
    )
    report.holds(
      "at the pod's address the app does not listen",
      reached === 'ECONNREFUSED',
      reached,
    )
  } finally {
    engine.try('play', 'kube', '--down', file)
    rmSync(folder, { recursive: true })
  }
}
