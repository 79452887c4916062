import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import t from 'tap'

/** Every module that `from` imports, directly or through others, static or dynamic; its own included. */
const reachable = (from: string, seen: Set<string> = new Set()): ReadonlySet<string> => {
  if (seen.has(from)) return seen
  seen.add(from)
  const source = readFileSync(from, 'utf8')
  for (const [, specifier = ''] of source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    reachable(resolve(dirname(from), specifier), seen)
  }
  return seen
}

const DEMO = resolve('src/demo')

t.test('serving never loads the demo', async (t) => {
  for (const start of ['src/commands/serve.ts', 'src/server.ts']) {
    const modules = [...reachable(resolve(start))]
    t.ok(modules.length > 20, `${start} imports ${modules.length} modules`)
    t.strictSame(
      modules.filter((path) => path.startsWith(DEMO)),
      [],
    )
  }
})

t.test('only the demo command leads to the demo', async (t) => {
  const modules = [...reachable(resolve('src/cli.ts'))].filter((path) => !path.startsWith(DEMO))
  const leading = modules.filter((path) => /'[^']*\/demo\/[^']*'/.test(readFileSync(path, 'utf8')))
  t.strictSame(leading, [resolve('src/commands/demo.ts')])
})

t.test("the container's stand-in is a program of its own that no module imports", async (t) => {
  t.ok(existsSync('src/demo/stand-in-main.ts'))
  t.notOk(reachable(resolve('src/cli.ts')).has(resolve('src/demo/stand-in-main.ts')))
})
