/**
 * Puts the built program and its packages together into a few files, for the image: `npm run bundle -- FOLDER`. A process
 * that starts from them needs two thirds of the processor time, since it looks for and reads some ten files, not
 * hundreds. What is in them, and under which licence, is written beside them.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** What the image and the compose files start. */
const ENTRIES = ['dist/cli.js', 'dist/commands/healthcheck.js', 'dist/demo/stand-in-main.js']

/** Packages of the kind that Node loads with `require` look for it; there is none in a module. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`

/**
 * What packages would load for what is never done here: @fastify/http-proxy to forward by itself, Fastify to compile
 * schemas, to be asked without a socket or to speak HTTP/2, pino to write from a thread of its own, the metrics to be
 * pushed, gathered from a cluster, or joined with spans. Without it a process is some 10 MiB smaller and starts a third
 * sooner. Whatever reached for it would throw.
 */
const UNUSED =
  /^(undici|ws|light-my-request|@fastify\/ajv-compiler|@fastify\/fast-json-stringify-compiler|@opentelemetry\/api|node:http2|thread-stream|worker_threads)$/
/** Parts of a package, by the names that its first file calls them. */
const UNUSED_PARTS = {
  filter: /^\.\/lib\/(pushgateway|cluster|worker)$/,
  importer: /@prometheus-io\/client\/index\.js$/,
}
const ABSENT = `class Absent { constructor() { throw new Error('left out of the bundle') } }
const named = { Pool: Absent, Client: Absent, Dispatcher: Absent }
// What is read of them while they are loaded, and true.
module.exports = Object.assign(Absent, named, { constants: {}, isMainThread: true })`

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'absent' }))
    onResolve({ filter: UNUSED_PARTS.filter }, ({ path, importer }) =>
      UNUSED_PARTS.importer.test(importer) ? { path, namespace: 'absent' } : undefined,
    )
    onLoad({ filter: /^/, namespace: 'absent' }, () => ({ contents: ABSENT, loader: 'js' }))
  },
}

/**
 * An `import` of `node:http` reads every export, and one of them loads the whole of Node's own fetch: 50 ms of each start
 * and 15 MiB of each process (Node 26). `require` does not.
 */
const requiredHttp: Plugin = {
  name: 'required-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http$/ }, ({ kind }) =>
      kind === 'import-statement'
        ? { path: 'node:http', namespace: 'required' }
        : { path: 'node:http', external: true },
    )
    onLoad({ filter: /^/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
      loader: 'js',
    }))
  },
}

/** Fastify asks it whether each plugin is made for it. What stands in one bundle has been tested together (8 ms). */
const sameVersions: Plugin = {
  name: 'same-versions',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^semver$/ }, ({ path }) => ({ path, namespace: 'same-versions' }))
    onLoad({ filter: /^/, namespace: 'same-versions' }, () => ({
      contents: 'exports.satisfies = () => true',
      loader: 'js',
    }))
  },
}

/** What the reader of settings takes from it. */
const YAML = ['LineCounter', 'isAlias', 'isMap', 'isScalar', 'isSeq', 'parseDocument']

/** A tenth of the code in the bundle, which is run when there is a file to read: 15 of 190 ms of a start without. */
const yamlWhenNeeded: Plugin = {
  name: 'yaml-when-needed',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^yaml$/ }, ({ kind, path }) =>
      kind === 'import-statement' ? { path, namespace: 'when-needed' } : undefined,
    )
    onLoad({ filter: /^/, namespace: 'when-needed' }, () => ({
      contents: `const later = (name) => function (...given) {
        const it = require('yaml')[name]
        return new.target === undefined ? it(...given) : new it(...given)
      }
      ${YAML.map((name) => `export const ${name} = later('${name}')`).join('\n')}`,
      loader: 'js',
      resolveDir: '.',
    }))
  },
}

/** The folder of the package that a file belongs to; `undefined` for our own. */
const packageOf = (path: string): string | undefined =>
  /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  return [`${name} ${version}: ${license}`, ...texts].join('\n\n')
}

async function bundle(outdir: string): Promise<void> {
  const missing = ENTRIES.find((entry) => !existsSync(entry))
  if (missing !== undefined) throw new Error(`${missing} is absent: run "npm run build" first`)
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: ENTRIES,
    outdir,
    outbase: 'dist',
    bundle: true,
    // What a command does not need is not loaded: each has its own files.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    banner: { js: REQUIRE },
    plugins: [withoutUnused, sameVersions, yamlWhenNeeded, requiredHttp],
    // Names stay: the log says where a fault of ours happened.
    minifySyntax: true,
    minifyWhitespace: true,
    metafile: true,
  })
  const packages = new Set(Object.keys(metafile.inputs).map(packageOf))
  packages.delete(undefined)
  const notices = [...packages].sort().map((folder) => notice(folder ?? ''))
  writeFileSync(
    join(outdir, 'THIRD-PARTY-NOTICES'),
    `${notices.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`,
  )
  const files = Object.keys(metafile.outputs).length
  process.stdout.write(`${outdir}: ${files} files with ${packages.size} packages\n`)
}

const [outdir] = process.argv.slice(2)
if (outdir === undefined) throw new Error('usage: npm run bundle -- FOLDER')
await bundle(outdir)
