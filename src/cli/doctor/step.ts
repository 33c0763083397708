import type { Clock } from '../../lib/clock.ts'

/** What `jeton doctor` does, in this order. */
export const STEPS = ['identity', 'token', 'dns', 'tcp', 'tls', 'login', 'query'] as const
export type StepName = (typeof STEPS)[number]

/** What a failure means, and what to do about it; the likeliest first. */
export interface Diagnosis {
  readonly means: string
  readonly remedies: readonly string[]
}

/** How a step ended. */
export interface StepRow {
  readonly step: StepName
  readonly result: 'ok' | 'failed'
  readonly ms: number
  /** What was found; one sentence, without a secret, and printable. */
  readonly detail: string
  /** The code of a failure: of the database, of jeton, or of the system. */
  readonly code?: string | undefined
}

export interface StepWatch {
  onBegin(step: StepName): void
  onRow(row: StepRow): void
}

/** A step that failed: its row was passed on, and `cause` is what it failed with. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
  readonly step: StepName

  constructor(step: StepName, cause: unknown) {
    super(`${step} failed`, { cause })
    this.step = step
  }
}

/** What a step found, and the value for the next. */
export interface StepFound<Value> {
  readonly detail: string
  readonly value: Value
}

/** Describes what a step failed with, for its row. */
export type DescribeFailure = (cause: unknown) => Pick<StepRow, 'detail' | 'code'>

/** Runs a step, with its time, and returns its value; or throws StepFailed. */
export type RunStep = <Value>(step: StepName, run: () => Promise<StepFound<Value>>) => Promise<Value>

/** Returns a function that runs steps. `clock` is one that nobody sets. */
export function createStepRunner({
  clock,
  describeFailure,
  onBegin,
  onRow,
}: StepWatch & { clock: Pick<Clock, 'now'>; describeFailure: DescribeFailure }): RunStep {
  return async (step, run) => {
    onBegin(step)
    const startedAt = clock.now()
    const elapsed = () => Math.max(0, Math.round(clock.now() - startedAt))
    try {
      const { detail, value } = await run()
      onRow({ step, result: 'ok', ms: elapsed(), detail })
      return value
    } catch (cause) {
      onRow({ step, result: 'failed', ms: elapsed(), ...describeFailure(cause) })
      throw new StepFailed(step, cause)
    }
  }
}
