import { createMetrics, type Metrics } from '../../src/admin/metrics.ts'

/** Metrics of a claimgate in which nothing has happened. */
export const quietMetrics = (): Metrics =>
  createMetrics({
    version: '0.0.0',
    keySetStatus: () => ({ usable: true, keys: 1, age: 0, reason: undefined }),
    tunnels: () => 0,
    remembered: () => 0,
    reloads: () => ({ last: undefined, since: 0 }),
    certificateExpires: () => undefined,
    now: () => 0,
  })
