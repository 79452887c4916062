/**
 * Holds manifests against the types and the schemas of Kubernetes: `node check.ts [FILE.yaml ...]` takes everything
 * under ../kubernetes and, besides, the given files (what Kustomize made of it, say). The compiler finds fields that
 * do not exist, the schemas find wrong types and what is missing. Exit 0 when all is well, else 1, with one line for
 * each fault.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
}

interface Subject {
  /** For people: the file, and which document of it. */
  readonly name: string
  readonly manifest: Manifest
  /** A patch has only what it changes. */
  readonly form: 'whole' | 'patch'
}

const HERE = import.meta.dirname
const MANIFESTS = join(HERE, '../kubernetes')
const GENERATED = join(HERE, 'generated')

/** Which package knows the kinds of an API group. */
const PACKAGES: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'kyverno.io': '@kubernetes-models/kyverno',
}

const modelsOf = ({ apiVersion }: Manifest): string =>
  `${PACKAGES[apiVersion.split('/')[0] ?? ''] ?? 'kubernetes-models'}/${apiVersion}`

const documentsOf = (path: string): Manifest[] =>
  parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`)
    return document.toJS() as Manifest
  })

const subjectsOf = (path: string, form: Subject['form']): Subject[] =>
  documentsOf(path).map((manifest, index) => {
    const name = `${relative(join(HERE, '../..'), path)}#${index + 1} ${manifest.kind}`
    return { name, manifest, form }
  })

/** What the Kustomizations name as patches. */
const patchPaths = (kustomizations: readonly string[]): Set<string> =>
  new Set(
    kustomizations.flatMap((path) => {
      const { patches = [] } = parse(readFileSync(path, 'utf8')) as { patches?: { path: string }[] }
      return patches.map((patch) => join(dirname(path), patch.path))
    }),
  )

/** The Pod that a policy of Kyverno adds: its own schema takes any. */
function injectedBy({ name, manifest }: Subject): Subject[] {
  if (manifest.kind !== 'ClusterPolicy') return []
  const { spec } = manifest as unknown as {
    spec: { rules: { mutate: { patchStrategicMerge: object } }[] }
  }
  return spec.rules.map(({ mutate }) => ({
    name: `${name}, what it adds`,
    manifest: { apiVersion: 'v1', kind: 'Pod', ...mutate.patchStrategicMerge },
    form: 'patch',
  }))
}

function sourceOf({ manifest, form }: Subject): string {
  const type = `I${manifest.kind}`
  const annotation = form === 'patch' ? `Partially<${type}>` : type
  return `import type { ${type} } from '${modelsOf(manifest)}'
type Partially<T> = { [K in keyof T]?: Partially<T[K]> }
export const manifest: ${annotation} = ${JSON.stringify(manifest, undefined, 2)}
export type Used = Partially<unknown>
`
}

/** The compiler's words for each subject; it names what does not exist. */
function compile(subjects: readonly Subject[]): string[] {
  rmSync(GENERATED, { recursive: true, force: true })
  mkdirSync(GENERATED)
  for (const [index, subject] of subjects.entries())
    writeFileSync(join(GENERATED, `${index}.ts`), sourceOf(subject))
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { stdout, status } = spawnSync(process.execPath, [compiler, '--pretty', 'false'], {
    cwd: HERE,
    encoding: 'utf8',
  })
  const faults = [...stdout.matchAll(/^generated\/(\d+)\.ts\((\d+),\d+\): error \w+: (.*)$/gm)].map(
    ([, index, line, words]) => `${subjects[Number(index)]?.name}, line ${line}: ${words}`,
  )
  return status === 0 || faults.length > 0
    ? faults
    : [`the compiler ended with ${status}: ${stdout}`]
}

type Model = new (manifest: Manifest) => { validate(): void }

async function validate({ name, manifest, form }: Subject): Promise<string[]> {
  if (form === 'patch') return []
  const models = (await import(modelsOf(manifest))) as Record<string, Model | undefined>
  const Kind = models[manifest.kind]
  if (Kind === undefined) return [`${name}: there is no such kind`]
  try {
    new Kind(manifest).validate()
    return []
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : String(error)}`]
  }
}

const paths = globSync('**/*.yaml', { cwd: MANIFESTS }).map((path) => join(MANIFESTS, path))
const kustomizations = paths.filter((path) => basename(path) === 'kustomization.yaml')
const patches = patchPaths(kustomizations)
const files = paths.filter((path) => !kustomizations.includes(path))
const given = [...files, ...process.argv.slice(2)].flatMap((path) =>
  subjectsOf(path, patches.has(path) ? 'patch' : 'whole'),
)
const subjects = [...given, ...given.flatMap(injectedBy)]
const faults = [...compile(subjects), ...(await Promise.all(subjects.map(validate))).flat()]
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.stdout.write(`${subjects.length} manifests, ${faults.length} faults\n`)
process.exitCode = faults.length === 0 ? 0 : 1
