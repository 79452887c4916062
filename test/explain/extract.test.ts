import t from 'tap'
import { extractHeaders } from '../../src/explain/extract.ts'

const HEADER = 'X-Pomerium-Jwt-Assertion'
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln-_9'

const found = (text: string, header = HEADER) => extractHeaders(text, header)

t.test('finds the assertion in whatever a person has at hand', async (t) => {
  for (const text of [
    TOKEN,
    ` ${TOKEN}\n`,
    `${HEADER}: ${TOKEN}`,
    `${HEADER}:${TOKEN}\r\n`,
    `> GET / HTTP/1.1\n> Host: app.example.com\n> ${HEADER}: ${TOKEN}\n> Accept: */*\n`,
    `curl -H '${HEADER}: ${TOKEN}' https://app.example.com/`,
    `curl 'https://app.example.com/' -H 'accept: */*' --header "${HEADER}: ${TOKEN}" --insecure`,
    `curl -H ${HEADER}: ${TOKEN} https://app.example.com/`,
    JSON.stringify({ headers: { Host: 'app.example.com', [HEADER]: TOKEN } }),
    JSON.stringify({ args: {}, headers: { Host: ['a'], [HEADER]: [TOKEN] }, url: 'x' }, null, 2),
    `"${HEADER}": "${TOKEN}",`,
  ])
    t.strictSame(found(text), [HEADER, TOKEN], text)
})

t.test('keeps the spelling, since another one is no assertion', async (t) => {
  t.strictSame(found(`x-pomerium-jwt-assertion: ${TOKEN}`), ['x-pomerium-jwt-assertion', TOKEN])
  t.strictSame(found(`X_Pomerium_Jwt_Assertion: ${TOKEN}`), ['X_Pomerium_Jwt_Assertion', TOKEN])
  t.strictSame(found(`X-Pomerium-Jwt-Assertion-For: ${TOKEN}`), [])
  t.strictSame(found(`Not-${HEADER}: ${TOKEN}`), [])
})

t.test('every assertion of the request is found', async (t) => {
  const twice = [HEADER, TOKEN, HEADER, 'a.b.c']
  t.strictSame(found(`${HEADER}: ${TOKEN}\n${HEADER}: a.b.c\n`), twice)
  t.strictSame(found(JSON.stringify({ headers: { [HEADER]: [TOKEN, 'a.b.c'] } })), twice)
  t.strictSame(found(`${HEADER}: ${TOKEN}, ${TOKEN}`), [HEADER, `${TOKEN}, ${TOKEN}`])
})

t.test('an empty assertion is one, a request without it has none', async (t) => {
  t.strictSame(found(`${HEADER}:`), [HEADER, ''])
  t.strictSame(found(`curl -H '${HEADER};' https://x/`), [HEADER, ''])
  t.strictSame(found(JSON.stringify({ headers: { [HEADER]: '' } })), [HEADER, ''])
  t.strictSame(found(''), [HEADER, ''])
  t.strictSame(found('{"headers": {"Host": "app.example.com"}}'), [])
  t.strictSame(found('curl https://app.example.com/'), [])
  t.strictSame(found('GET / HTTP/1.1\nHost: app.example.com\n'), [])
})

t.test('what is no request is judged as it stands', async (t) => {
  for (const text of ['a.b', '{"payload":"e30","signatures":[]}', 'a b', `Bearer ${TOKEN}`])
    t.strictSame(found(text), [HEADER, text])
})

t.test('in Authorization the assertion has its scheme', async (t) => {
  const wanted = ['Authorization', `Bearer ${TOKEN}`]
  for (const text of [
    TOKEN,
    `Bearer ${TOKEN}`,
    `Authorization: Bearer ${TOKEN}`,
    `curl -H Authorization: Bearer ${TOKEN} https://x/`,
    `curl -H "Authorization: Bearer ${TOKEN}" https://x/`,
  ])
    t.strictSame(found(text, 'Authorization'), wanted, text)
})
