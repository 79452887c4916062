import type { ReadHeader } from '../../src/assertion/compact.ts'

/** Takes every header part that has the form of one, whatever it holds. */
export const anyHeader: ReadHeader = (part) =>
  /^(?:[\w-]{4})*(?:[\w-]{4}|[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])$/.test(part) ? {} : undefined
