import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { check } from '../../src/commands/check.ts'
import { type Case, runCorpus } from '../helpers/corpus.ts'

const PROGRAM = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** More than the corpus allows, so that a busy machine is not taken for a program that goes on. */
const PATIENCE = 10_000

type Env = Readonly<Record<string, string | undefined>>

/** A configuration that starts. */
const GOOD: Env = {
  CLAIMGATE_UPSTREAM: 'http://127.0.0.1:3000',
  CLAIMGATE_ISSUER: 'app.example.com',
  CLAIMGATE_AUDIENCE: 'app.example.com',
  CLAIMGATE_JWKS_URI: 'https://app.example.com/.well-known/pomerium/jwks.json',
  CLAIMGATE_LISTEN: '127.0.0.1:0',
  CLAIMGATE_ADMIN_LISTEN: '127.0.0.1:0',
}

/** One fault in the words of our settings: what changes, and a pattern for the line that must be written. */
interface Fault {
  readonly env?: Env
  readonly yaml?: string
  readonly says: RegExp
}

const env = (name: string, value: string | undefined, says: RegExp): Fault => ({
  env: { [`CLAIMGATE_${name.toUpperCase()}`]: value },
  says,
})
const set = (name: string, value: string): Fault =>
  env(name, value, new RegExp(`^env CLAIMGATE_${name.toUpperCase()}: ${name} must .*, got `, 'm'))
const header = (name: string) => set('identity_headers', `${name}=email`)
const file = (yaml: string, says: RegExp): Fault => ({ yaml, says })

const REFUSED: Readonly<Record<string, Fault>> = {
  'required/no-upstream': env('upstream', undefined, /^not set: upstream must .*, got nothing$/m),
  'required/bad-upstream': set('upstream', 'not a url'),
  'url/upstream-ftp': set('upstream', 'ftp://x'),
  'url/upstream-creds': set('upstream', 'http://u:p@x'),
  'required/empty-issuer': set('issuer', ''),
  'required/empty-audience': set('audience', ''),
  'values/audience-commas': set('audience', ','),
  'required/bad-jwks': set('jwks_uri', 'x'),
  'url/jwks-file': set('jwks_uri', 'file:///x'),
  'values/alg-hs': set('algorithms', 'HS256'),
  'values/alg-empty': set('algorithms', ''),
  'values/skew-nan': set('clock_skew', 'abc'),
  'values/port-0x': set('listen', '127.0.0.1:0x50'),
  'values/port-text': set('listen', '127.0.0.1:http'),
  'values/timeout-unit': set('upstream_response_timeout', '5 parsecs'),
  'header/header-host': header('Host'),
  'header/header-te': header('Transfer-Encoding'),
  'header/header-cookie': header('Cookie'),
  'header/header-assertion': header('X-Pomerium-Jwt-Assertion'),
  'header/header-colon': header('X:Y'),
  'header/header-crlf': header('X\r\nY'),
  'header/header-dup-case': set('identity_headers', 'X-User=email,x-user=sub'),
  'bypass/bypass-all': set('public_paths', '/'),
  'bypass/bypass-dots': set('public_paths', '/public/..'),
  'bypass/bypass-empty': set('public_paths', ''),
  'yaml/yaml-syntax': file('issuer: [a\n', /^\S+c\.yaml:\d+:\d+: the file must be one valid YAML/m),
  'yaml/yaml-dup-key': file('route: a\nroute: b\n', /c\.yaml:2:1: the file must .*DUPLICATE_KEY/m),
  'yaml/yaml-bomb': file(
    `a: &a [x, x]\n${'bcdefghij'.replace(/./g, (key) => `${key}: &${key} [*a, *a]\n`)}`,
    /c\.yaml:2:8: each value must be written out.*, got an alias$/m,
  ),
  'yaml/yaml-tag': file(
    'route: !!js/function "x"\n',
    /c\.yaml:1:8: the file must .*TAG_RESOLVE_FAILED/m,
  ),
  'yaml/yaml-dir': env('config', '.', /^env CLAIMGATE_CONFIG: config must .*it is a directory\)$/m),
  'env/env-unknown': env(
    'audiense',
    'x',
    /^env CLAIMGATE_AUDIENSE: the name must .*nearest is CLAIMGATE_AUDIENCE\), got/m,
  ),
  'env/env-nul': set('audience', 'app.example.com\n'),
}

