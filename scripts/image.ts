/**
 * Builds the image and runs it, the way people do: `npm run image [build] [container] [compose] [pod] [rolling]`, all of them
 * without a word. Needs docker, podman or what CONTAINER_ENGINE names, and for compose `docker compose`,
 * docker-compose or what COMPOSE names. Without an engine it says so and ends with 0; when something does not hold,
 * with 1.
 *
 * CONTAINER_MEMORY is the memory of the one that is tried, 128m if it is not said. CONTAINER_BUILD names another build
 * command (`buildah bud`). GRAFANA=httpbin puts httpbin in Grafana's place. ROUNDS says how often `rolling` replaces its
 * pods, 3 times if it is not said.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { checkCompose } from './image/compose.ts'
import { checkContainer, checkImage } from './image/container.ts'
import { createEngine, createReport, type Engine, findEngine } from './image/engine.ts'
import { checkPod } from './image/pod.ts'
import { checkRolling } from './image/rolling.ts'

const STEPS = ['build', 'container', 'compose', 'pod', 'rolling'] as const

const env = (name: string): string | undefined => process.env[name] || undefined
const wanted = process.argv.slice(2)
for (const word of wanted)
  if (!(STEPS as readonly string[]).includes(word))
    throw new Error(`${word} is none of ${STEPS.join(', ')}`)
const steps = wanted.length === 0 ? STEPS : STEPS.filter((step) => wanted.includes(step))

const named = env('CONTAINER_ENGINE')
const engine = named === undefined ? findEngine(['docker', 'podman']) : createEngine(named)
if (engine === undefined) {
  process.stdout.write(
    'skipped: neither docker nor podman answers here; CONTAINER_ENGINE may name another\n',
  )
  process.exit(0)
}
const report = createReport()

function build(using: Engine): void {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' })
  const began = performance.now()
  const [program = '', ...first] = (env('CONTAINER_BUILD') ?? `${using.name} build`).split(' ')
  const { status } = spawnSync(
    program,
    [
      ...first,
      '-t',
      'claimgate',
      '--build-arg',
      `VERSION=${version}`,
      '--build-arg',
      `REVISION=${stdout?.trim() || 'unknown'}`,
      '.',
    ],
    { stdio: 'inherit' },
  )
  report.holds('the image is built', status === 0, String(status))
  report.figure('time to build', `${Math.round((performance.now() - began) / 1000)} s`)
}

const grafana = env('GRAFANA') === 'httpbin' ? 'httpbin in its place' : 'its image'
const compose = (): Engine =>
  createEngine(
    env('COMPOSE') ??
      (engine.try('compose', 'version').status === 0 ? `${engine.name} compose` : 'docker-compose'),
  )

const RUN: Readonly<Record<(typeof STEPS)[number], () => void | Promise<void>>> = {
  build: () => build(engine),
  container: async () => {
    checkImage(engine, report)
    await checkContainer(engine, report, env('CONTAINER_MEMORY') ?? '128m')
  },
  compose: () => checkCompose(compose(), report, grafana),
  pod: () => checkPod(engine, report),
  rolling: async () => {
    const rounds = Number(env('ROUNDS') ?? 3)
    for (const form of ['sidecar-classic', 'sidecar'] as const)
      await checkRolling(engine, report, { form, rounds })
  },
}

for (const step of steps) {
  process.stdout.write(`--- ${step}\n`)
  await RUN[step]()
  if (report.failed() > 0) break
}
process.stdout.write(`${report.failed()} failed\n`)
process.exitCode = report.failed() === 0 ? 0 : 1
