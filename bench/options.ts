import { parseArgs } from 'node:util'
import { PARTS, type PartName } from './parts/all.ts'

export const USAGE = `usage: npm run bench -- [options]
  --only NAME,...    these proxies alone (see bench/peers/all.ts)
  --part NAME,...    ${Object.keys(PARTS).join(', ')}; default: saturation; "all" for all
  --rounds N         rounds of each part; default 9
  --quick            few requests and 2 rounds: shows that everything works, measures nothing
  --docs             write tables and plot into docs/
  --from FILE        measure nothing, take this result (with --docs)
`

export interface Options {
  readonly only: readonly string[] | undefined
  readonly parts: readonly PartName[]
  readonly rounds: number
  readonly scale: number
  readonly intoDocs: boolean
  readonly from: string | undefined
}

const QUICK = { rounds: 2, scale: 0.02 }
const MOST_ROUNDS = 100

const listOf = (text: string | undefined): readonly string[] | undefined => text?.split(',')

/** @throws Error with what is wrong and the usage. */
export function readOptions(args: readonly string[], peers: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      part: { type: 'string', default: 'saturation' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      docs: { type: 'boolean', default: false },
      from: { type: 'string' },
    },
  })
  const only = listOf(values.only)
  const known = Object.keys(PARTS)
  const parts = values.part === 'all' ? known : (listOf(values.part) ?? [])
  for (const name of only ?? []) refuseUnknown('--only', name, peers)
  for (const name of parts) refuseUnknown('--part', name, known)
  const rounds = Number(values.rounds ?? (values.quick ? QUICK.rounds : 9))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS)
    throw new Error(`--rounds must be an integer from 1 to ${MOST_ROUNDS}\n${USAGE}`)
  return {
    only,
    parts: parts as PartName[],
    rounds,
    scale: values.quick ? QUICK.scale : 1,
    intoDocs: values.docs,
    from: values.from,
  }
}

function refuseUnknown(option: string, name: string, known: readonly string[]): void {
  if (!known.includes(name))
    throw new Error(`${option} ${name} is not one of ${known.join(', ')}\n${USAGE}`)
}
