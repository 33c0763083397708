/** `at FUNCTION (PLACE:LINE:COLUMN)`; a message may have lines that begin as these do. */
const FRAME = /^at .*:\d+:\d+\)?$/

/** Where an unexpected error comes from, and its name. Its message stays out of the log: it may quote what it failed on. */
export function stackOnly(cause: unknown): { error: string; stack: string[] } {
  if (!(cause instanceof Error)) return { error: typeof cause, stack: [] }
  const { name, message, stack = '' } = cause
  const frames = stack.slice(stack.indexOf(message) + message.length).split('\n')
  return { error: name, stack: frames.map(line => line.trim()).filter(line => FRAME.test(line)) }
}
