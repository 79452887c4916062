import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fences } from '../helpers/markdown.ts'
import { type Owner, until } from '../helpers/program.ts'
import { run } from './processes.ts'

/** A proxy that asks claimgate, set up with the text of docs/forward-auth.md. */
export interface Front {
  readonly name: string
  /** Whether who sends an identity header is refused; otherwise it is removed. */
  readonly isStrict: boolean
  /** Why it cannot run here, or `false`: the form tap wants. */
  skip(): string | false
  /** Resolves with its port on loopback. */
  start(t: Owner, ports: Ports): Promise<number>
}

export interface Ports {
  readonly claimgate: number
  readonly app: number
  /** The names of all identity headers but X-WEBAUTH-USER. */
  readonly headers: readonly string[]
}

const GUIDE = 'docs/forward-auth.md'

const nginxOf = (name: string, server: () => string): Omit<Front, 'isStrict'> => ({
  name,
  skip: () => withoutProgram('nginx', '-v'),
  start: (t, ports) =>
    startFront(t, ports, (file, folder) => ({
      text: `${nginxMain(folder)}http {\naccess_log off;\n${nginxPaths(folder)}\n${server()}}\n`,
      command: ['nginx', '-c', file, '-p', folder],
    })),
})

const caddyOf = (name: string, site: () => string): Omit<Front, 'isStrict'> => ({
  name,
  skip: () => withoutProgram('caddy', 'version'),
  start: (t, ports) =>
    startFront(t, ports, (file) => ({
      text: `{\nadmin off\nauto_https off\n}\n${site()}`,
      command: ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
    })),
})

/** The two blocks of a language in the guide, of which the second is the strict one. */
function blocks(language: string): readonly [string, string] {
  const [simple, strict, ...more] = fences(readFileSync(GUIDE, 'utf8'), language)
  if (simple === undefined || strict === undefined || more.length > 0)
    throw new Error(`${GUIDE} must hold two blocks of ${language}`)
  return [simple, strict]
}

function strictCaddy(): string {
  const [site, lines] = blocks('caddyfile')
  return site.replace('\troute {\n', (start) => start + lines)
}

export const FRONTS: readonly Front[] = [
  { ...nginxOf('nginx', () => blocks('nginx')[0]), isStrict: false },
  { ...nginxOf('strict nginx', () => blocks('nginx')[1]), isStrict: true },
  { ...caddyOf('Caddy', () => blocks('caddyfile')[0]), isStrict: false },
  { ...caddyOf('strict Caddy', strictCaddy), isStrict: true },
]

const withoutProgram = (program: string, argument: string): string | false =>
  spawnSync(program, [argument], { stdio: 'ignore' }).status === 0
    ? false
    : `skipped: needs apt-get install ${program}`

// One process: workers would outlive a master that is killed.
const nginxMain = (folder: string) => `daemon off;
master_process off;
${process.getuid?.() === 0 ? 'user root;\n' : ''}pid ${folder}/pid;
error_log stderr error;
events { worker_connections 512; }
`

const nginxPaths = (folder: string) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n')

interface Recipe {
  /** With the ports and headers of the guide. */
  readonly text: string
  readonly command: readonly [string, ...string[]]
}

async function startFront(
  t: Owner,
  ports: Ports,
  recipe: (file: string, folder: string) => Recipe,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-front-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'config')
  const { text, command } = recipe(file, folder)
  const port = await freePort()
  writeFileSync(file, withPorts(text, port, ports))
  const program = run(t, command, { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder })
  const ended = once(program.child, 'exit').then(() => {
    throw new Error(`${command[0]} ended:\n${program.output()}`)
  })
  await Promise.race([until(() => accepts(port), 'listening', 15_000), ended])
  ended.catch(() => undefined)
  return port
}

/** A text of the guide with these ports, and the lines of X-WEBAUTH-NAME once for each header. */
function withPorts(text: string, port: number, { claimgate, app, headers }: Ports): string {
  return text
    .split('\n')
    .flatMap((line) => (line.includes('X-WEBAUTH-NAME') ? repeated(line, headers) : [line]))
    .join('\n')
    .replaceAll(':8080', `:${port}`)
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${claimgate}`)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${app}`)
}

const repeated = (line: string, headers: readonly string[]) =>
  headers.map((name, i) =>
    line
      .replaceAll('X-WEBAUTH-NAME', name)
      .replaceAll('Claimgate-Name', `Claimgate-${i}`)
      .replaceAll('forged-name', `forged-${i}`)
      .replaceAll('*webauth*', `*${wordOf(name)}*`)
      .replaceAll('x_webauth_name', name.toLowerCase().replaceAll('-', '_')),
  )

const wordOf = (name: string) => name.toLowerCase().replace(/^x-/, '').split('-', 1).join()

/** Free a moment ago: these programs must be told a port. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
