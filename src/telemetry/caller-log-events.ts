/**
 * Every code that a line of the log of `jeton proxy` and `jeton agent` may carry as `event`, in alphabetical order. A code is
 * never renamed. docs/proxy.md and docs/agent.md say what each one means and what to do.
 */
export const CALLER_LOG_EVENTS = ['proxy_started', 'proxy_stopped'] as const

export type CallerLogEvent = (typeof CALLER_LOG_EVENTS)[number]
