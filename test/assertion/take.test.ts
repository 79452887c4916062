import t from 'tap'
import { parseCompact } from '../../src/assertion/compact.ts'
import { MAX_ASSERTION_SIZE, takeAssertion } from '../../src/assertion/take.ts'
import { anyHeader } from '../helpers/any-header.ts'

const NAME = 'X-Pomerium-Jwt-Assertion'
const TOKEN = 'aaaa.bbbb.cccc'
const LONGEST = `aaaa.${'b'.repeat(MAX_ASSERTION_SIZE - 10)}.cccc`

const taken: readonly (readonly [string, readonly string[], string])[] = [
  ['the only one', [NAME, TOKEN], TOKEN],
  ['one in lower case', ['Host', 'x', 'x-pomerium-jwt-assertion', TOKEN, 'Accept', '*'], TOKEN],
  ['one between blanks', [NAME, ` \t ${TOKEN}\t `], TOKEN],
  ['one with an empty payload', [NAME, 'aaaa..cccc'], 'aaaa..cccc'],
  ['one without a signature', [NAME, 'aaaa.bbbb.'], 'aaaa.bbbb.'],
  ['one beside the -For header', [`${NAME}-For`, 'x', NAME, TOKEN], TOKEN],
  ['one beside a name of the same length', ['X-Pomerium-Jwt-Assertiom', 'x', NAME, TOKEN], TOKEN],
  ['one whose text is also a value elsewhere', ['X-A', NAME, NAME, TOKEN], TOKEN],
  ['one of the greatest length', [NAME, LONGEST], LONGEST],
]

for (const [what, headers, token] of taken) {
  t.test(`takeAssertion() takes ${what}`, async (t) => {
    t.equal(takeAssertion(headers, NAME), token)
  })
}

const refused: readonly (readonly [string, readonly string[], string])[] = [
  ['no fields', [], 'ERR_ASSERTION_MISSING'],
  ['other fields', ['Host', NAME, 'Cookie', TOKEN], 'ERR_ASSERTION_MISSING'],
  ['the -For header alone', [`${NAME}-For`, TOKEN], 'ERR_ASSERTION_MISSING'],
  ['underscores alone', ['X_Pomerium_Jwt_Assertion', TOKEN], 'ERR_ASSERTION_MISSING'],
  ['dots alone', ['x.pomerium.jwt.assertion', TOKEN], 'ERR_ASSERTION_MISSING'],
  ['an empty value', [NAME, ''], 'ERR_ASSERTION_EMPTY'],
  ['a blank value', [NAME, ' \t '], 'ERR_ASSERTION_EMPTY'],
  ['two fields', [NAME, TOKEN, NAME, TOKEN], 'ERR_ASSERTION_DUPLICATE'],
  ['two cases', [NAME, TOKEN, NAME.toUpperCase(), 'x'], 'ERR_ASSERTION_DUPLICATE'],
  ['an empty field first', [NAME, '', NAME, TOKEN], 'ERR_ASSERTION_DUPLICATE'],
  [
    'another spelling first',
    ['X_Pomerium-Jwt-Assertion', 'x', NAME, TOKEN],
    'ERR_ASSERTION_DUPLICATE',
  ],
  [
    'another spelling last',
    [NAME, TOKEN, 'x_pomerium_jwt_assertion', 'x'],
    'ERR_ASSERTION_DUPLICATE',
  ],
  ['two joined by a comma', [NAME, `${TOKEN},${TOKEN}`], 'ERR_ASSERTION_DUPLICATE'],
  ['two joined by a comma and a blank', [NAME, `${TOKEN}, ${TOKEN}`], 'ERR_ASSERTION_DUPLICATE'],
  ['a comma at the end', [NAME, `${TOKEN},`], 'ERR_ASSERTION_DUPLICATE'],
  ['one byte too many', [NAME, `${LONGEST}c`], 'ERR_ASSERTION_TOO_LARGE'],
  ['too much of anything', [NAME, ','.repeat(200_000)], 'ERR_ASSERTION_TOO_LARGE'],
]

for (const [what, headers, code] of refused) {
  t.test(`takeAssertion() refuses ${what}: ${code}`, async (t) => {
    t.throws(() => takeAssertion(headers, NAME), { code, status: 401 })
  })
}

