/** How a live check ended: `warning` is what works and may soon not, or not as meant. */
export interface LiveResult {
  readonly result: 'ok' | 'warning' | 'failed'
  /** What was found, or the cause and what to do about it; one sentence, without a secret. */
  readonly detail: string
}

/** One thing that `jeton check --live` tries, as a server would use it. */
export interface LiveCheck {
  /** What is tried, for the first column of the table. */
  readonly what: string
  /** Leaves nothing behind. What it rejects with is shown: an Error whose message has no secret. */
  run(): Promise<LiveResult>
}

export const ok = (detail: string): LiveResult => ({ result: 'ok', detail })
export const warning = (detail: string): LiveResult => ({ result: 'warning', detail })
export const failed = (detail: string): LiveResult => ({ result: 'failed', detail })
