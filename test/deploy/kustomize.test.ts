import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  EXAMPLES,
  environmentOf,
  FOLDER,
  type Manifest,
  manifestsOf,
  type PodSpec,
  sidecarOf,
} from './manifests.ts'

/** The ways to render, best first; the first one that is there is taken. */
const RENDERERS = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
] as const

const renderer = RENDERERS.find(
  ([program, command]) => spawnSync(program, [command, '--help']).status === 0,
)
const without = renderer === undefined ? 'neither kustomize nor kubectl is here' : false
const CHECKS = 'deploy/checks'
const uninstalled = existsSync(`${CHECKS}/node_modules`) ? false : `npm ci --prefix ${CHECKS} first`

function render(folder: string): string {
  const [program = '', command = ''] = renderer ?? []
  const { stdout, stderr, status } = spawnSync(program, [command, folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

const oneOf = (manifests: readonly Manifest[], kind: string): Manifest => {
  const [found, ...others] = manifests.filter((manifest) => manifest.kind === kind)
  if (found === undefined || others.length > 0) throw new Error(`not one ${kind}`)
  return found
}

/** A copy of the folder in which the examples use another component. */
function withComponent(root: string, component: string): string {
  cpSync(FOLDER, root, { recursive: true })
  for (const example of EXAMPLES) {
    const path = join(root, 'examples', example, 'kustomization.yaml')
    writeFileSync(path, readFileSync(path, 'utf8').replace('../../sidecar', `../../${component}`))
  }
  return root
}

for (const component of ['sidecar', 'sidecar-classic']) {
  for (const example of EXAMPLES) {
    t.test(
      `${example} with ${component} renders to a pod with both`,
      { skip: without },
      async (t) => {
        const root = withComponent(t.testdir(), component)
        const manifests = manifestsOf(render(join(root, 'examples', example)))
        const { template, selector } = oneOf(manifests, 'Deployment').spec
        const pod: PodSpec = template.spec
        const sidecar = sidecarOf(pod)
        t.equal(pod.initContainers?.length, component === 'sidecar' ? 1 : undefined)
        t.equal(pod.containers?.at(-1)?.name, example)
        t.equal(sidecar.image, 'registry.example.com/claimgate:0.1.0')
        t.strictSame(sidecar.envFrom, [
          { configMapRef: { name: oneOf(manifests, 'ConfigMap').metadata.name } },
        ])
        t.hasProp(environmentOf(sidecar), 'CLAIMGATE_DRAIN_TIMEOUT')

        const service = oneOf(manifests, 'Service')
        t.match(template.metadata.labels, selector.matchLabels)
        t.match(template.metadata.labels, service.spec.selector, 'the Service finds the pod')
        const policy = oneOf(manifests, 'NetworkPolicy').spec
        t.match(template.metadata.labels, policy.podSelector.matchLabels, 'so does the policy')
        t.strictSame(policy.ingress[0].from[0].podSelector, {
          matchExpressions: [
            { key: 'app.kubernetes.io/name', operator: 'In', values: ['pomerium'] },
          ],
        })
        const [path] = oneOf(manifests, 'Ingress').spec.rules[0].http.paths
        t.equal(path.backend.service.name, service.metadata.name)
      },
    )
  }
}

t.test(
  'no manifest has a fault, and a field that does not exist is one',
  { skip: uninstalled },
  async (t) => {
    const good = EXAMPLES.map((example) => (without ? '' : render(`${FOLDER}/examples/${example}`)))
    const folder = t.testdir({
      'rendered.yaml':
        good.filter((text) => text !== '').join('---\n') || 'apiVersion: v1\nkind: Pod\n',
      'bad.yaml': [
        'apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, restartPolcy: Always }] }',
        'apiVersion: v1\nkind: Service\nspec: { ports: [{ port: "80" }] }\n',
      ].join('\n---\n'),
    })
    const files = ['rendered.yaml', 'bad.yaml'].map((name) => join(folder, name))
    const { stdout, status } = spawnSync(process.execPath, [`${CHECKS}/check.ts`, ...files], {
      encoding: 'utf8',
    })
    t.equal(status, 1)
    const faults = stdout.trimEnd().split('\n').slice(0, -1)
    t.ok(
      faults.every((fault) => fault.includes('bad.yaml')),
      stdout,
    )
    t.match(faults.join('\n'), /bad\.yaml#1 Pod, line \d+: .*'"restartPolcy"' does not exist/)
    t.match(faults.join('\n'), /bad\.yaml#2 Service: .*port/)
  },
)
