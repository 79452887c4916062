import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { Config } from '../../src/config/config.ts'
import { readConfig } from '../../src/config/read.ts'
import { section } from '../helpers/markdown.ts'
import {
  EXAMPLES,
  environmentOf,
  FOLDER,
  manifestPaths,
  manifestsOf,
  type PodSpec,
  readManifest,
  sidecarOf,
} from './manifests.ts'

const podOf = (path: string): PodSpec => readManifest(path).spec.template.spec
const NATIVE = podOf('sidecar/sidecar.yaml')
const CLASSIC = podOf('sidecar-classic/sidecar.yaml')
const FORMS = { sidecar: NATIVE, 'sidecar-classic': CLASSIC }

interface Kustomization {
  readonly configMapGenerator: readonly { readonly literals: readonly string[] }[]
}

const literalsOf = (example: string): Record<string, string> => {
  const path = `${FOLDER}/examples/${example}/kustomization.yaml`
  const { configMapGenerator } = parse(readFileSync(path, 'utf8')) as Kustomization
  const pairs = configMapGenerator.flatMap(({ literals }) => literals)
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2)))
}

/** What claimgate makes of its environment; throws where a setting does not exist or is wrong. */
const configOf = (example: string, pod: PodSpec): Config =>
  readConfig({
    flags: [],
    env: { ...literalsOf(example), ...environmentOf(sidecarOf(pod)) },
    readFile: () => '',
  }).config

t.test('every manifest is YAML with a kind', async (t) => {
  const paths = manifestPaths()
  t.ok(paths.length >= 14)
  for (const path of paths)
    for (const { kind } of manifestsOf(readFileSync(`${FOLDER}/${path}`, 'utf8'))) t.ok(kind, path)
})

t.test('native, classic and injected claimgate differ only in what their form wants', async (t) => {
  const native = sidecarOf(NATIVE)
  t.equal(native.restartPolicy, 'Always', 'without it an init container has to end')
  const { restartPolicy: _, lifecycle, ...ordinary } = native
  const told = ['/nodejs/bin/node', '-e', 'process.kill(1)']
  t.strictSame(lifecycle, { preStop: { exec: { command: told } } }, 'it is not told last')
  const classic = sidecarOf(CLASSIC)
  t.strictSame({ ...classic, env: [] }, { ...ordinary, env: [] })
  const { patchStrategicMerge } = readManifest('kyverno/inject.yaml').spec.rules[0].mutate
  const image = 'registry.example.com/claimgate:0.1.0'
  const name = `{{ request.object.metadata.annotations."claimgate/settings" || 'claimgate' }}`
  t.strictSame(patchStrategicMerge, {
    metadata: readManifest('sidecar/sidecar.yaml').spec.template.metadata,
    spec: {
      ...NATIVE,
      initContainers: [{ ...native, image, envFrom: [{ configMapRef: { name } }] }],
    },
  })
})

for (const [form, pod] of Object.entries(FORMS)) {
  const sidecar = sidecarOf(pod)

  t.test(`${form}: it runs without privileges`, async (t) => {
    t.strictSame(sidecar.securityContext, {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
  })

  for (const example of EXAMPLES) {
    t.test(
      `${form}: the settings of ${example} are good, and its ports those declared`,
      async (t) => {
        const config = configOf(example, pod)
        t.strictSame(sidecar.ports, [
          { name: 'claimgate', containerPort: config.listen.port },
          { name: 'claimgate-admin', containerPort: config.adminListen?.port },
        ])
        const guide = section(readFileSync('docs/deployment.md', 'utf8'), '## Health and the end')
        for (const probe of [sidecar.startupProbe, sidecar.readinessProbe, sidecar.livenessProbe]) {
          t.equal(probe?.httpGet.port, config.adminListen?.port)
          t.match(guide, `\`${probe?.httpGet.path}\``)
        }
      },
    )

    t.test(`${form}: ${example} ends before the platform's patience does`, async (t) => {
      const { drainDelay, drainTimeout } = configOf(example, pod)
      const app = readManifest(`examples/${example}/deployment.yaml`).spec.template.spec
      const preStop = app.containers[0].lifecycle.preStop.sleep.seconds * 1000
      const grace = (pod.terminationGracePeriodSeconds ?? 30) * 1000
      t.ok(grace > drainTimeout + drainDelay, 'more than claimgate takes')
      if (form === 'sidecar') t.ok(grace > preStop + drainTimeout, 'it may outlast the app')
      t.ok(drainDelay >= 5000, 'who does not know yet is still served')
      t.ok(preStop > drainDelay, 'the app stays while claimgate still takes requests')
    })
  }
}

t.test('the Service and the policy lead to the ports of claimgate alone', async (t) => {
  const config = configOf('httpbin', NATIVE)
  const label = { 'claimgate/sidecar': 'true' }
  t.strictSame(readManifest('sidecar/sidecar.yaml').spec.template.metadata.labels, label)
  const service = readManifest('base/service.yaml').spec
  t.strictSame(service.selector, label)
  t.strictSame(
    service.ports.map(({ targetPort }: { targetPort: number }) => targetPort),
    [config.listen.port],
  )
  const policy = readManifest('base/network-policy.yaml').spec
  t.strictSame(policy.podSelector.matchLabels, label)
  t.strictSame(policy.policyTypes, ['Ingress'])
  const ways = policy.ingress.map(({ from, ports }: Record<string, never[]>) => ({
    namespaces: from?.map(
      ({ namespaceSelector: { matchLabels } }) => matchLabels['kubernetes.io/metadata.name'],
    ),
    ports: ports?.map(({ port }) => port),
  }))
  t.strictSame(ways, [
    { namespaces: ['pomerium'], ports: [config.listen.port] },
    { namespaces: ['monitoring'], ports: [config.adminListen?.port] },
  ])
})

for (const example of EXAMPLES) {
  t.test(`${example} is in its pod alone, and its Ingress is the route`, async (t) => {
    const config = configOf(example, NATIVE)
    const [app] = readManifest(`examples/${example}/deployment.yaml`).spec.template.spec.containers
    t.match(config.upstream, { protocol: 'http:', hostname: '127.0.0.1' })
    const { port } = config.upstream as { port: string | number }
    const bound = [...(app.command ?? []), environmentOf(app)['GF_SERVER_HTTP_ADDR']]
    t.ok(bound.includes(`127.0.0.1:${port}`) || bound.includes('127.0.0.1'), 'it binds loopback')
    t.notOk(app.ports, 'it declares no port')
    t.equal(app.readinessProbe.httpGet.port, config.listen.port)
    t.ok(config.publicPaths.includes(app.readinessProbe.httpGet.path))

    const { metadata, spec } = readManifest(`examples/${example}/ingress.yaml`)
    t.equal(metadata.annotations?.['ingress.pomerium.io/pass_identity_headers'], 'true')
    t.strictSame(
      spec.rules.map(({ host }: { host: string }) => host),
      config.audiences,
    )
    t.equal(spec.rules[0].http.paths[0].backend.service.name, 'claimgate')
  })
}

t.test('Grafana reads the headers that the preset sends', async (t) => {
  const sent = configOf('grafana', NATIVE).identityHeaders.map(({ header }) => header)
  const [app] = readManifest('examples/grafana/deployment.yaml').spec.template.spec.containers
  const env = environmentOf(app)
  const read = [
    env['GF_AUTH_PROXY_HEADER_NAME'] ?? '',
    ...(env['GF_AUTH_PROXY_HEADERS'] ?? '').split(' ').map((pair) => pair.replace(/^\w+:/, '')),
  ]
  t.strictSame(read.sort(), [...sent].sort())
})
