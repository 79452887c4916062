import { existsSync, globSync, readFileSync } from 'node:fs'
import { builtinModules, stripTypeScriptTypes } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import t from 'tap'
import { codeSpans, section, tableRows } from '../helpers/markdown.ts'

const GUIDE = readFileSync('docs/architecture.md', 'utf8')
const MODULES = globSync('src/**/*.ts').sort()

interface Room {
  /** A module (`errors.ts`) or a folder (`config/`), from src on. */
  readonly path: string
  readonly isPure: boolean
  readonly mayImport: readonly string[]
  readonly packages: readonly string[]
}

const ROOMS: readonly Room[] = tableRows(section(GUIDE, '## Layers')).map(
  ([room = '', io = '', mayImport = '', packages = '']) => ({
    path: codeSpans(room)[0] ?? '',
    isPure: io === 'pure',
    mayImport: codeSpans(mayImport),
    packages: codeSpans(packages),
  }),
)

const holds = (room: Room, module: string): boolean =>
  room.path.endsWith('/') ? module.startsWith(`src/${room.path}`) : module === `src/${room.path}`

/** The narrowest room that holds the module. */
const roomOf = (module: string): Room | undefined =>
  ROOMS.filter((room) => holds(room, module)).sort((a, b) => b.path.length - a.path.length)[0]

/** Both forms of import, also of types, and re-exports. */
const specifiers = (module: string): string[] =>
  [
    ...readFileSync(module, 'utf8').matchAll(
      /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"`]([^'"`]+)['"`]/gm,
    ),
  ].map(([, from, bare]) => from ?? bare ?? '')

const targetOf = (module: string, specifier: string): string =>
  relative('.', resolve(dirname(module), specifier))

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const isPackage = (specifier: string): boolean => !/^(?:\.|node:)/.test(specifier)

t.test('the imports that are held are those of the compiler', async (t) => {
  const found = MODULES.flatMap(specifiers)
  t.ok(found.length > 200, `${found.length} imports in ${MODULES.length} modules`)
  for (const module of MODULES) {
    for (const specifier of specifiers(module)) {
      if (specifier.startsWith('.'))
        t.ok(existsSync(targetOf(module, specifier)), `${module}: ${specifier} exists`)
      else t.notOk(builtinModules.includes(specifier), `${module}: ${specifier} begins with node:`)
    }
  }
})

t.test('every module is in a room, and every room has modules', async (t) => {
  for (const module of MODULES)
    t.ok(roomOf(module), `${module} needs a row under "Layers" in docs/architecture.md`)
  for (const room of ROOMS)
    t.ok(
      MODULES.some((module) => roomOf(module) === room),
      `${room.path} holds something`,
    )
})

t.test('a room names only rooms above it', async (t) => {
  for (const [index, { path, mayImport }] of ROOMS.entries()) {
    const above = ROOMS.slice(0, index).map((room) => room.path)
    for (const name of mayImport) t.ok(above.includes(name), `${path}: ${name} stands above`)
  }
})

t.test('a module imports only what its room may', async (t) => {
  for (const module of MODULES) {
    const room = roomOf(module)
    for (const specifier of specifiers(module).filter((each) => each.startsWith('.'))) {
      const other = roomOf(targetOf(module, specifier))
      const isAllowed = other === room || room?.mayImport.includes(other?.path ?? '')
      t.ok(isAllowed, `${module} imports ${specifier}: ${room?.path} may import ${other?.path}`)
    }
  }
})

t.test('nothing is allowed that nobody uses', async (t) => {
  for (const room of ROOMS) {
    const own = MODULES.filter((module) => roomOf(module) === room)
    const used = own.flatMap((module) =>
      specifiers(module).map((specifier) =>
        isPackage(specifier) ? packageOf(specifier) : roomOf(targetOf(module, specifier))?.path,
      ),
    )
    for (const name of [...room.mayImport, ...room.packages])
      t.ok(used.includes(name), `${room.path} uses ${name}`)
  }
})

