import { type Mutant, mutantsOf } from './mutant.ts'

/** How verified claims become identity headers. */
export const IDENTITY: readonly Mutant[] = [
  ...mutantsOf(
    'identity/headers.ts',
    ['identity/headers'],
    [
      [
        'the last claim counts',
        'for (const name of names) {',
        'for (const name of [...names].reverse()) {',
      ],
      ['an empty claim counts', 'if (!isEmpty(value)) return value', 'return value'],
      [
        'a list of nothing is not empty',
        'Array.isArray(value) ? value.every(isEmptyItem) : isEmptyItem(value)',
        'isEmptyItem(value)',
      ],
      ['null is not empty', 'value === undefined || value === null ||', 'value === undefined ||'],
      ["'' is not empty", " || value === ''", ''],
      [
        'an absent claim gives a line',
        '(claim === undefined ? NOTHING : derive(claim))',
        'derive(claim)',
      ],
      [
        'what the header must not hold is sent',
        'isWanted(text) ? transform(text, header.transforms) : undefined',
        'transform(text, header.transforms)',
      ],
      [
        'one value is filtered for the separator like an item',
        'if (Array.isArray(claim)) return ofList(claim)',
        'if (claim) return ofList(Array.isArray(claim) ? claim : [claim])',
      ],
      [
        'an item with the separator is split in two',
        'if (text?.includes(delimiter)) dropped += 1\n    else if',
        'if',
      ],
      [
        'what is left out is not counted',
        'if (text?.includes(delimiter)) dropped += 1',
        'if (text?.includes(delimiter)) dropped += 0',
      ],
      [
        'the counts of the headers are not added',
        'dropped += result.dropped',
        'dropped = result.dropped',
      ],
      [
        'a list of which nothing is left gives an empty line',
        "separator !== 'repeat' && values.length > 0",
        "separator !== 'repeat'",
      ],
      [
        'a list gives one line for each item',
        'values: isOne ? [values.join(delimiter)] : values',
        'values',
      ],
      [
        'repeated lines may hold a comma',
        "separator === 'repeat' ? ','",
        "separator === 'repeat' ? '\\n'",
      ],
      ['space is no blank', "separator === 'space' ? ' '", "separator === 'space' ? ','"],
      [
        'values are not transformed',
        'isWanted(text) ? transform(text, header.transforms)',
        'isWanted(text) ? text',
      ],
      [
        'an empty item is one',
        'const text = isEmptyItem(value) ? undefined : textOf(value)',
        'const text = textOf(value)',
      ],
      ['JSON may hold anything', '    checkJson(claim)\n', ''],
      ['JSON may hold any text', "if (typeof value === 'string') checkText(value)", ''],
      ['JSON may hold any number', "if (typeof value === 'number') numberText(value)", ''],
      [
        'JSON lists may hold anything',
        'if (Array.isArray(value)) for (const item of value) checkJson(item)',
        '',
      ],
      ['JSON objects may have any names', '    checkText(name)\n', ''],
      ['JSON objects may hold anything', '    checkJson(member)\n', ''],
      [
        'what is no text passes the list of wanted items',
        "(typeof item === 'string' && isWanted(item))",
        'isWanted(String(item))',
      ],
      [
        'text that is not ASCII is sent as nothing',
        "if (bytes === undefined) throw unusable('not ASCII')",
        "if (bytes === undefined) return ''",
      ],
      [
        'a value may be of any length',
        "if (header.maxBytes !== undefined && bytes.length > header.maxBytes) throw unusable('too long')",
        '',
      ],
      ['a value is cut', "throw unusable('too long')", 'return bytes.slice(0, header.maxBytes)'],
      [
        'a value of the greatest length is too long',
        'bytes.length > header.maxBytes',
        'bytes.length >= header.maxBytes',
      ],
      [
        'the length is counted before encoding',
        'bytes.length > header.maxBytes',
        'value.length > header.maxBytes',
      ],
      [
        'a nested list is joined',
        'for (const value of claim) {',
        'for (const value of claim.flat()) {',
      ],
    ],
  ),
  ...mutantsOf(
    'identity/text.ts',
    ['identity/text'],
    [
      [
        'a value may hold control characters',
        "if (/\\p{Cc}/u.test(text)) throw unusable('a control character')",
        '',
      ],
      ['plain text may begin with a blank', '/^[\\x21-\\x7e](?:', '/^[\\x20-\\x7e](?:'],
      ['plain text may end with a blank', '*[\\x21-\\x7e])?$/', '*[\\x20-\\x7e])?$/'],
      ['DEL is plain', '[\\x20-\\x7e]*[', '[\\x20-\\x7f]*['],
      ['control characters are plain', '[\\x20-\\x7e]*[', '[^\\x7f-\\uffff]*['],
      ['text is plain when it begins so', '[\\x21-\\x7e])?$/', '[\\x21-\\x7e])?/'],
      ['a value may hold C1 control characters', '/\\p{Cc}/u', '/[\\0-\\x1f\\x7f]/u'],
      [
        'control characters are cleaned away',
        "if (/\\p{Cc}/u.test(text)) throw unusable('a control character')",
        "if (/\\p{Cc}/u.test(text)) return text.replace(/\\p{Cc}/gu, '')",
      ],
      [
        'a value may hold lone surrogates',
        "if (/\\p{Cs}/u.test(text)) throw unusable('a lone surrogate')",
        '',
      ],
      [
        'a value may hold blanks at its ends',
        "if (text.trim() !== text) throw unusable('blanks at an end')",
        '',
      ],
      [
        'blanks at the ends are cut off',
        "if (text.trim() !== text) throw unusable('blanks at an end')\n  return text",
        'return text.trim()',
      ],
      ['a value may end in a blank', 'text.trim() !== text', 'text.trimStart() !== text'],
      ['a value may begin with a blank', 'text.trim() !== text', 'text.trimEnd() !== text'],
      [
        'text is not looked at',
        "if (typeof value === 'string') return checkText(value)",
        "if (typeof value === 'string') return value",
      ],
      [
        'an object is sent as [object Object]',
        "throw unusable('a value is an object or a list')",
        'return String(value)',
      ],
      [
        'a number may be changed on the way',
        "if (!isExact) throw unusable('a number is not exact')",
        '',
      ],
      [
        'large integers may be changed on the way',
        'Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)',
        'Number.isFinite(value)',
      ],
      ['lower changes letters beyond ASCII', 'lowerAscii(result)', 'result.toLowerCase()'],
      [
        'the local part may be empty',
        "at === 0 || text.includes('@', at + 1)",
        "text.includes('@', at + 1)",
      ],
      ['an address may have several @', " || text.includes('@', at + 1)", ''],
      [
        'the local part may end in a blank',
        'return checkText(text.slice(0, at))',
        'return text.slice(0, at)',
      ],
      ['text without @ has no local part', 'if (at === -1) return text', ''],
      [
        'only the first transform is applied',
        'for (const name of transforms)',
        'for (const name of transforms.slice(0, 1))',
      ],
    ],
  ),
  ...mutantsOf(
    'identity/encode.ts',
    ['identity/encode'],
    [
      [
        'text goes out as Latin-1',
        "Buffer.from(text, 'utf8').toString('latin1')",
        "Buffer.from(text, 'latin1').toString('latin1')",
      ],
      [
        'an unknown encoding lets text through',
        '    default:\n      return undefined',
        '    default:\n      return text',
      ],
      ['ascii lets everything through', 'isAscii(text) ? text : undefined', 'text'],
      [
        'the mark of an encoding is not encoded',
        'isOtherMark ? byte',
        "byte === '%' || byte === '=' ? byte",
      ],
      ['text that looks like an encoded word stays', " && !text.includes('=?')", ''],
      ['encoded words may be of any length', 'if (size + bytes > MAX_WORD_BYTES)', 'if (size < 0)'],
      [
        'an encoded word is one character too long',
        'size + bytes > MAX_WORD_BYTES',
        'size > MAX_WORD_BYTES',
      ],
      ['DEL counts as ASCII', '!/[^\\x20-\\x7e]/.test(text)', '!/[^\\x20-\\x7f]/.test(text)'],
    ],
  ),
  ...mutantsOf(
    'identity/glob.ts',
    ['identity/glob'],
    [
      ['without patterns nothing matches', 'if (patterns.length === 0) return () => true', ''],
      [
        'a pattern without star fits what begins like it',
        'text === pattern',
        'text.startsWith(pattern)',
      ],
      ['what stands before the star does not matter', '!text.startsWith(first) || ', ''],
      ['what stands behind the star does not matter', ' || !text.endsWith(last)', ''],
      [
        'what stands between stars does not matter',
        'if (at === -1) return false',
        'if (at === -1) continue',
      ],
      ['parts may overlap', 'return from <= end', 'return true'],
      ['all patterns must fit', 'globs.some((matches)', 'globs.every((matches)'],
    ],
  ),
]
