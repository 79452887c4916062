import type { ListenTarget } from './config.ts'
import { listenAddress } from './hosts.ts'
import { type Kind, scalar } from './kinds.ts'
import { socketPath } from './urls.ts'

const socket: Kind<ListenTarget> = scalar('unix:/path', { type: 'string' }, (text) => {
  const reading = socketPath(text.slice('unix:'.length))
  return 'must' in reading
    ? { must: 'be host:port, or unix:/path with at most 107 bytes' }
    : reading
})

/** Where to listen: `host:port`, or `unix:/path`. */
export const listenTarget: Kind<ListenTarget> = {
  form: 'host:port or unix:/path',
  schema: { type: 'string', pattern: '(:[0-9]+$|^unix:/)' },
  read: (input) =>
    input.kind === 'text' && input.text.startsWith('unix:')
      ? socket.read(input)
      : listenAddress.read(input),
}
