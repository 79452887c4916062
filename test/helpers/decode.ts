import type { Encoding } from '../../src/config/config.ts'

/** What a reader that knows the encoding makes of a field value's bytes (`latin1`). */
export function decode(bytes: string, encoding: Encoding): string {
  switch (encoding) {
    case 'utf8':
      return utf8(Buffer.from(bytes, 'latin1'))
    case 'ascii':
      return bytes
    case 'base64':
      return utf8(Buffer.from(bytes, 'base64'))
    case 'percent':
      return decodeURIComponent(bytes)
    case 'quoted-printable':
      return utf8(Buffer.from(bytes.replace(/=([0-9A-F]{2})/g, fromHex), 'latin1'))
    case 'rfc2047':
      return words(bytes)
    default:
      throw new Error(`no decoder for ${encoding}`)
  }
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

function fromHex(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16))
}

// Blanks between two encoded-words are no part of the text (RFC 2047 section 6.2).
function words(text: string): string {
  return text
    .replace(/\?= =\?/g, '?==?')
    .replace(/=\?UTF-8\?B\?([A-Za-z0-9+/=]*)\?=/g, (_, data) => utf8(Buffer.from(data, 'base64')))
}
