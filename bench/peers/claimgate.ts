import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import { HOST } from '../tokens.ts'
import { freePort, type Launch, launch, type Peer } from './peer.ts'

const PROGRAM = 'dist/cli.js'

/** What the image gives to Node: the options in the ENTRYPOINT of a Dockerfile. */
export function imageOptions(dockerfile: string): readonly string[] {
  const entryPoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1]
  if (entryPoint === undefined) throw new Error('the Dockerfile has no ENTRYPOINT in JSON form')
  return (JSON.parse(entryPoint) as string[]).filter((part) => part.startsWith('--'))
}

export interface Variant {
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
  /** Makes the options of Node from those of the image. */
  readonly options?: (ofImage: readonly string[]) => readonly string[]
  /** Instead of what was built in dist/. */
  readonly program?: (stage: Stage) => string
}

/** How a variant of claimgate is started, without starting it. */
export async function claimgateLaunch(stage: Stage, variant: Variant): Promise<Launch> {
  const { name, env = {}, options = (ofImage) => ofImage, program = () => PROGRAM } = variant
  const port = await freePort()
  const ofImage = imageOptions(readFileSync('Dockerfile', 'utf8'))
  return {
    stage,
    name,
    port,
    version: JSON.parse(readFileSync('package.json', 'utf8')).version,
    command: [process.execPath, ...options(ofImage), program(stage)],
    env: {
      NODE_ENV: 'production',
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${stage.upstreamPort}`,
      CLAIMGATE_ISSUER: HOST,
      CLAIMGATE_AUDIENCE: HOST,
      CLAIMGATE_JWKS_URI: stage.keySetUri,
      CLAIMGATE_LISTEN: `127.0.0.1:${port}`,
      CLAIMGATE_ADMIN_LISTEN: '127.0.0.1:0',
      ...env,
    },
    output: 'pipe',
  }
}

const isBuilt = (): string | undefined =>
  existsSync(PROGRAM) ? undefined : `${PROGRAM} is absent: run "npm run build" first`

const variantPeer = (
  variant: Variant,
  about: Pick<Peer, 'title' | 'verifies'> & Partial<Peer>,
): Peer => ({
  name: variant.name,
  available: isBuilt,
  start: async (stage) => launch(await claimgateLaunch(stage, variant)),
  ...about,
})

/** As the image starts it, every setting at its default. */
export const claimgate = variantPeer({ name: 'claimgate' }, { title: 'claimgate', verifies: 'all' })

/** Without a line in the log for each request. */
export const claimgateQuiet = variantPeer(
  { name: 'claimgate-quiet', env: { CLAIMGATE_LOG_LEVEL: 'warn' } },
  { title: 'claimgate, `log_level: warn`', verifies: 'all' },
)

const ACCEPT_ALL = new URL('./servers/accept-all.ts', import.meta.url).pathname

/**
 * The same program, in which one module is another while it is loaded: its verifier believes everybody. There is no
 * setting for this, and the program that is built has no seam for it.
 */
export const claimgateNone = variantPeer(
  { name: 'claimgate-none', options: (ofImage) => [...ofImage, '--import', ACCEPT_ALL] },
  { title: 'claimgate, verification removed (only here)', verifies: 'none' },
)

const VERIFY_AT = new URL('./servers/verify-at.ts', import.meta.url).href

const place = (where: 'loop' | 'pool') =>
  variantPeer(
    {
      name: `claimgate-${where}`,
      options: (ofImage) => [...ofImage, '--import', `${VERIFY_AT}?${where}`],
    },
    { title: `claimgate, signatures always in the ${where} (only here)`, verifies: 'all' },
  )

/** claimgate itself chooses by the number of processors. */
export const claimgateLoop = place('loop')
export const claimgatePool = place('pool')

/** The files of the image, made once for each stage. */
function bundleOf({ folder }: Stage): string {
  const home = join(folder, 'image')
  const cli = join(home, 'dist', 'cli.js')
  if (existsSync(cli)) return cli
  const { status, stderr } = spawnSync(process.execPath, ['scripts/bundle.ts', join(home, 'dist')])
  if (status !== 0) throw new Error(`scripts/bundle.ts made no bundle: ${stderr}`)
  copyFileSync('package.json', join(home, 'package.json'))
  return cli
}

/**
 * As the image starts it in a container of 128 MiB: from its bundle, and with its share of the memory in numbers.
 * The other variants start from dist/, where single modules can be replaced.
 */
export const claimgateImage = variantPeer(
  {
    name: 'claimgate-image',
    program: bundleOf,
    options: (ofImage) =>
      ofImage.map((option) =>
        option.startsWith('--max-old-space-size-percentage=')
          ? `--max-old-space-size=${Math.floor((128 * Number(option.split('=')[1])) / 100)}`
          : option,
      ),
  },
  { title: 'claimgate, as its image in 128 MiB', verifies: 'all' },
)
