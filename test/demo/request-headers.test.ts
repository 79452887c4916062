import t from 'tap'
import { demoCookie, forwardedHeaders, withoutHopByHop } from '../../src/demo/request-headers.ts'

const ADDED = ['X-Forwarded-For', '127.0.0.1', 'X-Forwarded-Proto', 'http']
const forwarded = (...raw: string[]): string[] =>
  forwardedHeaders(raw, { assertion: 'fresh', clientAddress: '127.0.0.1' })

t.test('the assertion is added last, after the client headers in their order', async (t) => {
  t.strictSame(forwarded('Host', 'h', 'B', '1', 'a', '2', 'B', '3'), [
    ...['Host', 'h', 'B', '1', 'a', '2', 'B', '3'],
    ...ADDED,
    ...['X-Pomerium-Jwt-Assertion', 'fresh'],
  ])
})

t.test("a client's own assertion is replaced, and moves to -For as in Pomerium", async (t) => {
  t.strictSame(forwarded('x-pomerium-jwt-assertion', 'forged'), [
    ...['X-Pomerium-Jwt-Assertion-For', 'forged'],
    ...ADDED,
    ...['X-Pomerium-Jwt-Assertion', 'fresh'],
  ])
  t.strictSame(forwarded('X-Pomerium-Jwt-Assertion', 'f', 'X-Pomerium-Jwt-Assertion-For', 'mine'), [
    ...['X-Pomerium-Jwt-Assertion-For', 'mine'],
    ...ADDED,
    ...['X-Pomerium-Jwt-Assertion', 'fresh'],
  ])
})

t.test('forged identity headers stay, as Pomerium leaves them', async (t) => {
  const forged = [
    'X-Pomerium-Claim-Email',
    'e',
    'X_Pomerium_Claim_Email',
    'e',
    'X-WEBAUTH-USER',
    'e',
  ]
  t.strictSame(forwarded(...forged).slice(0, 6), forged)
})

t.test("only the stand-in's own cookie goes", async (t) => {
  t.strictSame(forwarded('Cookie', 'a=1; demo_user=bob; b=2').slice(0, 2), ['Cookie', 'a=1; b=2'])
  t.notOk(forwarded('Cookie', 'demo_user=bob').includes('Cookie'))
  t.strictSame(forwarded('Cookie', 'xdemo_user=bob').slice(0, 2), ['Cookie', 'xdemo_user=bob'])
})

t.test('hop-by-hop fields go, also those that Connection names', async (t) => {
  t.strictSame(
    withoutHopByHop([
      ...['Connection', 'keep-alive, X-Private', 'Keep-Alive', 'timeout=5', 'X-Private', '1'],
      ...['TE', 'trailers', 'Upgrade', 'h2c', 'Kept', 'yes'],
    ]),
    ['Kept', 'yes'],
  )
})

t.test('demoCookie reads the login from any Cookie line', async (t) => {
  t.equal(demoCookie(['Cookie', 'a=1', 'cookie', 'b=2; demo_user=bob']), 'bob')
  t.equal(demoCookie(['Cookie', 'demo_users=bob']), undefined)
  t.equal(demoCookie([]), undefined)
})
