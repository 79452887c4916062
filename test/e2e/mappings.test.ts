import t from 'tap'
import type { IdentityHeader } from '../../src/config/config.ts'
import { fieldsOf, openBlackBox } from '../helpers/black-box.ts'
import { requestBytes } from '../helpers/claimgate.ts'
import { codeOf } from '../helpers/raw-client.ts'
import { readEnvironment, readFileText } from '../helpers/settings.ts'

const BASE = 'upstream: http://127.0.0.1:1\nroute: https://app.example.com\nidentity_headers:\n'
const mapping = (yaml: string): readonly IdentityHeader[] =>
  readFileText(`${BASE}  X-T: ${yaml}\n`).config.identityHeaders

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const ZOE = 'Zoë ∑ 100% =?'
const ROLES = 'https://example.com/roles'

type Row = [
  name: string,
  yaml: string,
  claims: Record<string, unknown>,
  /** The lines of X-T as they arrive; `refused`: 401. */
  wanted: readonly string[] | 'refused',
  dropped?: number,
]

const rows: readonly Row[] = [
  ['the first claim that is not empty', '[nick, email, sub]', { nick: '' }, ['ann@example.com']],
  ['the first of all', '[nick, email]', { nick: 'zed' }, ['zed']],
  ['a list of nothing is empty', '[nick, sub]', { nick: ['', null] }, ['user-1']],
  ['no claim at all', '[nick, other]', {}, []],
  ['a literal name before the path', 'a.b', { 'a.b': 'name', a: { b: 'path' } }, ['name']],
  ['a dotted path', 'a.b.c', { a: { b: { c: 'deep' } } }, ['deep']],
  ['a claim named like a URL', ROLES, { [ROLES]: ['r1', 'r2'] }, ['r1,r2']],
  ['numbers and booleans', '{claim: v, separator: "|"}', { v: [1.5, true, 0] }, ['1.5|true|0']],
  ['comma', 'v', { v: ['a b', 'c|d', 'e,f'] }, ['a b,c|d'], 1],
  ['bar', '{claim: v, separator: "|"}', { v: ['a b', 'c|d', 'e,f'] }, ['a b|e,f'], 1],
  ['space', '{claim: v, separator: space}', { v: ['a b', 'c|d', 'e,f'] }, ['c|d e,f'], 1],
  ['json', '{claim: v, separator: json}', { v: ['a b', 'e,f'] }, ['["a b","e,f"]']],
  ['an object as json', '{claim: v, separator: json}', { v: { k: ['x'] } }, ['{"k":["x"]}']],
  ['repeat', '{claim: v, separator: repeat}', { v: ['a', 'b', 'e,f'] }, ['a', 'b'], 1],
  ['a comma in one value', 'v', { v: 'Doe, Jane' }, ['Doe, Jane']],
  ['utf8', '{claim: v, encoding: utf8}', { v: ZOE }, [latin1(ZOE)]],
  ['percent', '{claim: v, encoding: percent}', { v: ZOE }, ['Zo%C3%AB %E2%88%91 100%25 =?']],
  [
    'quoted-printable',
    '{claim: v, encoding: quoted-printable}',
    { v: ZOE },
    ['Zo=C3=AB =E2=88=91 100% =3D?'],
  ],
  [
    'rfc2047',
    '{claim: v, encoding: rfc2047}',
    { v: ZOE },
    [`=?UTF-8?B?${Buffer.from(ZOE).toString('base64')}?=`],
  ],
  ['base64', '{claim: v, encoding: base64}', { v: ZOE }, [Buffer.from(ZOE).toString('base64')]],
  ['ascii', '{claim: v, encoding: ascii}', { v: 'Zoe' }, ['Zoe']],
  ['ascii of another letter', '{claim: v, encoding: ascii}', { v: 'Zoë' }, 'refused'],
  ['lower', '{claim: v, transform: lower}', { v: ['AnN', 'ÄB'] }, [latin1('ann,Äb')]],
  ['local_part', '{claim: email, transform: local_part}', {}, ['ann']],
  ['both', '{claim: v, transform: [local_part, lower]}', { v: 'ANN@Example.com' }, ['ann']],
  ['two @', '{claim: v, transform: local_part}', { v: 'a@b@c' }, 'refused'],
  [
    'only',
    '{claim: v, only: [app-*, admin]}',
    { v: ['app-1', 'x', 'admin', 'z'] },
    ['app-1,admin'],
  ],
  ['only, and none is left', '{claim: v, only: [app-*]}', { v: ['x'] }, []],
  ['max_bytes, just so', '{claim: v, max_bytes: 4}', { v: 'ëë' }, [latin1('ëë')]],
  ['max_bytes, one too many', '{claim: v, max_bytes: 4}', { v: 'ëëx' }, 'refused'],
  ['a list in a list', 'v', { v: [['a']] }, 'refused'],
  ['an object', 'v', { v: { k: 1 } }, 'refused'],
  ['a line end', 'v', { v: 'a\r\nX-Admin: yes' }, 'refused'],
  ['a blank at an end', 'v', { v: 'a ' }, 'refused'],
]

