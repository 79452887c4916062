import { type Mutant, mutantsOf } from './mutant.ts'

/** What must hold of the request line that another proxy reports. */
export const FORWARD_AUTH: readonly Mutant[] = mutantsOf(
  'proxy/forward-auth.ts',
  ['proxy/forward-auth'],
  [
    ['a repeated report counts once', 'if (found.has(name))', 'if (false)'],
    ['any spelling is a report', 'if (sent.toLowerCase() !== name)', 'if (false)'],
    [
      'of two reports the first counts',
      "  if (found.size > 2) throw malformed('two reports of the original request')\n",
      '',
    ],
    [
      'half a report is none',
      "  throw malformed('half a report of the original request')",
      '  return undefined',
    ],
    ['any target is reported', 'if (!TARGET.test(line.target))', 'if (false)'],
    ['the asking request is not looked at', '    checkHead(head)\n', ''],
    ['another spelling of an identity header passes', 'if (isAlias(name, folded))', 'if (false)'],
    ['what Pomerium spells with underscores is refused', "!name.startsWith('x-pomerium-')", 'true'],
    ['an identity header as it was named is refused', '    if (own.has(name)) return false\n', ''],
    [
      'of reserved headers every spelling passes',
      ' || (name !== folded && isToBeNamed(folded))',
      '',
    ],
    ['only reserved headers have one spelling', " || folded.startsWith('x-forwarded-')", ''],
    ['of identity headers every spelling passes', 'ownFolded.has(folded) || ', ''],
    ['the asking request is decided about', '{ ...head, ...original }', 'head'],
  ],
)
