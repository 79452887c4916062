import { type Mutant, mutantsOf } from './mutant.ts'

/** What of a client's fields is stripped. */
export const STRIP: readonly Mutant[] = [
  ...mutantsOf(
    'identity/fold.ts',
    ['identity/fold', 'identity/strip'],
    [
      ['names are not folded', "name.replace(/[^A-Za-z0-9]/g, '-')", 'name'],
      ['only underscores are folded', '/[^A-Za-z0-9]/g', '/[^A-Za-z0-9.]/g'],
      ['only the first character is folded', '/[^A-Za-z0-9]/g', '/[^A-Za-z0-9]/'],
      ['case is kept', "'-').toLowerCase()", "'-')"],
      ['case is kept in plain names', 'return name.toLowerCase()', 'return name'],
      ['an underscore is plain', '[A-Za-z0-9-]*$', '[A-Za-z0-9_-]*$'],
      ['a name is plain when it begins so', '[A-Za-z0-9-]*$', '[A-Za-z0-9-]*'],
      [
        'a Kelvin sign folds to k',
        "name.replace(/[^A-Za-z0-9]/g, '-').toLowerCase()",
        "name.toLowerCase().replace(/[^a-z0-9]/g, '-')",
        { tests: ['identity/fold'] },
      ],
    ],
  ),
  ...mutantsOf(
    'identity/strip.ts',
    ['identity/strip'],
    [
      ['a name without an x passes', 'beginsWithX(name) || mayBeNamed(name)', 'beginsWithX(name)'],
      ['names with an x are settled by their length', 'beginsWithX(name) || ', ''],
      ['names with a capital X are settled by their length', '| 0x20) === 0x78', '| 0) === 0x78'],
      ['x-pomerium itself passes', "    'x-pomerium',\n", ''],
      [
        'identity headers pass',
        '    ...config.identityHeaders.map(({ header }) => foldName(header)),\n',
        '',
      ],
      ['reserved headers pass', '    ...config.reservedHeaders.map(foldName),\n', ''],
      ['the assertion header passes', '    foldName(config.assertionHeader),\n', ''],
      [
        'identity headers pass in another spelling',
        'map(({ header }) => foldName(header))',
        'map(({ header }) => header)',
      ],
      [
        'reserved headers pass in another spelling',
        'config.reservedHeaders.map(foldName)',
        "config.reservedHeaders.map((name) => name.replace('e', 'E'))",
      ],
      [
        'the assertion header passes in another spelling',
        'foldName(config.assertionHeader)',
        'config.assertionHeader',
      ],
      [
        'a client may spell names as it likes',
        'const folded = foldName(name)',
        'const folded = name.toLowerCase()',
      ],
      ['names under x-pomerium pass', " || folded.startsWith('x-pomerium-')", ''],
      [
        'names that only begin with x-pomerium are taken away',
        "startsWith('x-pomerium-')",
        "startsWith('x-pomerium')",
      ],
      [
        'names with x-pomerium anywhere are taken away',
        "folded.startsWith('x-pomerium-')",
        "folded.includes('x-pomerium-')",
      ],
      ['a Pomerium session passes', ' || isPomeriumSession(name, value)', ''],
      [
        'any field with a Pomerium session is taken away',
        "    name.toLowerCase() === 'authorization' &&\n",
        '',
      ],
      ['every Authorization is taken away', 'POMERIUM_SESSION.test(value)', 'true'],
      ['a session behind a blank passes', '/^[ \\t]*bearer', '/^bearer'],
      ['a session behind two blanks passes', 'bearer[ \\t]+pomerium', 'bearer[ \\t]pomerium'],
      ['a session in capitals passes', 'pomerium-/i', 'pomerium-/'],
      ['a session anywhere in the value is taken away', '/^[ \\t]*bearer', '/[ \\t]*bearer'],
      [
        'names of that length are not compared',
        "name.toLowerCase() === 'authorization'",
        'name.length === 13',
      ],
    ],
  ),
  ...mutantsOf(
    'identity/shapes.ts',
    ['identity/shapes'],
    [
      ['what begins with no letter is settled', 'shapes[UNKNOWN] = 1', ''],
      ['names are settled by their case', 'charCodeAt(0) | 0x20', 'charCodeAt(0) | 0'],
      ['long names share a place with others', ' && name.length <= MAX_LENGTH', ''],
      ['what comes before the letters is one', 'letter >= 0x61 && ', ''],
      ['what comes behind the letters is one', ' && letter <= 0x7a', ''],
      ['a name is settled by its letter', 'name.length * LETTERS + letter', 'LETTERS + letter'],
      ['a name is settled by its length', ' + letter - 0x61', ''],
    ],
  ),
  ...mutantsOf(
    'identity/remember.ts',
    ['identity/remember'],
    [
      ['any number of names is remembered', 'if (known.size >= MAX_REMEMBERED) known.clear()', ''],
      [
        'one name too many is remembered',
        'known.size >= MAX_REMEMBERED',
        'known.size > MAX_REMEMBERED',
      ],
      [
        'names of any length are remembered',
        'if (name.length > MAX_REMEMBERED_LENGTH) return decided',
        '',
      ],
      [
        'long names pass',
        'if (name.length > MAX_REMEMBERED_LENGTH) return decided',
        'if (name.length > MAX_REMEMBERED_LENGTH) return false',
      ],
      ['nothing is remembered', '    known.set(name, decided)\n', ''],
      [
        'a name seen before passes',
        'if (before !== undefined) return before',
        'if (before !== undefined) return false',
      ],
    ],
  ),
]
