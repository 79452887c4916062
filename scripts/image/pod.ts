import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { ask, type Engine, eventually, type Report } from './engine.ts'

const NAME = 'claimgate-check-pod'
const FRONT = 18_080
const GATE = 18_000

interface PodSpec {
  readonly containers: readonly object[]
}

/** The pod that Kustomize makes of the example with claimgate as an ordinary container. */
function renderPod(): PodSpec {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-'))
  try {
    spawnSync('cp', ['-r', 'deploy/kubernetes', folder])
    const example = join(folder, 'kubernetes/examples/httpbin')
    spawnSync('sed', [
      '-i',
      's#../../sidecar$#../../sidecar-classic#',
      join(example, 'kustomization.yaml'),
    ])
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
  const { containers } = renderPod()
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
    'name' in container && container.name === 'claimgate'
      ? { ...container, image, ports }
      : { ...container, env: [path] },
  )
  return [
    stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: configMapOf(containers) },
      data: settings,
    }),
    stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: NAME },
      spec: { containers: [...ours, standIn] },
    }),
  ].join('---\n')
}

const configMapOf = (containers: readonly object[]): string =>
  /"configMapRef":\{"name":"([^"]+)"/.exec(JSON.stringify(containers))?.[1] ?? 'claimgate'

/** The pod form, by `podman play kube`: Docker has no such command. */
export async function checkPod(engine: Engine, report: Report): Promise<void> {
  if (engine.try('play', 'kube', '--help').status !== 0) {
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
    const address = engine.run(
      'inspect',
      '-f',
      '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
      `${engine.run('pod', 'inspect', '-f', '{{.InfraContainerID}}', NAME)}`,
    )
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
