import type { Metrics } from './metrics.ts'

/** For where nobody reads any. */
export const NO_METRICS: Metrics = {
  decided() {},
  answered() {},
  minted() {},
  clockCorrected() {},
  appended() {},
  refusalsDropped() {},
  storeCalled() {},
  storeUnreadable() {},
}
