import type { Random } from '../random.ts'

/** A member of a JSON object as text: the name with its quotes, the value as it stands. */
export type Member = readonly [name: string, value: string]

export const membersOf = (object: object): Member[] =>
  Object.entries(object).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)])

export const objectText = (members: readonly Member[]): string =>
  `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`

/** Values that stand in the place of any other. */
export const ODD_VALUES = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '1',
  '""',
  '" "',
  '"x"',
  '[]',
  '[""]',
  '[null]',
  '{}',
  '{"a":1}',
  '[[]]',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e"',
] as const

/** Values by the name of their member, beside the odd ones. */
export type Catalogue = Readonly<Record<string, readonly string[]>>

/** One change to the members of an object: value, place, name, absence, repetition. */
export function editMembers(
  random: Random,
  members: readonly Member[],
  catalogue: Catalogue,
): Member[] {
  const names = Object.keys(catalogue)
  const name = JSON.stringify(random.pick(names))
  const value = valueFor(random, name, catalogue)
  const at = members.findIndex(([each]) => each === name)
  const rest = members.filter((_, i) => i !== at)
  const own = members[at]
  const somewhere = (member: Member): Member[] =>
    rest.toSpliced(random.int(rest.length + 1), 0, member)
  return random.weighted<() => Member[]>([
    [60, () => (own === undefined ? somewhere([name, value]) : members.with(at, [name, value]))],
    [8, () => rest],
    [8, () => [...members, [name, value]]],
    [8, () => [[name, value], ...members]],
    [6, () => somewhere([respell(random, name), own?.[1] ?? value])],
    [4, () => [...members, [respell(random, name), value]]],
    [3, () => somewhere(['"__proto__"', `{${name}:${value}}`])],
    [3, () => rest.toSorted(() => random.int(3) - 1).concat(own === undefined ? [] : [own])],
  ])()
}

function valueFor(random: Random, name: string, catalogue: Catalogue): string {
  const known = catalogue[JSON.parse(name)] ?? []
  if (known.length > 0 && random.chance(75)) return random.pick(known)
  if (random.chance(60)) return random.pick(ODD_VALUES)
  return JSON.stringify(random.text(random.int(12), 'ab.*/:@-_ \u0000é\u{1f600}'))
}

/** The same name to a careless reader, or to JSON. */
function respell(random: Random, name: string): string {
  const text: string = JSON.parse(name)
  return random.pick([
    name.toUpperCase(),
    `"${text.replace(/./g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`,
    `"${text} "`,
    `" ${text}"`,
    `"${text}\\u0000"`,
    `"${text}\\u200b"`,
    `"${text.replace('s', '\\u017f')}"`,
    `"/${text}"`,
  ])
}

/** One change to a JSON text as a whole: what stands around it, in it, and what its bytes are. */
export function editJsonText(random: Random, text: string): Buffer {
  const at = random.int(text.length + 1)
  const inserted = (bytes: string | Buffer) =>
    Buffer.concat([
      Buffer.from(text.slice(0, at)),
      Buffer.from(bytes as string),
      Buffer.from(text.slice(at)),
    ])
  return random.weighted<() => Buffer>([
    [4, () => Buffer.from(`\ufeff${text}`)],
    [4, () => Buffer.from(`[${text}]`)],
    [4, () => Buffer.from(text + random.pick([' ', '\n', '\0', ',', '}', '{}', '//', text]))],
    [4, () => Buffer.from(random.pick([' ', '\r\n', '\t', '\v', '\u00a0']) + text)],
    [4, () => Buffer.from(text.slice(0, at))],
    [8, () => inserted(random.pick(['\0', '"', '\\', ',', ':', '}', ' ', '\n', '\u2028', "'"]))],
    [8, () => inserted(Buffer.of(random.pick([0x80, 0xc0, 0xed, 0xf5, 0xff, 0xfe])))],
    [4, () => Buffer.from(text.replaceAll(',', ' ,\t').replaceAll('":', '" :\n'))],
    [4, () => Buffer.from(text.replace('{', `{"deep":${nest(random, 120 + random.int(16))},`))],
    [2, () => Buffer.from(random.pick(['', 'null', '1', '""', '{}', '[]', 'true', '"{}"']))],
    [2, () => Buffer.from(text, 'utf16le')],
  ])()
}

function nest(random: Random, depth: number): string {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  const core = random.pick(['1', '[]', '""'])
  return open.repeat(depth) + core + close.repeat(depth)
}
