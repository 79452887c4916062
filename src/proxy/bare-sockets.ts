import type { Socket } from 'node:net'
import type { Decision } from '../decision.ts'
import { RejectedError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { DataServerHandlers } from './data-server.ts'
import { headOf, isHandshake, type RequestHead } from './gate.ts'
import type { Generation } from './generation.ts'
import { type RequestHeaderRules, upstreamHeaders } from './headers.ts'
import { writeRaw } from './own-answer.ts'
import { malformed } from './parser-fault.ts'
import type { Recorder } from './recorder.ts'
import { createRoster, type Roster } from './roster.ts'
import type { Tunnel } from './splice.ts'

export interface BareSocketOptions {
  /** What the next request begins with. */
  readonly current: () => Pick<Generation, 'recorder' | 'openTunnel' | 'headerRules'>
}

export type BareSocketHandlers = Pick<
  DataServerHandlers,
  'upgrade' | 'parserError' | 'connectMethod' | 'overloaded'
> & {
  readonly tunnels: Roster<Tunnel>
  /** From now on no tunnel is opened. */
  drain(): void
}

/** The steps of everything for which Node gives no response object: tunnels, CONNECT, and bytes that are not HTTP. */
export function createBareSocketHandlers({ current }: BareSocketOptions): BareSocketHandlers {
  const tunnels = createRoster<Tunnel>()
  let isDraining = false

  const track = (socket: Socket, tunnel: Tunnel) => {
    socket.once('close', tunnels.add(tunnel))
    if (isDraining) tunnel.close(1001)
  }
  return {
    tunnels,
    drain() {
      isDraining = true
    },
    upgrade(request, socket, early, next) {
      const head = headOf(request)
      const { recorder, openTunnel, headerRules } = current()
      const exchange = recorder.begin(head)
      whenClosed(socket, recorder, exchange, next)
      const refuse = (error: unknown) =>
        writeRaw(socket, recorder.answer(error, exchange, head.rawHeaders))
      const open = (decision: Decision) => {
        if (socket.destroyed) return
        if (isDraining) throw rejectAfterAll(exchange, new RejectedError('ERR_DRAINING'))
        const onOpen = (tunnel: Tunnel) => track(socket, tunnel)
        const headers = tunnelHeaders(head, exchange, decision, headerRules)
        openTunnel({
          client: socket,
          early,
          target: head.target,
          headers,
          exchange,
          refuse,
          onOpen,
        })
      }
      decideOnHandshake(head, exchange, recorder).then(open).catch(refuse)
    },
    ...createRefusals(current),
  }
}

/** A scope of its own: that of the handshake, with its assertion, would be kept for as long as the tunnel is open. */
function whenClosed(
  socket: Socket,
  recorder: Recorder,
  exchange: Exchange,
  next: () => void,
): void {
  socket.once('close', () => {
    recorder.end(exchange)
    next()
  })
}

/** What is refused without a decision, since no request came: only its answer and its record differ. */
function createRefusals(
  current: () => Pick<Generation, 'recorder'>,
): Pick<BareSocketHandlers, 'parserError' | 'connectMethod' | 'overloaded'> {
  const refuse = (socket: Socket, method: string, error: RejectedError) => {
    const { recorder } = current()
    const exchange = recorder.begin({ method, target: '' })
    writeRaw(socket, recorder.answer(error, exchange, []))
    recorder.end(exchange)
  }
  return {
    parserError(error, socket) {
      refuse(socket, '-', malformed(error))
    },
    overloaded(socket) {
      refuse(socket, '-', new RejectedError('ERR_OVERLOADED', { reason: 'max_connections' }))
    },
    connectMethod(_request, socket) {
      const refusal = { status: 405, reason: 'method is refused' }
      refuse(socket, 'CONNECT', new RejectedError('ERR_REQUEST_MALFORMED', refusal))
    },
  }
}

async function decideOnHandshake(
  head: RequestHead,
  exchange: Exchange,
  recorder: Recorder,
): Promise<Decision> {
  const decision = await recorder.decide(head, exchange)
  // Node below 22.21 brings every request with an Upgrade here.
  if (!isHandshake(head)) {
    const refusal = new RejectedError('ERR_REQUEST_MALFORMED', { reason: 'upgrade' })
    throw rejectAfterAll(exchange, refusal)
  }
  return decision
}

function rejectAfterAll(exchange: Exchange, refusal: RejectedError): RejectedError {
  exchange.decision = 'reject'
  return refusal
}

function tunnelHeaders(
  { rawHeaders }: RequestHead,
  exchange: Exchange,
  decision: Decision,
  rules: RequestHeaderRules,
): string[] {
  const { lines, stripped } = upstreamHeaders(rawHeaders, rules, decision.lines)
  exchange.stripped = stripped
  return lines
}
