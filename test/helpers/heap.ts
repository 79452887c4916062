import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

/** A full collection. What is alive now counts as old afterwards, and so does a dead part of it until the next one. */
export const collectAll = (): void => gc()

/** Bytes among the old objects. */
export const oldBytes = (): number =>
  getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0