const WARNED: Readonly<Record<string, Fault>> = {
  'values/audience-url': env(
    'audience',
    'https://app.example.com/',
    /^warning: env CLAIMGATE_AUDIENCE: .* is a URL, but Pomerium sends the bare host name$/m,
  ),
  'values/listen-all-warn': {
    env: { CLAIMGATE_UPSTREAM: 'http://app.internal:80', CLAIMGATE_LISTEN: '0.0.0.0:0' },
    says: /^warning: env CLAIMGATE_UPSTREAM: the upstream is on the network: make sure/m,
  },
}

interface Ended {
  readonly code: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program until it ends by itself, or kills it. */
const runProgram = (command: readonly string[], env: Env): Promise<Ended> =>
  new Promise((resolve) => {
    const options = { env: { ...env }, timeout: PATIENCE, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [PROGRAM, ...command], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr })
    })
  })

/** What `claimgate check` says, without the start of a process. */
function runCheck(env: Env): Ended {
  const written: string[] = []
  const readFile = (path: string) => readFileSync(path, 'utf8')
  const code = check({ flags: [], env, readFile, write: (text) => void written.push(text) })
  return { code, stdout: written.join(''), stderr: '' }
}

/** What is not as it must be; undefined when all is. */
function checked(id: string, env: Env): string | undefined {
  const refused = REFUSED[id]
  const fault = refused ?? WARNED[id]
  if (fault === undefined) return `${id}: has no row here`
  const { code, stdout } = runCheck(env)
  if (code !== (refused ? 78 : 0)) return `${id}: ended with ${code}`
  const said = stdout.replaceAll(/^problem: /gm, '')
  if (!fault.says.test(said)) return `${id}: says ${said}`
  return refused && !isPlain(said) ? `${id}: not one problem a line: ${said}` : undefined
}

/** The same of a process: nothing is listened on, and standard error holds the problems and no more. */
async function started(id: string, env: Env): Promise<string | undefined> {
  const { code, stdout, stderr } = await runProgram([], env)
  if (code !== 78 || stdout !== '') return `${id}: process ended with ${code}: ${stdout}${stderr}`
  return REFUSED[id]?.says.test(stderr) && isPlain(stderr) ? undefined : `${id}: says ${stderr}`
}

const isPlain = (text: string): boolean =>
  text
    .trimEnd()
    .split('\n')
    .every((line) => /^[^ ].*: .* must .*, got ./.test(line))

/** A process for each case would take minutes: the first of each class has one. */
const PROCESSES = new Set([
  'required/no-upstream',
  'url/upstream-creds',
  'values/audience-commas',
  'header/header-crlf',
  'bypass/bypass-all',
  'yaml/yaml-bomb',
  'yaml/yaml-dir',
  'env/env-unknown',
])

t.test('every fault ends the start, or is warned of, and says which setting', async (t) => {
  const directory = t.testdir(
    Object.fromEntries(
      Object.entries(REFUSED).flatMap(([id, { yaml }]) =>
        yaml === undefined ? [] : [[id.replace('/', '-'), { 'c.yaml': yaml }]],
      ),
    ),
  )
  const envOf = (id: string): Env => {
    const { env, yaml } = REFUSED[id] ?? WARNED[id] ?? {}
    const path = join(directory, id.replace('/', '-'), 'c.yaml')
    return { ...GOOD, ...(yaml === undefined ? {} : { CLAIMGATE_CONFIG: path }), ...env }
  }
  await runCorpus<{ readonly cases: readonly Case[] }>(
    t,
    'config-faults.json',
    async ({ cases }, tally) => {
      for (const { id } of cases) {
        const env = envOf(id)
        const text = checked(id, env) ?? (PROCESSES.has(id) ? await started(id, env) : undefined)
        if (text !== undefined) tally.deviations.push(text)
        tally.ran++
      }
      const ids = new Set(cases.map(({ id }) => id))
      const rows = [...Object.keys(REFUSED), ...Object.keys(WARNED), ...PROCESSES]
      const unknown = rows.filter((id) => !ids.has(id))
      t.strictSame(unknown, [], 'every row here is one of the corpus')
    },
  )
})

t.test('the configuration that the faults change is good', async (t) => {
  t.match(await runProgram(['check'], GOOD), { code: 0, stderr: '' })
})
