/** Names a corpus value may refer to: `@iss` in it becomes `names.iss`. */
export type Names = Readonly<Record<string, string>>

type Maker = (argument: never, context: Context) => unknown

export interface Context {
  readonly names: Names
  /** Seconds since the epoch. */
  readonly now: number
}

/** JSON text to be written as it is. */
export class RawJson {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const MAKERS: Readonly<Record<string, Maker>> = {
  $null: () => null,
  $now: (seconds: number, { now }) => now + seconds,
  $now_float: (seconds: number, { now }) => now + seconds,
  $now_string: (seconds: number, { now }) => String(now + seconds),
  $now_ms: (seconds: number, { now }) => (now + seconds) * 1000,
  $raw: (text: string) => new RawJson(text),
  $repeat: ([value, times]: [unknown, number]) => Array.from({ length: times }, () => value),
  $repeat_string: ([text, times]: [string, number]) => text.repeat(times),
  $nest: (depth: number) => nest(depth),
  $nest_json: (depth: number) => new RawJson('['.repeat(depth) + ']'.repeat(depth)),
  $upper: (text: string, { names }) => substitute(text, names).toUpperCase(),
  $substr: ([text, from, to]: [string, number, number], { names }) =>
    substitute(text, names).slice(from, to),
  $homoglyph: (text: string, { names }) => substitute(text, names).replace('a', '\u0430'),
  $hex: (hex: string) => Buffer.from(hex, 'hex'),
}

/** A corpus value with every `$maker` run and every `@name` replaced. */
export function resolve(value: unknown, context: Context): unknown {
  if (typeof value === 'string') return substitute(value, context.names)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => resolve(item, context))
  const [[name, argument] = ['', undefined], ...more] = Object.entries(value)
  const make = more.length === 0 ? MAKERS[name] : undefined
  if (make !== undefined) return make(argument as never, context)
  if (name.startsWith('$')) throw new Error(`unknown maker ${name}`)
  const resolved: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) resolved[key] = resolve(member, context)
  return resolved
}

export function substitute(text: string, names: Names): string {
  return text.replace(/@(?:aud|iss|kid|iat|exp)(?![a-z])/g, (name) => names[name.slice(1)] ?? name)
}

function nest(depth: number): unknown {
  let value: unknown = []
  for (let i = 1; i < depth; i += 1) value = [value]
  return value
}

/** As `JSON.stringify`, with {@link RawJson} written as it is. */
export function toJson(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`).join(',')}}`
}
