#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { ConfigError } from './errors.ts'

/** sysexits.h EX_CONFIG and EX_USAGE. */
const EX_CONFIG = 78
const EX_USAGE = 64

/** As `engines` in package.json says. */
const OLDEST_NODE = { major: 22, minor: 19 }

const COMMANDS = ['serve', 'check', 'demo', 'explain', 'doctor', 'report', 'preset'] as const
type Command = (typeof COMMANDS)[number]

// Whoever reads may have seen enough: `claimgate check | head`.
process.stdout.on('error', () => undefined)

const write = (text: string) => process.stdout.write(text)
const writeError = (text: string) => process.stderr.write(text)
const readFile = (path: string) => readFileSync(path, 'utf8')

async function main(argv: readonly string[]): Promise<void> {
  refuseOldNode(process.versions.node)
  const [first = 'serve', ...rest] = argv
  if (argv.includes('--help') || first === 'help') return printHelp()
  if (argv.includes('--version')) return printVersion()
  const isCommand = (COMMANDS as readonly string[]).includes(first)
  if (!isCommand && !first.startsWith('-')) {
    process.stderr.write(`claimgate: unknown command "${first}"; wanted ${COMMANDS.join(', ')}\n`)
    process.exitCode = EX_USAGE
    return
  }
  await run(isCommand ? (first as Command) : 'serve', isCommand ? rest : argv)
}

async function run(command: Command, flags: readonly string[]): Promise<void> {
  const sources = { flags, env: process.env, readFile }
  switch (command) {
    case 'serve': {
      const starting = endOnSignal()
      const { serve, superviseProcess } = await import('./commands/serve.ts')
      superviseProcess(await serve(sources), process)
      return starting.isOver()
    }
    case 'check': {
      const { check } = await import('./commands/check.ts')
      process.exitCode = check({ ...sources, write })
      return
    }
    case 'explain': {
      const { explain } = await import('./commands/explain.ts')
      process.exitCode = await explain({ ...sources, write, readInput, now: Date.now })
      return
    }
    case 'doctor': {
      const { doctor } = await import('./commands/doctor.ts')
      process.exitCode = await doctor({ ...sources, write, now: Date.now, ownAddresses: own() })
      return
    }
    case 'report': {
      const { report } = await import('./commands/report.ts')
      process.exitCode = await report({ flags, input: standardInput(), write, writeError })
      return
    }
    case 'preset': {
      const { preset } = await import('./commands/preset.ts')
      process.exitCode = preset({ flags, write, writeError })
      return
    }
    case 'demo': {
      const { demo } = await import('./commands/demo.ts')
      return demo({ flags, write })
    }
  }
}

const own = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address)

/** More than a pasted request can hold. */
const MAX_INPUT = 1024 * 1024

function standardInput(): AsyncIterable<Buffer> {
  return process.stdin
}

async function readInput(): Promise<string> {
  if (process.stdin.isTTY)
    writeError('Paste an assertion, a header line or a curl command, then press Ctrl-D.\n')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of standardInput()) {
    size += chunk.length
    if (size > MAX_INPUT) throw new Error('standard input is larger than 1 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/**
 * While starting, a signal ends the process at once, with 0: there is nothing yet to end in order. Process 1 of a
 * container would otherwise not hear it. SIGHUP has nothing to reload yet.
 */
function endOnSignal(): { isOver(): void } {
  const end = () => process.exit(0)
  const ignore = () => undefined
  process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', ignore)
  const isOver = () => void process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', ignore)
  return { isOver }
}

function refuseOldNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor))
    return
  throw new Error(
    `Node ${version} is too old; wanted ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer`,
  )
}

async function printHelp(): Promise<void> {
  const { helpText } = await import('./config/reference.ts')
  write(helpText())
}

async function printVersion(): Promise<void> {
  const { readVersion } = await import('./version.ts')
  write(`claimgate ${readVersion()}\n`)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError) {
    for (const { source, message } of error.problems)
      process.stderr.write(`${source}: ${message}\n`)
    process.exitCode = EX_CONFIG
    return
  }
  // A listener that cannot be opened, a file that cannot be read: the system's message says which.
  process.stderr.write(`claimgate: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
