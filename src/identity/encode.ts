import type { Encoding } from '../config/config.ts'

/** The longest RFC 2047 encoded-word, and what of it is not text. */
const MAX_WORD = 75
const WORD_START = '=?UTF-8?B?'
const WORD_END = '?='
/** UTF-8 bytes per word: base64 turns 3 bytes into 4 characters. */
const MAX_WORD_BYTES = Math.floor((MAX_WORD - WORD_START.length - WORD_END.length) / 4) * 3

/**
 * The bytes of a field value, one character each (`latin1`), or `undefined` where the encoding has no way to
 * say `text`: only `ascii` has none for some texts. Decoding by the same rule gives `text` again.
 *
 * - `utf8`: the UTF-8 bytes as they are.
 * - `percent`: `%` and every byte outside ASCII as `%XX` (RFC 3986 section 2.1).
 * - `rfc2047`: as it is when ASCII, else encoded-words in UTF-8 and base64 with a blank between.
 * - `quoted-printable`: `=` and every byte outside ASCII as `=XX` (RFC 2045 section 6.7), never a line break.
 * - `base64`: of the UTF-8 bytes, always (RFC 4648 section 4, padded).
 * - `ascii`: as it is.
 *
 * @param text Holds no control character and no lone surrogate.
 */
export function encode(text: string, encoding: Encoding): string | undefined {
  switch (encoding) {
    case 'utf8':
      return utf8Bytes(text)
    case 'percent':
      return escapeBytes(text, '%')
    case 'quoted-printable':
      return escapeBytes(text, '=')
    case 'rfc2047':
      return encodedWords(text)
    case 'base64':
      return Buffer.from(text, 'utf8').toString('base64')
    case 'ascii':
      return isAscii(text) ? text : undefined
    default:
      return undefined
  }
}

function utf8Bytes(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function escapeBytes(text: string, mark: '%' | '='): string {
  return utf8Bytes(text).replace(/[^\x20-\x7e]|[%=]/g, (byte) => {
    const isOtherMark = (byte === '%' || byte === '=') && byte !== mark
    return isOtherMark ? byte : `${mark}${hex(byte)}`
  })
}

/** Two digits, as all that is escaped is above 0x0f. */
function hex(byte: string): string {
  return byte.charCodeAt(0).toString(16).toUpperCase()
}

function encodedWords(text: string): string {
  // ASCII that looks like an encoded-word would be decoded at the other end.
  if (isAscii(text) && !text.includes('=?')) return text
  const words: string[] = []
  let word = ''
  let size = 0
  // A word may not end inside a character (RFC 2047 section 5).
  for (const character of text) {
    const bytes = Buffer.byteLength(character)
    if (size + bytes > MAX_WORD_BYTES) {
      words.push(word)
      word = ''
      size = 0
    }
    word += character
    size += bytes
  }
  words.push(word)
  return words.map(encodedWord).join(' ')
}

function encodedWord(text: string): string {
  return `${WORD_START}${Buffer.from(text, 'utf8').toString('base64')}${WORD_END}`
}

function isAscii(text: string): boolean {
  return !/[^\x20-\x7e]/.test(text)
}
