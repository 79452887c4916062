import { readFileSync } from 'node:fs'
import t from 'tap'

interface Locked {
  readonly version: string
  readonly license?: string
  readonly dev?: boolean
}

interface Advisory {
  readonly id: string
  readonly package: string
  readonly from?: string
  readonly below: string
  readonly reason?: string
}

/** What may be given away with an Apache-2.0 program, with no more than its notice kept. */
const LICENCES = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD']

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>
}

/** What `npm ci --omit=dev` installs; a package that is there twice is two entries. */
const PRODUCTION = Object.entries(lock.packages)
  .filter(([path, { dev }]) => path !== '' && dev !== true)
  .map(([path, locked]) => ({ name: path.replace(/^.*node_modules\//, ''), ...locked }))

const { advisories } = JSON.parse(readFileSync('test/repo/advisories.json', 'utf8')) as {
  advisories: Advisory[]
}

/** Below zero when `a` is the earlier release; a pre-release counts as its release. */
const compare = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.replace(/-.*$/, '').split('.').map(Number))
  for (const at of [0, 1, 2]) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const affects = ({ from = '0.0.0', below }: Advisory, version: string): boolean =>
  compare(version, from) >= 0 && compare(version, below) < 0

t.test('versions are compared by number', async (t) => {
  t.ok(compare('5.9.0', '5.12.0') < 0)
  t.ok(compare('11.6.10', '11.6.9') > 0)
  t.equal(compare('1.2.3-rc.1', '1.2.3'), 0)
  t.ok(affects({ id: '', package: '', from: '1.0.0', below: '1.2.0' }, '1.0.0'))
  t.notOk(affects({ id: '', package: '', below: '1.2.0' }, '1.2.0'))
})

t.test('every package of the production tree has a licence on the list', async (t) => {
  t.ok(PRODUCTION.length > 50)
  for (const { name, license } of PRODUCTION)
    t.ok(LICENCES.includes(license ?? ''), `${name}: ${license}`)
})

t.test('no package is of a version with a published fault, but for a reason', async (t) => {
  for (const advisory of advisories)
    for (const { name, version } of PRODUCTION.filter(({ name }) => name === advisory.package))
      if (affects(advisory, version))
        t.ok(advisory.reason, `${name} ${version}: ${advisory.id}, mended in ${advisory.below}`)
  const known = new Set(PRODUCTION.map(({ name }) => name))
  t.ok(advisories.filter(({ package: name }) => known.has(name)).length > 10)
})

t.test('a reason stays no longer than the version that needs it', async (t) => {
  for (const advisory of advisories.filter(({ reason }) => reason !== undefined))
    t.ok(
      PRODUCTION.some(
        ({ name, version }) => name === advisory.package && affects(advisory, version),
      ),
      `${advisory.id} needs no reason any more`,
    )
})

t.test('the reasons hold: no WebSocket mode, no forwarding of the package itself', async (t) => {
  const mount = readFileSync('src/proxy/data-server.ts', 'utf8')
  const [options = ''] = /const mounting = [\s\S]*?\n\}\)/.exec(mount) ?? []
  t.match(options, /\bwebsocket: false\b/)
  t.match(options, /\bhandler: refuse\b/)
})