t.test('a package is imported where it is listed, and none is installed for nobody', async (t) => {
  for (const module of MODULES)
    for (const name of specifiers(module).filter(isPackage).map(packageOf))
      t.ok(roomOf(module)?.packages.includes(name), `${module}: ${name} is listed for its room`)
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const installed = Object.keys(dependencies).sort()
  t.strictSame([...new Set(ROOMS.flatMap(({ packages }) => packages))].sort(), installed)
  const justified = tableRows(section(GUIDE, '## Packages at run time')).flatMap(([name = '']) =>
    codeSpans(name),
  )
  t.strictSame(justified.sort(), installed)
})

/** The module as it runs: without types, and without the imports of types alone. */
const runtimeCode = (module: string): string =>
  stripTypeScriptTypes(readFileSync(module, 'utf8'))
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')

t.test('pure rooms do no I/O and read neither clock, environment nor chance', async (t) => {
  const pure = MODULES.filter((module) => roomOf(module)?.isPure)
  t.ok(pure.length > 15)
  for (const module of pure) {
    const code = runtimeCode(module)
    const fromNode = [...code.matchAll(/from\s*'(node:[^']+)'/g)].map(([, name]) => name)
    t.strictSame(fromNode, module === 'src/proxy/gate.ts' ? ['node:http'] : [], module)
    const impure =
      /\b(?:process|performance|fetch|setTimeout|setInterval|setImmediate)\b(?=[.(])|Date\.now|new Date\(\)|Math\.random/
    t.notMatch(code, impure, `${module} takes these from outside`)
  }
})

t.test('the environment is read by programs alone', async (t) => {
  const readers = MODULES.filter((module) => /process\.env/.test(runtimeCode(module)))
  t.strictSame(readers, ['src/cli.ts', 'src/commands/healthcheck.ts', 'src/demo/stand-in-main.ts'])
})

const PROGRAM = /'(?:dist|src)\/((?:cli|commands\/healthcheck|demo\/stand-in-main))\.[jt]s'/g

/** Every module that a test loads, or runs as a program of its own; its own helpers included. */
const reachedBy = (from: string, seen: Set<string> = new Set()): ReadonlySet<string> => {
  if (seen.has(from)) return seen
  seen.add(from)
  const programs = from.startsWith('test/')
    ? [...readFileSync(from, 'utf8').matchAll(PROGRAM)].map(([, name]) => `src/${name}.ts`)
    : []
  const imported = specifiers(from)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => targetOf(from, specifier))
  for (const module of [...programs, ...imported]) if (existsSync(module)) reachedBy(module, seen)
  return seen
}

const mirrorOf = (module: string): string =>
  module.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')

t.test('every module has a test of its name, or one that is named for it', async (t) => {
  const rows = tableRows(section(GUIDE, '### Modules and their tests'))
  const named = new Map<string, readonly string[]>()
  for (const [modules = '', tests = ''] of rows)
    for (const module of codeSpans(modules)) named.set(`src/${module}`, codeSpans(tests))

  for (const module of MODULES) {
    if (existsSync(mirrorOf(module))) continue
    const tests = named.get(module)
    t.ok(tests, `${module} has ${mirrorOf(module)}, or a row in docs/architecture.md`)
    if (tests?.length === 0) {
      const code = runtimeCode(module).replace(/^import .*$/gm, '')
      t.equal(code.trim(), '', `${module} holds types alone`)
    }
    for (const test of tests ?? [])
      t.ok(existsSync(test) && reachedBy(test).has(module), `${test} goes through ${module}`)
  }
  for (const module of named.keys()) t.ok(existsSync(module), `${module} exists`)
})

t.test('the folders and files that the guide speaks of exist', async (t) => {
  const folders = tableRows(section(GUIDE, '## Folders')).flatMap(([name = '']) => codeSpans(name))
  const files = codeSpans(section(GUIDE, '## The way of a request')).filter((name) =>
    name.startsWith('src/'),
  )
  t.ok(files.length >= 7)
  for (const path of [...folders, ...files]) t.ok(existsSync(path), path)
  for (const folder of globSync('src/*/'))
    t.ok(folders.includes(`${folder.replace(/\/$/, '')}/`), `${folder} has a line under "Folders"`)
})
