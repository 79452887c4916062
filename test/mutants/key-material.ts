import { type Mutant, mutantsOf } from './mutant.ts'

/** How a key set is fetched, and which keys of it may verify. */
export const KEY_MATERIAL: readonly Mutant[] = [
  ...mutantsOf(
    'key-set/exchange.ts',
    ['key-set/exchange'],
    [
      [
        'an answer may take for ever',
        "setTimeout(() => fail(new ExchangeError('TIMEOUT')), timeout)",
        'undefined',
      ],
      [
        'a body of any size is read',
        "    if (size > maxBody) refuse('TOO_LARGE')\n    else chunks.push(chunk)",
        '    chunks.push(chunk)',
      ],
      ['the largest body is too large', 'if (size > maxBody)', 'if (size >= maxBody)'],
      [
        'a body with a length over the limit is read until then',
        'if (Number(length) > maxBody) {',
        'if (false) {',
        { equivalent: 'the body is refused at the limit anyway; here it is only not begun' },
      ],
      ['a coded body is read', "if (encoding.toLowerCase() !== 'identity') {", 'if (false) {'],
      ['identity in capitals is a coding', 'encoding.toLowerCase()', 'encoding'],
      [
        'a body that breaks off is whole',
        "response.on('error', () => refuse('CUT'))",
        "response.on('error', () => done(Buffer.concat(chunks, size)))",
      ],
      [
        'the body of any status is read',
        'if (status !== 200) return end(() => resolve({ status, headers, body: Buffer.alloc(0) }))',
        '',
        { tests: ['key-set/remote'] },
      ],
      [
        'a connection stays open',
        '      settle()\n      request.destroy()',
        '      settle()',
        { tests: ['key-set/remote'] },
      ],
      [
        'an abort is not noticed',
        "    signal.addEventListener('abort', abort)\n",
        '',
        { tests: ['key-set/remote'] },
      ],
      [
        'after an abort a request is still sent',
        'if (signal.aborted) abort()\n    else request.end()',
        'request.end()',
        { tests: ['key-set/remote'] },
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/remote.ts',
    ['key-set/remote'],
    [
      ['any status brings keys', 'if (status !== 200) return', 'if (status === 0) return'],
      [
        '304 to a first request is fine',
        'status === 304 && sentEtag !== undefined',
        'status === 304',
      ],
      [
        '304 is a failure',
        "if (status === 304 && sentEtag !== undefined) return { kind: 'not-modified', maxAge }",
        '',
      ],
      ['bytes that are not UTF-8 are a set', 'if (text === undefined) {', 'if (text === null) {'],
      [
        'the Host is that of the dialled address',
        'host: uri.host,\n',
        'host: connect?.host ?? uri.host,\n',
      ],
      ['jwks_connect is not dialled', 'connect?.host ?? name', 'name'],
      [
        'the certificate is checked against the dialled host',
        'checkServerIdentity(name, certificate)',
        'checkServerIdentity(_dialled, certificate)',
        { tests: ['key-set/trust'] },
      ],
      [
        'any certificate is taken',
        'checkServerIdentity(name, certificate)',
        'undefined',
        { tests: ['key-set/trust'] },
      ],
      [
        'any CA is taken',
        '    // RFC 6066',
        '    rejectUnauthorized: false,\n    // RFC 6066',
        { tests: ['key-set/trust'] },
      ],
      [
        'jwks_ca_file is not used',
        '...(secureContext === undefined ? {} : { secureContext }),',
        '',
        { tests: ['key-set/trust'] },
      ],
      ['codings are asked for', "'accept-encoding': 'identity'", "'accept-encoding': 'gzip'"],
    ],
  ),
  ...mutantsOf(
    'key-set/answer-headers.ts',
    ['key-set/answer-headers'],
    [
      ['no-store may be kept', 'if (FORBIDS_KEEPING.test(control)) return 0', ''],
      ['any entity tag is sent back', ' && ETAG.test(etag)', ''],
      [
        'Retry-After may be any text',
        '/^\\d{1,9}$/.test(value) ? Number(value) * 1000 : undefined',
        'Number(value) * 1000',
      ],
      [
        'max-age is in milliseconds',
        'undefined : Number(seconds) * 1000',
        'undefined : Number(seconds)',
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/jwk.ts',
    ['key-set/parse'],
    [
      [
        'a shared secret is looked at',
        "if (jwk['kty'] === 'oct') return 'is a shared secret, which is never loaded'",
        '',
      ],
      [
        'a key with its private half is taken',
        'SECRET_MEMBERS.some((name) => Object.hasOwn(jwk, name))',
        'false',
      ],
      [
        'a key for encryption is taken',
        "if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return 'is not for signatures (use)'",
        '',
      ],
      [
        'a key that may not verify is taken',
        "operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))",
        'false',
      ],
      ['a key with any operations is taken', " && operations.includes('verify'))", ')'],
      [
        'a kid may be a number',
        "if (jwk['kid'] !== undefined && typeof jwk['kid'] !== 'string')\n    return 'has a kid that is no string'",
        '',
      ],
      [
        'the alg of a key does not count',
        "jwk['alg'] === undefined ? fitting : fitting.filter((alg) => alg === jwk['alg'])",
        'fitting',
      ],
      ['a weak RSA key is taken', 'if (isWeakRsa(material))', 'if (false)'],
      ['an RSA key with few bits is taken', "bitLength(n ?? '') < MIN_RSA_BITS || ", ''],
      ['an RSA key with the exponent 1 is taken', " || bitLength(e ?? '') < 2", ''],
      [
        'a damaged key ends the reading',
        "return ignored('is damaged')\n  }\n}\n\nasync",
        "throw new TypeError('damaged')\n  }\n}\n\nasync",
      ],
      [
        'text that is not base64url is taken',
        "typeof value === 'string' && BASE64URL.test(value)",
        "typeof value === 'string'",
      ],
      [
        'what is no object is read as a key',
        "if (!isObject(value)) return ignored('is not an object')",
        "if (value === null) return ignored('is not an object')",
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/algorithms.ts',
    ['key-set/parse'],
    [
      ['a key of any type fits', 'shape.kty === kty && ', ''],
      ['a key on any curve fits', ' && (shape.crv ?? crv) === crv', ''],
      [
        'HMAC has a shape',
        "['ES256', { kty: 'EC', crv: 'P-256' }],",
        "['ES256', { kty: 'EC', crv: 'P-256' }],\n  ['HS256', { kty: 'EC', crv: 'P-256' }],",
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/parse.ts',
    ['key-set/parse'],
    [
      [
        'any number of keys is read',
        'if (members.length > MAX_KEYS) return notAKeySet(`',
        'if (members.length === -1) return notAKeySet(`',
      ],
      ['a hundred keys are too many', 'members.length > MAX_KEYS', 'members.length >= MAX_KEYS'],
      [
        'an empty set is a set without fitting keys',
        "if (members.length === 0) return { kind: 'no-signing-key', reason: NO_SIGNING_KEY }",
        '',
      ],
      ['keys: null is no set', '  if (members === null) return []\n', ''],
      ['a list is a set', ' || Array.isArray(value)', ''],
      [
        'a page is no set for another reason',
        "if (text.trimStart().startsWith('<')) return notAKeySet('is an HTML page')",
        '',
      ],
      [
        'a set of which no key fits is taken',
        "if (keys.length > 0) return { kind: 'keys'",
        "if (keys) return { kind: 'keys'",
      ],
      ['two keys of one name are not told', '...sharedNames(keys)]', ']'],
    ],
  ),
  ...mutantsOf(
    'key-set/pem.ts',
    ['key-set/pem'],
    [
      ['a private key is taken', "labels.some((label) => label.endsWith('PRIVATE KEY'))", 'false'],
      [
        'a chain of certificates is taken',
        "if (certificates > 1) return 'holds several certificates: keep the one of the signing key'",
        '',
      ],
      [
        'anything in PEM is passed over',
        "if (others > 0) return 'holds something that is neither a public key nor a certificate'",
        '',
      ],
      ['a damaged text is an empty set', "if (labels.length === 0) return 'is damaged'", ''],
      [
        'any number of PEM keys is read',
        'if (labels.length > MAX_KEYS) return',
        'if (labels.length === -1) return',
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/file.ts',
    ['key-set/file'],
    [
      [
        'a pipe is opened',
        "if (!stats.isFile()) return unreadable(path, 'it is not a regular file')",
        '',
      ],
      [
        'a file of any size is read',
        "if (stats.size > MAX_KEY_SET_SIZE) return unreadable(path, 'it is larger than 1 MiB')",
        '',
      ],
      ['a changed file is not noticed', 'if (digest === etag)', 'if (etag !== undefined)'],
      [
        'an unchanged file is read again',
        "if (digest === etag) return { kind: 'not-modified', maxAge: undefined }",
        '',
      ],
      [
        'bytes that are not UTF-8 are read',
        "if (text === undefined) return unreadable(path, 'it is not UTF-8 text')",
        '',
      ],
      [
        'reading may hang',
        'Promise.race([read(path, etag, expired), rejectOnAbort(expired)])',
        'read(path, etag, new AbortController().signal)',
      ],
    ],
  ),
  ...mutantsOf(
    'key-set/open.ts',
    ['key-set/open'],
    [
      [
        'keys of a removed file lapse',
        'maxStale: Number.POSITIVE_INFINITY',
        'maxStale: 0',
        { tests: ['key-set/file'] },
      ],
      ['timers hold the process', '    timer.unref()\n', ''],
    ],
  ),
]