const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']

for (const [name, yaml, claims, wanted, dropped = 0] of rows)
  t.test(`${name}: on a request and on a handshake`, async (t) => {
    const { claimgate, send } = await openBlackBox(t, { identityHeaders: mapping(yaml) })
    for (const more of [[], HANDSHAKE]) {
      const lines = ['X-T: forged', 'x_t: forged', ...more]
      const { status, answer, upstream } = await send(
        requestBytes(claimgate.assertion(claims), { lines }),
      )
      if (wanted === 'refused') {
        t.equal(status, 401)
        t.equal(codeOf(answer), 'ERR_ASSERTION_CLAIM')
        t.equal(upstream, '')
        t.notMatch(answer, /Zo|admin/i, 'the answer holds no claim')
        continue
      }
      t.equal(status, more.length > 0 ? 101 : 200)
      t.strictSame(fieldsOf(upstream).get('x-t') ?? [], wanted)
      t.notMatch(upstream, 'forged')
    }
    t.equal(await metric(claimgate.adminPort, 'claimgate_dropped_items_total'), 2 * dropped)
  })

/** Counted at the end of a request, which for a tunnel is when its connection has closed. */
async function metric(port: number, name: string): Promise<number> {
  const deadline = Date.now() + 5_000
  for (;;) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const isOver = text.includes('\nclaimgate_requests_in_flight 0\n')
    if (isOver) return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
    if (Date.now() > deadline) throw new Error('a request does not end')
  }
}

t.test('five hundred groups arrive in one line, in their order', async (t) => {
  const groups = Array.from({ length: 500 }, (_, i) => `0d6f9e3a-2c41-4b7e-9a55-${10 ** 11 + i}`)
  const { claimgate, send } = await openBlackBox(t, { identityHeaders: mapping('groups') })
  const assertion = claimgate.assertion({ groups: [...groups, 'one, with a comma'] })
  const { status, upstream } = await send(requestBytes(assertion))
  t.equal(status, 200)
  t.strictSame(fieldsOf(upstream).get('x-t'), [groups.join(',')])
  t.equal(await metric(claimgate.adminPort, 'claimgate_dropped_items_total'), 1)
})

t.test('a claim named like a URL can be said in the environment, too', async (t) => {
  const env = { CLAIMGATE_IDENTITY_HEADERS: `X-Roles=${ROLES},X-User=email` }
  const { identityHeaders } = readEnvironment(env).config
  const { claimgate, send } = await openBlackBox(t, { identityHeaders })
  const { upstream } = await send(requestBytes(claimgate.assertion({ [ROLES]: ['a', 'b'] })))
  t.strictSame(fieldsOf(upstream).get('x-roles'), ['a,b'])
  t.strictSame(fieldsOf(upstream).get('x-user'), ['ann@example.com'])
})