/** Taken, since it is the only one; but no text of this form can be a compact JWS, whatever its header part holds. */
const formless: readonly (readonly [string, readonly string[]])[] = [
  ['one part', [NAME, 'aaaa']],
  ['two parts', [NAME, 'aaaa.bbbb']],
  ['four parts', [NAME, `${TOKEN}.`]],
  ['five parts', [NAME, 'a.a.a.a.a']],
  ['an empty header part', [NAME, '.bbbb.cccc']],
  ['padding', [NAME, `${TOKEN}=`]],
  ['the standard alphabet', [NAME, 'aa+a.bb/b.cccc']],
  ['a blank inside', [NAME, 'aaaa. bbbb.cccc']],
  ['a line break at the end', [NAME, `${TOKEN}\n`]],
  ['a no-break space at the end', [NAME, `${TOKEN}\u00a0`]],
  ['JSON', [NAME, '{"payload":"a","signatures":[]}']],
  ['a scheme', [NAME, `Bearer ${TOKEN}`]],
]

for (const [what, headers] of formless) {
  t.test(`parseCompact() refuses ${what} that takeAssertion() took`, async (t) => {
    const assertion = takeAssertion(headers, NAME)
    const refusal = { code: 'ERR_ASSERTION_MALFORMED', status: 401 }
    t.throws(() => parseCompact(assertion, anyHeader), refusal)
  })
}

t.test('parseCompact() refuses a second blank behind Bearer', async (t) => {
  const assertion = takeAssertion(['Authorization', `Bearer  ${TOKEN}`], 'Authorization')
  const refusal = { code: 'ERR_ASSERTION_MALFORMED', status: 401 }
  t.throws(() => parseCompact(assertion, anyHeader), refusal)
  t.type(parseCompact(TOKEN, anyHeader), 'object')
})

const authorization: readonly (readonly [readonly string[], string])[] = [
  [['Authorization', `Bearer ${TOKEN}`], TOKEN],
  [['authorization', `bearer ${TOKEN}`], TOKEN],
  [['AUTHORIZATION', `BEARER ${TOKEN} `], TOKEN],
  [['Authorization', `Basic ${TOKEN}`], 'ERR_ASSERTION_MISSING'],
  [['Authorization', `Pomerium ${TOKEN}`], 'ERR_ASSERTION_MISSING'],
  [['Authorization', `Digest ${TOKEN}`], 'ERR_ASSERTION_MISSING'],
  [['Authorization', 'Basic'], 'ERR_ASSERTION_MISSING'],
  [['Authorization', TOKEN], 'ERR_ASSERTION_MISSING'],
  [['Authorization', `Bearer${TOKEN}`], 'ERR_ASSERTION_MISSING'],
  [['Authorization', `Bearer\t${TOKEN}`], 'ERR_ASSERTION_MISSING'],
  [[NAME, TOKEN], 'ERR_ASSERTION_MISSING'],
  [['Authorization', 'Bearer'], 'ERR_ASSERTION_EMPTY'],
  [['Authorization', 'Bearer '], 'ERR_ASSERTION_EMPTY'],
  [['Authorization', ''], 'ERR_ASSERTION_EMPTY'],
  [['Authorization', `Bearer ${TOKEN}`, 'Authorization', 'Basic x'], 'ERR_ASSERTION_DUPLICATE'],
  [['Authorization', `Bearer ${TOKEN},Bearer ${TOKEN}`], 'ERR_ASSERTION_DUPLICATE'],
]

for (const [headers, outcome] of authorization) {
  t.test(`takeAssertion() with ${headers.join(': ')} gives ${outcome}`, async (t) => {
    if (outcome === TOKEN) t.equal(takeAssertion(headers, 'Authorization'), TOKEN)
    else t.throws(() => takeAssertion(headers, 'Authorization'), { code: outcome })
  })
}

t.test('takeAssertion() looks in the configured header alone', async (t) => {
  t.equal(takeAssertion([NAME, 'x.y.z', 'X-Jwt', TOKEN], 'x-jwt'), TOKEN)
  t.throws(() => takeAssertion([NAME, TOKEN], 'X-Jwt'), { code: 'ERR_ASSERTION_MISSING' })
})
