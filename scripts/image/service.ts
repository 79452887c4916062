import { ask } from './engine.ts'

/** What a cluster knows of one pod. */
export interface Endpoint {
  readonly name: string
  /** The pod's own address; claimgate's ports are those of the manifests. */
  readonly address: string
  /** `performance.now()` of its termination. */
  readonly endedAt: number | undefined
}

/** The Service as one node of the cluster sees it: that is, late. */
export interface View {
  /** The next endpoint in turn; `undefined` without any. */
  pick(): Endpoint | undefined
}

export interface Probe {
  readonly port: number
  readonly path: string
  readonly periodSeconds: number
}

/** How late a node learns that an endpoint has come or gone, milliseconds. */
export const LAG = { least: 100, most: 3000 } as const

const DATA_PORT = 8000

interface Change {
  readonly endpoint: Endpoint
  readonly kind: 'added' | 'removed'
}

/**
 * A stand-in for what leads from a Service to its pods: probes decide who is ready, as the kubelet's do; a pod that
 * is being terminated is taken out at once, as the controller of endpoints does; every node learns both after a
 * time of its own, and whoever is connected stays connected, as with kube-proxy. A connection goes straight to the
 * pod's address: kube-proxy has no hand in its bytes either.
 */
export function createService(probes: readonly Probe[]) {
  const current = new Set<Endpoint>()
  const told = new Set<(change: Change) => void>()
  const tell = (change: Change) => {
    for (const hear of told) hear(change)
  }
  return {
    dataPort: DATA_PORT,
    /** Resolves when the pod has passed each probe once and is an endpoint. */
    async add(endpoint: Endpoint, limit: number): Promise<void> {
      await Promise.all(probes.map((probe) => untilPassed(endpoint, probe, limit)))
      current.add(endpoint)
      tell({ endpoint, kind: 'added' })
    },
    remove(endpoint: Endpoint): void {
      current.delete(endpoint)
      tell({ endpoint, kind: 'removed' })
    },
    view: (): View => createView(current, told),
  }
}

export type Service = ReturnType<typeof createService>

function createView(current: ReadonlySet<Endpoint>, told: Set<(change: Change) => void>): View {
  const known = new Set(current)
  let turn = Math.floor(Math.random() * 100)
  let latest = 0
  told.add(({ endpoint, kind }) => {
    const learn = () => void (kind === 'added' ? known.add(endpoint) : known.delete(endpoint))
    const lag = LAG.least + Math.random() * (LAG.most - LAG.least)
    // A node watches one list and learns of its changes in their order.
    latest = Math.max(latest, performance.now() + lag)
    setTimeout(learn, latest - performance.now()).unref()
  })
  return {
    pick: () => [...known][turn++ % known.size],
  }
}

async function untilPassed(endpoint: Endpoint, probe: Probe, limit: number): Promise<void> {
  const end = performance.now() + limit
  while (performance.now() < end) {
    const passed = await ask(probe.port, probe.path, {}, endpoint.address).then(
      ({ status }) => status === 200,
      () => false,
    )
    if (passed) return
    await new Promise((resolve) => setTimeout(resolve, probe.periodSeconds * 1000))
  }
  throw new Error(`${endpoint.name}: ${probe.path} did not pass within ${limit} ms`)
}
