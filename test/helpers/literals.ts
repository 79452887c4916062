import { base64url, partsOf } from './mint.ts'

/** A header value given as it is; `@good` in it is the good token, other names are forms made of it. */
export function literal(text: string, good: string): string {
  const [header, payload, signature] = partsOf(good)
  const jwe = (members: object, body: string) =>
    [base64url(JSON.stringify(members)), '', base64url('iv-iv-iv-iv-'), body, 'dGFn'].join('.')
  const whole: Readonly<Record<string, string>> = {
    '@general': JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    '@good-with-space': `${header}. ${payload}.${signature}`,
    '@good-std-base64': [header, payload, signature]
      .map((part) => Buffer.from(part, 'base64url').toString('base64'))
      .join('.'),
    '@jwe-dir': jwe({ alg: 'dir', enc: 'A256GCM' }, 'AAAA'),
    '@jwe-pbes2-p2c-2147483647': jwe(
      { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 2147483647, p2s: 'AAAA' },
      'AAAA',
    ),
    '@jwe-dir-wrapping-good': jwe({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' }, base64url(good)),
  }
  return whole[text] ?? text.replace('@good', good)
}
