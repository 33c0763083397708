/**
 * Every code that a line of the log of `jeton proxy`, `jeton agent` and `jeton audit forward` may carry as `event`, in alphabetical
 * order. A code is never renamed. docs/proxy.md, docs/agent.md and docs/operations.md say what each one means and what to do.
 */
export const CALLER_LOG_EVENTS = [
  'agent_file_written',
  'agent_notice_failed',
  'agent_renewal_failed',
  'agent_started',
  'agent_stopped',
  'agent_token_ended',
  'agent_token_renewed',
  'agent_waiting',
  'agent_write_failed',
  'forward_batch_halved',
  'forward_cursor_failed',
  'forward_line_unreadable',
  'forward_log_absent',
  'forward_read_failed',
  'forward_record_skipped',
  'forward_records_missing',
  'forward_recovered',
  'forward_started',
  'forward_stopped',
  'forward_waiting',
  'proxy_failed',
  'proxy_open_to_users',
  'proxy_session_failed',
  'proxy_started',
  'proxy_stopped',
  'proxy_stopping',
  'proxy_token_failed',
  'proxy_token_received',
  'proxy_token_recovered',
  'proxy_token_refused',
  'proxy_waiting',
] as const

export type CallerLogEvent = (typeof CALLER_LOG_EVENTS)[number]
