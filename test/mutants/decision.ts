import { type Mutant, mutantsOf } from './mutant.ts'

/** The order of the decision, what needs no assertion, and the policies around it. */
export const DECISION: readonly Mutant[] = [
  ...mutantsOf(
    'report-only.ts',
    ['report-only'],
    [
      ['report_only forwards malformed HTTP', ' || !isAboutIdentity(error.code)', ''],
      ['report_only does not know rules', "code === 'ERR_POLICY_DENIED' ||", ''],
      ['report_only needs keys', " ||\n  code === 'ERR_KEY_SET_UNAVAILABLE'", ''],
      ['report_only keeps what it would refuse to itself', ', wouldRefuse: error', ''],
      [
        'report_only forgets who would be refused',
        'error instanceof KnownUserError ? error.verified : undefined',
        'undefined',
      ],
    ],
  ),
  ...mutantsOf(
    'decision.ts',
    ['decision'],
    [
      ['the gate is not asked', '    checkHead(head)\n', ''],
      [
        'an overloaded process goes on',
        "if (isOverloaded()) throw new RejectedError('ERR_OVERLOADED', { reason: 'event loop is late' })",
        '',
      ],
      ['public paths are not looked at', 'publicPaths.has(pathOf(head.target)) || ', ''],
      [
        'a public path with a query is not public',
        'publicPaths.has(pathOf(head.target))',
        'publicPaths.has(head.target)',
      ],
      [
        'a public path has any case',
        'publicPaths.has(pathOf(head.target))',
        'publicPaths.has(pathOf(head.target).toLowerCase())',
      ],
      [
        'a public path is decoded',
        'publicPaths.has(pathOf(head.target))',
        'publicPaths.has(decodeURIComponent(pathOf(head.target)))',
      ],
      [
        'a public path is cleaned',
        'publicPaths.has(pathOf(head.target))',
        "publicPaths.has(pathOf(head.target).replace(/\\/+/g, '/'))",
      ],
      [
        'a slash behind a public path does not matter',
        'publicPaths.has(pathOf(head.target))',
        "publicPaths.has(pathOf(head.target).replace(/\\/$/, ''))",
      ],
      [
        'everything below a public path is public',
        'publicPaths.has(pathOf(head.target))',
        'config.publicPaths.some((path) => head.target.startsWith(path))',
      ],
      ['everything is public', 'publicPaths.has(pathOf(head.target))', 'true'],
      [
        'preflights are special by default',
        "config.corsPreflight !== 'verify' && isPreflight",
        'isPreflight',
      ],
      [
        'preflights are never special',
        "config.corsPreflight !== 'verify' && isPreflight(head)",
        'false',
      ],
      [
        'cors_preflight: allow needs no assertion',
        "(preflight && config.corsPreflight === 'pass')",
        'preflight',
      ],
      [
        'cors_preflight: pass needs no preflight',
        "(preflight && config.corsPreflight === 'pass')",
        "config.corsPreflight === 'pass'",
      ],
      [
        'cors_preflight: pass needs an assertion',
        " || (preflight && config.corsPreflight === 'pass')",
        '',
      ],
      ['a preflight may have any method', "method === 'OPTIONS' &&", 'method &&'],
      ['a preflight needs no Origin', "    isGiven(headerValue(rawHeaders, 'origin')) &&\n", ''],
      [
        'a preflight asks for no method',
        "isGiven(headerValue(rawHeaders, 'access-control-request-method'))",
        'true',
      ],
      ['a preflight may bring a body', ' &&\n    !bodyFollows(rawHeaders)', ''],
      [
        'a preflight may come from nowhere',
        "value !== undefined && trimBlanks(value) !== ''",
        'value !== undefined',
      ],
      [
        'cors_preflight: allow needs an identity',
        "await verify(assertion, 'may-be-empty')",
        'await verify(assertion, subject)',
      ],
      [
        'an anonymous assertion always passes',
        'await verify(assertion, subject)',
        "await verify(assertion, 'may-be-empty')",
      ],
      [
        'the rules are not asked',
        'await verify(assertion, subject), isAllowed)',
        'await verify(assertion, subject), everybody)',
      ],
      [
        'the rules judge where no identity is needed',
        'grant(head, assertion, verified, everybody)',
        'grant(head, assertion, verified, isAllowed)',
      ],
      [
        'a preflight is judged like any other',
        "    if (kind === 'preflight') return identify(head)\n",
        '',
      ],
      ['nobody has claims', 'claims: anonymous ? {} : claims', 'claims'],
      ['the rules see the query', 'path: pathOf(target)', 'path: target'],
      [
        'allow_anonymous does nothing',
        "config.allowAnonymous ? 'may-be-empty' : 'required'",
        "'required'",
      ],
      [
        'on a public path a bad assertion refuses',
        'return identify(head).catch(withoutIdentity)',
        'return identify(head)',
      ],
      [
        'a bad assertion counts as none everywhere',
        "if (kind === 'public') return",
        'if (kind !== undefined) return',
      ],
      [
        'a preflight with a bad assertion needs none',
        "if (kind === 'public') return",
        "if (kind !== 'private') return",
      ],
      [
        'on a public path a fault of ours is passed over',
        'if (error instanceof RejectedError) return NOTHING',
        'if (error) return NOTHING',
      ],
      [
        'the replay guard is not asked',
        '    replayGuard?.admit(verified.claims)\n',
        '',
        { tests: ['server'] },
      ],
      [
        'the replay guard is asked before anything is verified',
        'return grant(head, assertion, await verify(assertion, subject)',
        'replayGuard?.admit({ jti: assertion, exp: 0 })\n    return grant(head, assertion, await verify(assertion, subject)',
      ],
      [
        'an anonymous visitor gets identity headers',
        'verified.anonymous ? NOTHING : identityHeaders(verified.claims)',
        'identityHeaders(verified.claims)',
      ],
      [
        'nobody gets identity headers',
        'verified.anonymous ? NOTHING : identityHeaders(verified.claims)',
        'NOTHING',
      ],
      [
        'the assertion is always passed on',
        'config.forwardAssertion ? assertionLine',
        'config ? assertionLine',
      ],
      ['the assertion is never passed on', '[...identity.lines, ...passedOn]', 'identity.lines'],
      [
        'a passed-on assertion loses its scheme',
        "header.toLowerCase() === 'authorization' ?",
        'false ?',
      ],
    ],
  ),
  ...mutantsOf(
    'policy/replay.ts',
    ['policy/replay'],
    [
      [
        'an assertion passes any number of times',
        "if (seen.has(jti)) throw new RejectedError('ERR_ASSERTION_REPLAYED')",
        '',
      ],
      ['nothing is remembered', '      seen.add(jti)\n', ''],
      ['a jti may be absent', "typeof jti !== 'string' || jti === ''", "jti === ''"],
      ['a jti may be empty', " || jti === ''", ''],
      ['a jti may be of any length', ' || jti.length > MAX_JTI_LENGTH', ''],
      [
        'any number is remembered',
        "if (size >= capacity) throw new RejectedError('ERR_OVERLOADED', { reason: 'replay guard' })",
        '',
      ],
      ['one too many is remembered', 'size >= capacity', 'size > capacity'],
      ['nothing is forgotten', '      forgetExpired()\n', ''],
      [
        'an assertion is forgotten while it is valid',
        'if (span >= current) continue',
        'if (span > current) continue',
      ],
      [
        'an assertion is forgotten before the clock skew is over',
        'exp * 1000 + clockSkew',
        'exp * 1000',
      ],
      ['what was forgotten still counts', '      size -= seen.size\n', ''],
      ['what is remembered is not counted', '      size++\n', ''],
    ],
  ),
  ...mutantsOf(
    'policy/allow.ts',
    ['policy/allow'],
    [
      ['no entry lets everybody pass', 'rules.some(', 'rules.every('],
      ['without the setting nobody passes', 'return () => true', 'return () => false'],
      [
        'the method does not matter',
        '    (methods === undefined || methods.includes(visit.method)) &&\n',
        '',
      ],
      ['the path does not matter', '    isPath(visit.path) &&\n', ''],
      ['one claim of several is enough', 'rules.every(', 'rules.some('],
      ['every value has to match', '.some(matches))', '.every(matches))'],
      ['what is empty matches *', ".filter((text) => text !== '')", ''],
    ],
  ),
  ...mutantsOf(
    'policy/paths.ts',
    ['policy/paths'],
    [
      ['any path matches a prefix that it begins with', ' && hasOneReading(path)', ''],
      ['a prefix is no segment', 'pattern.slice(0, -1)', 'pattern.slice(0, -2)'],
      ['a prefix may stand anywhere', 'path.startsWith(prefix)', 'path.includes(prefix)'],
      ['backslashes and parameters pass', '|[\\\\;]', ''],
      ['dot segments pass', '\\.[.\\s]*(\\/|$)', '!!'],
      ['a broken escape passes', 'return undefined', 'return path'],
      ['an escaped escape passes', '2[35ef]', '2[3ef]'],
      ['control characters pass', ' || /\\p{Cc}/u.test(text)', ''],
      ['letters that look like a dot pass', ".normalize('NFKC')", ''],
    ],
  ),
  ...mutantsOf(
    'policy/load.ts',
    ['policy/load'],
    [
      ['no process is ever overloaded', 'overloaded = isLate && lateBefore', 'overloaded = false'],
      ['one late timer is overload', 'isLate && lateBefore', 'isLate'],
      ['overload stays for one timer more', 'isLate && lateBefore', 'lateBefore'],
      ['a timer on time is late', 'time - last - LOAD_PERIOD > LATE', 'time - last > LATE'],
      ['a timer just in time is late', '> LATE', '>= LATE'],
      ['all delays add up', '      last = time\n', ''],
    ],
  ),
]
