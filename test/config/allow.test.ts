import t from 'tap'
import { linesOf, readEnvironment, readFileText } from '../helpers/settings.ts'

const BASE = 'upstream: http://127.0.0.1:3000\nroute: https://app.example.com\n'

const read = (allow: string) => readFileText(`${BASE}allow: ${allow}\n`)

t.test('allow is read into entries', async (t) => {
  const { config } = read(
    '\n  - paths: [/, /healthz, /admin/*]\n    methods: [GET, M-SEARCH]\n    claims:\n      groups: [admins, 1001]\n      email: ["*@example.com"]\n  - paths: ["/*"]',
  )
  t.strictSame(config.allow, [
    {
      paths: ['/', '/healthz', '/admin/*'],
      methods: ['GET', 'M-SEARCH'],
      claims: [
        { claim: 'groups', globs: ['admins', '1001'] },
        { claim: 'email', globs: ['*@example.com'] },
      ],
    },
    { paths: ['/*'], methods: undefined, claims: [] },
  ])
})

t.test('without it there is no rule', async (t) => {
  t.equal(readEnvironment().config.allow, undefined)
})

t.test('flags and environment have no form for it', async (t) => {
  for (const text of ['admins', '[{"paths":["/*"]}]', 'off'])
    t.match(
      linesOf(() => readEnvironment({ CLAIMGATE_ALLOW: text })),
      [
        /^env CLAIMGATE_ALLOW: allow must be a list of entries with paths, methods or claims, in the YAML file; flags and environment have no form for it, got "/,
      ],
    )
})

const refused: readonly (readonly [allow: string, message: RegExp])[] = [
  ['[]', /allow must have 1 to 1000 entries .*, got a list of 0 items/],
  ['[{}]', /allow must have entries with paths, methods or claims, got a map of 0 entries/],
  ['[""]', /must have entries with paths, methods or claims, got an empty value/],
  ['[[]]', /must have entries with paths, methods or claims, got a list of 0 items/],
  ['{groups: [a]}', /must be a list of entries .*, got a map of 1 entry/],
  ['[{claims: {}}]', /must map claims to lists of globs, .* for claims, got a map of 0 entries/],
  ['[{claims: [groups]}]', /must map claims to lists of globs/],
  ['[{claims: }]', /must map claims to lists of globs, .* for claims, got an empty value/],
  ['[{claims: {groups: []}}]', /must have 1 to 1000 items .* for groups for claims/],
  ['[{claims: {groups: admins}}]', /must be a YAML list of globs for groups for claims/],
  ['[{claims: {name: "Doe, Jane"}}]', /must be a YAML list of globs for name for claims/],
  ['[{claims: {groups: [""]}}]', /must have a value/],
  ['[{claims: {groups: [[a]]}}]', /must be one glob for groups for claims/],
  ['[{claims: {"": [a]}}]', /must name a claim/],
  ['[{paths: []}]', /must have 1 to 1000 items .* for paths/],
  ['[{paths: /a}]', /must be a YAML list of paths for paths, got "\/a"/],
  ['[{paths: [a]}]', /must be an exact path .* for paths, got "a"/],
  ['[{methods: []}]', /must have 1 to 1000 items .* for methods/],
  ['[{methods: [get]}]', /must be a method in upper case, such as GET for methods, got "get"/],
  ['[{methods: ["*"]}]', /must be a method in upper case/],
  ['[{groups: [admins]}]', /must use only paths, methods, claims, got "groups"/],
]

for (const [allow, message] of refused)
  t.test(`allow: ${allow} is refused`, async (t) => {
    t.match(
      linesOf(() => read(allow)),
      [message],
    )
    t.match(linesOf(() => read(allow))[0], /^config\.yaml:3:\d+: /)
  })

t.test('all problems are told, each with its place', async (t) => {
  const lines = linesOf(() => read('\n  - paths: [a]\n    methods: [get]\n  - claim: {a: [b]}'))
  t.match(lines, [/^config\.yaml:4:13: /, /^config\.yaml:5:15: /, /^config\.yaml:6:5: /])
})

const paths: readonly (readonly [path: string, isRead: boolean])[] = [
  ['/*', true],
  ['/', true],
  ['/admin/*', true],
  ['/a%20b/*', true],
  ['/a/b.c/*', true],
  ['/admin*', false],
  ['/*/x', false],
  ['/admin/**', false],
  ['/admin//*', false],
  ['//*', false],
  ['/a/../*', false],
  ['/a%2fb/*', false],
  ['/a%2eb/*', false],
  ['/a%25b/*', false],
  ['/a%3bb/*', false],
  ['/a;b/*', false],
  ['/a?b/*', false],
  ['*', false],
]

for (const [path, isRead] of paths)
  t.test(`the path ${path} is ${isRead ? 'read' : 'refused'}`, async (t) => {
    const lines = linesOf(() => read(`[{paths: ["${path}"]}]`))
    if (isRead) t.strictSame(lines, [])
    else t.match(lines, [/must be an exact path such as \/healthz or a prefix such as \/admin\/\*/])
  })

t.test('check shows entries apart from each other', async (t) => {
  const { values } = read('[{paths: [/a], claims: {groups: [x, y]}}, {methods: [GET]}]')
  t.equal(
    values.find(({ name }) => name === 'allow')?.value,
    '{paths=[/a], claims={groups=[x, y]}}, {methods=[GET]}',
  )
})
