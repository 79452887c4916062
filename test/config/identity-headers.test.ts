import t from 'tap'
import { identityHeaders } from '../../src/config/identity-headers.ts'
import { linesOf, readEnvironment, readFileText, readKind } from '../helpers/settings.ts'

const plain = (header: string, ...claims: string[]) => ({
  header,
  claims,
  separator: ',',
  encoding: 'utf8',
  transforms: [],
  only: [],
  maxBytes: undefined,
})

const BASE = 'upstream: http://127.0.0.1:3000\nroute: https://app.example.com\n'
const read = (yaml: string) =>
  readFileText(`${BASE}identity_headers:${yaml}`).config.identityHeaders
const lines = (yaml: string) => linesOf(() => read(yaml))

t.test('text maps headers to claims; the claim is all after the first =', async (t) => {
  const rows: [string, unknown][] = [
    ['X-A=email', [plain('X-A', 'email')]],
    ['X-A=email,X-B=groups', [plain('X-A', 'email'), plain('X-B', 'groups')]],
    [' X-A = email , X-B=groups'.trim(), [plain('X-A', 'email'), plain('X-B', 'groups')]],
    ['X-A=https://example.com/roles', [plain('X-A', 'https://example.com/roles')]],
    ['X-A=a=b', [plain('X-A', 'a=b')]],
  ]
  for (const [text, wanted] of rows) t.strictSame(readKind(identityHeaders, text), wanted, text)
  for (const text of ['', 'email', 'X-A', '=email', ',', 'X-A=email,'])
    t.match(readKind(identityHeaders, text), { must: /^map headers to claims/ }, text)
  t.match(readKind(identityHeaders, 'X-A='), { must: /^have a value .* for claim for X-A$/ })
})

t.test('YAML maps headers to a claim, to claims, or to the full form', async (t) => {
  t.strictSame(
    read(`
  X-A: email
  X-B: [email, "a,b"]
  X-C:
    claim: groups
    separator: "|"
    encoding: percent
    transform: [lower, local_part]
    only: ["team-*"]
    max_bytes: 4096
  X-D: {claim: sub, separator: space, transform: lower}
`),
    [
      plain('X-A', 'email'),
      plain('X-B', 'email', 'a,b'),
      {
        header: 'X-C',
        claims: ['groups'],
        separator: '|',
        encoding: 'percent',
        transforms: ['lower', 'local_part'],
        only: ['team-*'],
        maxBytes: 4096,
      },
      { ...plain('X-D', 'sub'), separator: 'space', transforms: ['lower'] },
    ],
  )
})

t.test('every fault of every header is reported where it stands', async (t) => {
  t.strictSame(
    lines(`
  Host: email
  X-A: {claim: email, separator: ";", encoding: latin1, max_bytes: 0, seperator: ","}
  X-B: {separator: ","}
  X-C: []
`),
    [
      'config.yaml:4:3: identity_headers must not name a header that frames, routes or secures a request, got "Host"',
      'config.yaml:5:34: identity_headers must be one of: , | space json repeat for separator for X-A, got ";"',
      'config.yaml:5:49: identity_headers must be one of: utf8 percent rfc2047 quoted-printable base64 ascii for encoding for X-A, got "latin1"',
      'config.yaml:5:68: identity_headers must be a whole number from 1 to 65536 for max_bytes for X-A, got "0"',
      'config.yaml:5:71: identity_headers must use only claim, separator, encoding, transform, only, max_bytes for X-A, got "seperator"',
      'config.yaml:6:8: identity_headers must name a claim for X-B, got a map of 1 entry',
      'config.yaml:7:8: identity_headers must have 1 to 1000 items (leave the setting out for none) for claim for X-C, got a list of 0 items',
    ],
  )
})

t.test('two spellings of one name are refused', async (t) => {
  t.strictSame(lines('\n  X-User: email\n  x_user: sub\n'), [
    'config.yaml:5:3: identity_headers must name each header once ("X-User"), got "x_user"',
  ])
  t.match(readKind(identityHeaders, 'X-User=email,x.user=sub'), { must: /^name each header once/ })
})

t.test('a list or nothing is no map', async (t) => {
  for (const yaml of [' [X-A]\n', ' {}\n', '\n'])
    t.match(lines(yaml), [/identity_headers must map headers to claims/], yaml)
})

t.test('the header of the assertion cannot be an identity header', async (t) => {
  const env = {
    CLAIMGATE_ASSERTION_HEADER: 'X-Stamp',
    CLAIMGATE_IDENTITY_HEADERS: 'x_stamp=email,X-B=sub',
  }
  t.strictSame(
    linesOf(() => readEnvironment(env)),
    [
      'env CLAIMGATE_ASSERTION_HEADER: assertion_header must not be one of the identity headers, got "X-Stamp"',
    ],
  )
})
