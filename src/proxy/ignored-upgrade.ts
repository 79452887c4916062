import type { IncomingMessage } from 'node:http'
import { RejectedError } from '../errors.ts'
import { connectionOf } from './connection.ts'
import { headOf, isHandshake } from './gate.ts'
import { headerValue } from './headers.ts'

/**
 * Requests that stay plain despite their Upgrade. Node's parser stops behind each and drops the rest of what it was
 * reading: what comes later begins anywhere, in a body that would be taken for a request. So such a request is the last
 * of its connection.
 */
const ignoredUpgrades = new WeakSet<IncomingMessage>()

export const isIgnoredUpgrade = (request: IncomingMessage): boolean => ignoredUpgrades.has(request)

/**
 * Of such a request the parser takes a coding that it does not know for no body at all, and what it does not know can
 * be `chunked` followed by a tab. Nobody could then say where the body ends.
 */
export const isUnframed = (request: IncomingMessage): boolean =>
  ignoredUpgrades.has(request) && headerValue(request.rawHeaders, 'transfer-encoding') !== undefined

export const unframed = () =>
  new RejectedError('ERR_REQUEST_MALFORMED', { reason: 'chunked beside an upgrade' })

/**
 * All others stay plain requests, where an Upgrade is ignored (RFC 9110 §7.8) or refused by the gate. So does a handshake
 * behind an unanswered request: its tunnel would begin before that answer.
 */
export function shouldUpgrade(
  request: IncomingMessage,
  isForNoTunnel: (target: string) => boolean,
): boolean {
  const isTheirs = isHandshake(headOf(request)) && !isForNoTunnel(request.url ?? '')
  const isTaken = isTheirs && !connectionOf(request.socket).isBusy()
  if (!isTaken) ignoredUpgrades.add(request)
  return isTaken
}
