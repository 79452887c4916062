import { globSync, readFileSync } from 'node:fs'
import { parse, parseAllDocuments } from 'yaml'

/** As much of a container as these tests look at. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly restartPolicy?: string
  readonly command?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
  readonly startupProbe?: Probe
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly resources?: { readonly limits: { readonly memory: string } }
  readonly securityContext?: Readonly<Record<string, unknown>>
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number }
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds?: number
  readonly initContainers?: readonly Container[]
  readonly containers?: readonly Container[]
}

export interface Manifest {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it looks for
  readonly spec: any
  readonly data?: Readonly<Record<string, string>>
}

export const FOLDER = 'deploy/kubernetes'
export const EXAMPLES = ['httpbin', 'grafana']

export const readManifest = (path: string): Manifest =>
  parse(readFileSync(`${FOLDER}/${path}`, 'utf8'))

/** All documents of a text; throws at the first that is no YAML. */
export const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS() as Manifest
  })

export const manifestPaths = (): string[] => globSync('**/*.yaml', { cwd: FOLDER }).sort()

/** `claimgate` among the containers of a pod, whichever list it is in; throws when it is not there. */
export function sidecarOf({ initContainers = [], containers = [] }: PodSpec): Container {
  const found = [...initContainers, ...containers].find(({ name }) => name === 'claimgate')
  if (found === undefined) throw new Error('no container claimgate')
  return found
}

/** The environment of a container, less what comes from elsewhere. */
export const environmentOf = ({ env = [] }: Container): Record<string, string> =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]))
