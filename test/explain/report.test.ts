import t from 'tap'
import { PRESETS } from '../../src/config/presets.ts'
import { examine } from '../../src/explain/examine.ts'
import { createReport, reportJson, reportText } from '../../src/explain/report.ts'
import { createKey, memoryKeySet, verificationKey } from '../helpers/keys.ts'
import { HOST, type Members, mint, NOW, NOW_MS, partsOf } from '../helpers/mint.ts'

const HEADER = 'X-Pomerium-Jwt-Assertion'
const key = createKey('ES256', 'k1')
const held = [await verificationKey(key)]
const config = {
  assertionHeader: HEADER,
  issuers: [HOST, `https://${HOST}/`],
  audiences: [HOST],
  algorithms: ['ES256'],
  clockSkew: 60_000,
  maxAssertionAge: undefined,
  allowAnonymous: false,
  identityHeaders: PRESETS.pomerium.headers,
}

async function report(token: string, holding: 'keys' | 'no keys' = 'keys') {
  const keys = holding === 'keys' ? held : undefined
  const headers = [HEADER, token]
  const examination = await examine(headers, { config, keySet: memoryKeySet(keys), now: NOW_MS })
  const failure = keys === undefined ? 'it is gone; give the CA in jwks_ca_file' : undefined
  const keySet = { setting: 'jwks_file', name: 'k.pem', kids: ['k1', null], failure } as const
  return createReport(examination, {
    config,
    now: NOW_MS,
    isDerived: () => true,
    notJudged: ['allow'],
    keySet,
  })
}

const text = async (claims: Members, by = key) =>
  reportText(await report(mint({ key: by, claims })))

t.test('an accepted one: every check, then the headers with their sizes', async (t) => {
  t.equal(
    (await text({ name: 'Ana Kovač', groups: ['a,b', 'ops'] })).replace(
      /, \d+ bytes\n/,
      ', N bytes\n',
    ),
    `ACCEPTED
clock here: 2027-01-15T08:00:00.000Z

✓ header      X-Pomerium-Jwt-Assertion, N bytes
✓ form        a compact JWS, in its one spelling
✓ algorithm   alg "ES256"
✓ extensions  none
✓ key         kid "k1", jwks_file k.pem
✓ signature   made with that key
✓ claims      a JSON object, 11 claims
✓ issuer      iss "grafana.example.com"
✓ audience    aud "grafana.example.com"
✓ expiry      exp 2027-01-15T08:05:00Z, in 5 min
✓ not before  nbf absent
✓ issued at   iat 2027-01-15T08:00:00Z, now
✓ subject     sub "user-1"
✓ identity    5 headers

identity headers (167 bytes together):
  X-Pomerium-Claim-Sub: user-1  (6 bytes)
  X-Pomerium-Claim-User: user-1  (6 bytes)
  X-Pomerium-Claim-Email: ann@example.com  (15 bytes)
  X-Pomerium-Claim-Name: Ana Kovač  (10 bytes)
  X-Pomerium-Claim-Groups: ops  (3 bytes)
  left out, since they hold the separator: 1 list items

not judged, since it takes a request: allow
`,
  )
})

t.test('a refused one: what is wanted, the code, and one setting for each side', async (t) => {
  const shown = await text({ aud: 'other.example.com', exp: NOW - 180 })
  t.match(
    shown,
    /^REFUSED with 401 ERR_ASSERTION_AUDIENCE: The assertion is meant for another audience\n/,
  )
  t.match(
    shown,
    `✗ audience    aud "other.example.com"
              wanted: "grafana.example.com"
              ERR_ASSERTION_AUDIENCE: aud is not expected
              → claimgate: route (the from URL of this app's route)
              → Pomerium: the route's to (`,
  )
  t.match(shown, '✗ expiry      exp 2027-01-15T07:57:00Z, 3 min ago\n')
  t.match(shown, 'wanted: later than 2027-01-15T07:59:00Z (now less clock_skew 1 min)\n')
  t.match(shown, 'identity headers, were it accepted (')
})

t.test('the other dates say how far off the clocks are', async (t) => {
  const shown = await text({ iat: NOW + 300, nbf: NOW + 300 })
  t.match(shown, '✗ issued at   iat 2027-01-15T08:05:00Z, in 5 min\n')
  t.match(shown, 'wanted: 2027-01-15T08:01:00Z at the latest (now and clock_skew 1 min)\n')
  t.match(shown, '✗ not before  nbf 2027-01-15T08:05:00Z, in 5 min\n')
})

t.test('what no signature vouches for is said to be so', async (t) => {
  const shown = await text({}, createKey('ES256', 'k1'))
  t.match(shown, /✗ signature\n[^✓]*\n {2}\(nobody vouches for what follows[^\n]*\)\n✓ claims/)
  t.notMatch(shown, 'identity headers')
  t.match(shown, '– identity    not reached\n')
})

t.test('an unknown key is told with those that are known', async (t) => {
  const shown = await text({}, createKey('ES256', 'k9'))
  t.match(
    shown,
    '✗ key         kid "k9", jwks_file k.pem\n              wanted: "k1", a key without kid\n',
  )
})

t.test('without keys it tells why and which setting helps', async (t) => {
  const shown = reportText(await report(mint({ key }), 'no keys'))
  t.match(shown, /^REFUSED with 503 ERR_KEY_SET_UNAVAILABLE/)
  t.match(shown, 'ERR_KEY_SET_UNAVAILABLE: it is gone; give the CA in jwks_ca_file\n')
  t.match(shown, '→ claimgate: jwks_ca_file (')
})

t.test('the JSON has the same, by names', async (t) => {
  const token = mint({ key, claims: { iss: 'pomerium-proxy' } })
  const json = JSON.parse(reportJson(await report(token)))
  t.match(json, { verdict: 'refused', code: 'ERR_ASSERTION_ISSUER', status: 401, verified: true })
  const { checks } = json as { checks: { check: string }[] }
  t.match(
    checks.find(({ check }) => check === 'issuer'),
    {
      result: 'failed',
      claim: 'iss',
      seen: 'iss "pomerium-proxy"',
      wanted: '"grafana.example.com" or "https://grafana.example.com/"',
      changes: [{ side: 'claimgate', setting: 'route' }, { side: 'Pomerium' }],
    },
  )
  t.equal(json.headers.length, 5)
})

t.test('the signature is in neither, whatever became of it', async (t) => {
  for (const by of [key, createKey('ES256', 'k1'), createKey('ES384', 'k1')]) {
    const token = mint({ key: by })
    const told = await report(token)
    for (const output of [reportText(told), reportJson(told)])
      for (const part of partsOf(token)) t.notMatch(output, part.slice(0, 20))
  }
  const broken = await report(`${mint({ key })}=`)
  t.notMatch(reportJson(broken), 'eyJ')
})

t.test('values of the token cannot write to the terminal', async (t) => {
  const shown = await text({ iss: '\u001b[2J\u009b', email: 'ann@example.com\u202e' })
  for (const char of ['\u001b', '\u009b', '\u202e']) t.notOk(shown.includes(char))
})
