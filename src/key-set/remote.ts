import type { RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, type SecureContext } from 'node:tls'
import type { KeySetSource } from '../config/config.ts'
import { readEtag, readMaxAge, readRetryAfter } from './answer-headers.ts'
import { type Answer, exchange } from './exchange.ts'
import { describeNetworkFailure, describeStatusFailure } from './failure.ts'
import { decodeText } from './text.ts'
import { createTrust } from './trust.ts'
import type { FetchKeySet, FetchResult } from './types.ts'

export type RemoteSource = Extract<KeySetSource, { kind: 'remote' }>

/** The longest answer that is read. A key set of Pomerium has about 300 bytes a key. */
export const MAX_KEY_SET_SIZE = 1024 * 1024

/**
 * Fetches the key set from its one configured URL: one GET, on one connection that is closed after it, no redirect
 * followed, nothing decoded. TLS is always verified, against the name in the URI even when `connect` dials elsewhere.
 */
export function createRemoteFetch(source: RemoteSource): FetchKeySet {
  const { uri, timeout } = source
  const secure = uri.protocol === 'https:'
  const readTrust = createTrust(source)
  return async (etag, signal) => {
    const trust = secure ? await readTrust() : undefined
    if (trust?.kind === 'failed') return trust
    try {
      const options = requestOptions(source, etag, trust?.context)
      const answer = await exchange({ options, timeout, maxBody: MAX_KEY_SET_SIZE, signal })
      return readAnswer(answer, etag, describeEndpoint(source))
    } catch (error) {
      return describeNetworkFailure(error, describeEndpoint(source))
    }
  }
}

/** The one GET: `secureContext` for https. */
export function requestOptions(
  { uri, connect }: RemoteSource,
  etag: string | undefined,
  secureContext: SecureContext | undefined,
): RequestOptions {
  const name = hostname(uri)
  return {
    protocol: uri.protocol,
    host: connect?.host ?? name,
    port: connect?.port ?? (uri.port || undefined),
    path: `${uri.pathname}${uri.search}`,
    headers: {
      host: uri.host,
      accept: 'application/jwk-set+json, application/json',
      'accept-encoding': 'identity',
      'user-agent': 'claimgate',
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
    },
    ...(secureContext === undefined ? {} : { secureContext }),
    // RFC 6066 §3: an address is no server name. An empty one keeps Node from sending the Host.
    servername: isIP(name) === 0 ? name : '',
    // Without a server name Node would check the certificate against the dialled host.
    checkServerIdentity: (_dialled, certificate) => checkServerIdentity(name, certificate),
  }
}

function readAnswer(
  { status, headers, body }: Answer,
  sentEtag: string | undefined,
  endpoint: string,
): FetchResult {
  const maxAge = readMaxAge(headers)
  if (status === 304 && sentEtag !== undefined) return { kind: 'not-modified', maxAge }
  if (status !== 200) return describeStatusFailure(status, readRetryAfter(headers), endpoint)
  const text = decodeText(body)
  if (text === undefined) {
    const summary = 'the answer is not UTF-8 text'
    return { kind: 'failed', reason: `${endpoint}: ${summary}`, summary, retryAfter: undefined }
  }
  return { kind: 'set', text, etag: readEtag(headers), maxAge }
}

/** The host of the URI, an IPv6 address without its brackets. */
function hostname(uri: URL): string {
  return uri.hostname.replace(/^\[(.*)\]$/, '$1')
}

function describeEndpoint({ uri, connect }: RemoteSource): string {
  return connect === undefined ? uri.host : `${uri.host} (dialled ${connect.host}:${connect.port})`
}
